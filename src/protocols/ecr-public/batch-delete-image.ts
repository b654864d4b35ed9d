import { batchDeleteImage as ofAnyRegistry } from '../ecr/batch-delete-image.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'

export const batchDeleteImage: PublicOperation<
  EcrInput<'BatchDeleteImage'>,
  EcrOutput<'BatchDeleteImage'>
> = ofAnyRegistry
