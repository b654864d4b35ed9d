import { tagsOf } from './key-tags.ts'
import type { KmsOperation } from './operation.ts'

export const tagResource: KmsOperation<'TagResource'> = async ({ KeyId, Tags }, call) => {
  await call.keys.putTags(call, KeyId, tagsOf(Tags))
  return {}
}
