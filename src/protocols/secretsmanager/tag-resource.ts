import type { SecretsOperation } from './operation.ts'
import { tagsOf } from './secret-input.ts'

export const tagResource: SecretsOperation<'TagResource'> = async ({ SecretId, Tags }, call) => {
  await call.secrets.putTags(call, SecretId, tagsOf(Tags))
  return {}
}
