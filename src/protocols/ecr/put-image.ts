import { parseDigest } from '../../domain/digest.ts'
import { imageExists } from '../../domain/errors.ts'
import { parseTag } from '../../domain/names.ts'
import { imageOutput } from './image-output.ts'
import type { EcrOperation } from './operation.ts'
import { repositoryRef } from './references.ts'

export const putImage: EcrOperation<'PutImage'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const tag = input.imageTag === undefined ? undefined : parseTag(input.imageTag)
  const manifest = new TextEncoder().encode(input.imageManifest)
  await call.pushTargets.ensure(call.principal, ref)
  const { image, isChanged } = await call.images.push(call.principal, ref, {
    manifest,
    mediaType: input.imageManifestMediaType,
    tags: tag === undefined ? [] : [tag],
    digest: input.imageDigest === undefined ? undefined : parseDigest(input.imageDigest),
  })
  if (!isChanged) throw imageExists(image.digest, tag, ref)
  return { image: imageOutput(ref, { image, manifest, tag }) }
}
