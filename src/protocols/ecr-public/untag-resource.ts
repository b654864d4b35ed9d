import { parsePublicRepositoryArn } from '../../domain/public-registry.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import type { PublicOperation } from './operation.ts'

export const untagResource: PublicOperation<EcrInput<'UntagResource'>, EcrOutput<'UntagResource'>> = async (
  input,
  call,
) => {
  await call.repositories.deleteTags(call.principal, parsePublicRepositoryArn(input.resourceArn), input.tagKeys)
  return {}
}
