import { initiateLayerUpload as ofAnyRegistry } from '../ecr/initiate-layer-upload.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'
import { withRegistryId } from './references.ts'

export const initiateLayerUpload: PublicOperation<
  EcrInput<'InitiateLayerUpload'>,
  EcrOutput<'InitiateLayerUpload'>
> = async (input, call) => ofAnyRegistry(await withRegistryId(input, call), call)
