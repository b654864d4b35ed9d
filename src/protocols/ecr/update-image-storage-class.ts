import type { EcrOperation } from './operation.ts'
import { parseImageId, placeOf, repositoryRef, wireImageId } from './references.ts'

export const updateImageStorageClass: EcrOperation<'UpdateImageStorageClass'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const imageId = parseImageId(input.imageId)
  const { image, status } = await call.storageClasses.update(call.principal, ref, imageId, input.targetStorageClass)
  return { ...placeOf(ref), imageId: wireImageId({ ...imageId, digest: image.digest }), imageStatus: status }
}
