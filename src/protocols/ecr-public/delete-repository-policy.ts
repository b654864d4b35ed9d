import { deleteRepositoryPolicy as ofAnyRegistry } from '../ecr/delete-repository-policy.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'

export const deleteRepositoryPolicy: PublicOperation<
  EcrInput<'DeleteRepositoryPolicy'>,
  EcrOutput<'DeleteRepositoryPolicy'>
> = ofAnyRegistry
