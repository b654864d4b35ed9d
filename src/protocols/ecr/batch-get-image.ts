import { imageOutput } from './image-output.ts'
import type { EcrOperation } from './operation.ts'
import { rawImageId, repositoryRef, wireFailure } from './references.ts'

/** Manifests are never converted: `acceptedMediaTypes` says what a client would rather have, and it gets what was pushed. */
export const batchGetImage: EcrOperation<'BatchGetImage'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const { images, failures } = await call.imageBatches.get(call.principal, ref, input.imageIds.map(rawImageId))
  return { images: images.map((image) => imageOutput(ref, image)), failures: failures.map(wireFailure) }
}
