import { parsePublicRepositoryArn } from '../../domain/public-registry.ts'
import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import { wireTags } from '../ecr/resource-tags.ts'
import type { PublicOperation } from './operation.ts'

export const listTagsForResource: PublicOperation<
  EcrInput<'ListTagsForResource'>,
  EcrOutput<'ListTagsForResource'>
> = async (input, call) => {
  const tags = await call.repositories.listTags(call.principal, parsePublicRepositoryArn(input.resourceArn))
  return { tags: wireTags(tags) }
}
