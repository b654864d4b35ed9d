import { getRepositoryPolicy as ofAnyRegistry } from '../ecr/get-repository-policy.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'

export const getRepositoryPolicy: PublicOperation<
  EcrInput<'GetRepositoryPolicy'>,
  EcrOutput<'GetRepositoryPolicy'>
> = ofAnyRegistry
