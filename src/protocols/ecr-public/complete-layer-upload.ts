import { completeLayerUpload as ofAnyRegistry } from '../ecr/complete-layer-upload.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'
import { withRegistryId } from './references.ts'

export const completeLayerUpload: PublicOperation<
  EcrInput<'CompleteLayerUpload'>,
  EcrOutput<'CompleteLayerUpload'>
> = async (input, call) => ofAnyRegistry(await withRegistryId(input, call), call)
