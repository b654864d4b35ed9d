import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import { putImage as ofAnyRegistry } from '../ecr/put-image.ts'
import type { PublicOperation } from './operation.ts'
import { withRegistryId } from './references.ts'

export const putImage: PublicOperation<EcrInput<'PutImage'>, EcrOutput<'PutImage'>> = async (input, call) =>
  ofAnyRegistry(await withRegistryId(input, call), call)
