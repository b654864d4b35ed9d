import type { EcrOperation } from './operation.ts'
import { taggedRepository } from './resource-tags.ts'

export const untagResource: EcrOperation<'UntagResource'> = async (input, call) => {
  await call.repositories.deleteTags(call.principal, taggedRepository(input.resourceArn, call), input.tagKeys)
  return {}
}
