import type { EcrOperation } from './operation.ts'
import { rawImageId, repositoryRef, wireFailure, wireImageId } from './references.ts'

export const batchDeleteImage: EcrOperation<'BatchDeleteImage'> = async (input, call) => {
  const ids = input.imageIds.map(rawImageId)
  const { deleted, failures } = await call.imageDeletion.deleteMany(call.principal, repositoryRef(input, call), ids)
  return { imageIds: deleted.map(wireImageId), failures: failures.map(wireFailure) }
}
