import { parsePublicRepositoryArn } from '../../domain/public-registry.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import { resourceTags } from '../ecr/resource-tags.ts'
import type { PublicOperation } from './operation.ts'

export const tagResource: PublicOperation<EcrInput<'TagResource'>, EcrOutput<'TagResource'>> = async (input, call) => {
  const ref = parsePublicRepositoryArn(input.resourceArn)
  await call.repositories.putTags(call.principal, ref, resourceTags(input.tags))
  return {}
}
