import type { EcrOperation } from './operation.ts'
import { resourceTags, taggedRepository } from './resource-tags.ts'

export const tagResource: EcrOperation<'TagResource'> = async (input, call) => {
  await call.repositories.putTags(call.principal, taggedRepository(input.resourceArn, call), resourceTags(input.tags))
  return {}
}
