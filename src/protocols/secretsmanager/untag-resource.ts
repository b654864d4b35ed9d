import type { SecretsOperation } from './operation.ts'

export const untagResource: SecretsOperation<'UntagResource'> = async ({ SecretId, TagKeys }, call) => {
  await call.secrets.deleteTags(call, SecretId, TagKeys)
  return {}
}
