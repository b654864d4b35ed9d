import type { EcrOperation } from './operation.ts'
import { taggedRepository, wireTags } from './resource-tags.ts'

export const listTagsForResource: EcrOperation<'ListTagsForResource'> = async (input, call) => {
  const tags = await call.repositories.listTags(call.principal, taggedRepository(input.resourceArn, call))
  return { tags: wireTags(tags) }
}
