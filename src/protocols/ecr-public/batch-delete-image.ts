import { batchDeleteImage as ofAnyRegistry } from '../ecr/batch-delete-image.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'

/** It lists no error for an alias of nobody, which is therefore refused as what is no account's id. */
export const batchDeleteImage: PublicOperation<EcrInput<'BatchDeleteImage'>, EcrOutput<'BatchDeleteImage'>> = async (
  input,
  call,
) => {
  const { registryId = '' } = input
  const registry = await call.publicRegistries.findRegistry(registryId)
  return ofAnyRegistry(registry === undefined ? input : { ...input, registryId: registry.registryId }, call)
}
