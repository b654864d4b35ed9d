import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import { setRepositoryPolicy as ofAnyRegistry } from '../ecr/set-repository-policy.ts'
import type { PublicOperation } from './operation.ts'

export const setRepositoryPolicy: PublicOperation<
  EcrInput<'SetRepositoryPolicy'>,
  EcrOutput<'SetRepositoryPolicy'>
> = ofAnyRegistry
