import type { KmsOperation } from './operation.ts'

export const disableKey: KmsOperation<'DisableKey'> = async ({ KeyId }, call) => {
  await call.keys.disable(call, KeyId)
  return {}
}
