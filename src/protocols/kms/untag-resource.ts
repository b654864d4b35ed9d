import type { KmsOperation } from './operation.ts'

export const untagResource: KmsOperation<'UntagResource'> = async ({ KeyId, TagKeys }, call) => {
  await call.keys.deleteTags(call, KeyId, TagKeys)
  return {}
}
