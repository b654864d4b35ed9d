import { batchCheckLayerAvailability as ofAnyRegistry } from '../ecr/batch-check-layer-availability.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'
import { withRegistryId } from './references.ts'

export const batchCheckLayerAvailability: PublicOperation<
  EcrInput<'BatchCheckLayerAvailability'>,
  EcrOutput<'BatchCheckLayerAvailability'>
> = async (input, call) => ofAnyRegistry(await withRegistryId(input, call), call)
