import { isRegistryError } from '../../domain/errors.ts'
import type { ImageReference } from '../../domain/image.ts'
import {
  type ImageFailureCode,
  imageFailure,
  isFailure,
  parseImageId,
  type RawImageId,
} from '../../domain/image-failure.ts'
import { imageOutput } from './image-output.ts'
import type { EcrOperation } from './operation.ts'
import { rawImageId, repositoryRef, wireFailure } from './references.ts'

/**
 * Manifests are never converted: `acceptedMediaTypes` says what a client would rather have, and it gets what was pushed. What a
 * pull-through cache lacks is brought before the answer.
 */
export const batchGetImage: EcrOperation<'BatchGetImage'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const ids = input.imageIds.map(rawImageId)
  const references = new Map(
    ids.flatMap((raw) => (referenceOf(raw) === undefined ? [] : ([[raw, referenceOf(raw)]] as const))),
  )
  const wanted = [...references.values()].filter((reference) => reference !== undefined)
  const missed = await call.pullThrough.bringMany(call.principal, ref, wanted)
  const { images, failures } = await call.imageBatches.get(call.principal, ref, ids).catch((thrown: unknown) => {
    // There is no repository since the upstream could not be asked.
    const [[, cause] = []] = missed
    throw isRegistryError(thrown, 'repository-not-found') && cause !== undefined ? cause : thrown
  })
  const told = failures.map((failure) => {
    const cause = missed.get(references.get(failure.imageId) ?? NONE)
    const code = failure.code === 'ImageNotFound' ? upstreamFailure(cause) : undefined
    return code === undefined ? failure : imageFailure(failure.imageId, code)
  })
  return { images: images.map((image) => imageOutput(ref, image)), failures: told.map(wireFailure) }
}

const NONE = {} as ImageReference

function referenceOf(raw: RawImageId): ImageReference | undefined {
  const id = parseImageId(raw)
  if (isFailure(id)) return undefined
  if (id.tag !== undefined) return { tag: id.tag }
  return id.digest === undefined ? undefined : { digest: id.digest }
}

function upstreamFailure(cause: unknown): ImageFailureCode | undefined {
  if (!isRegistryError(cause)) return undefined
  if (cause.code === 'upstream-rate-limited') return 'UpstreamTooManyRequests'
  if (cause.code === 'upstream-denied') return 'UpstreamAccessDenied'
  return cause.code.startsWith('upstream-') ? 'UpstreamUnavailable' : undefined
}
