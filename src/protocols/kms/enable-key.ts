import type { KmsOperation } from './operation.ts'

export const enableKey: KmsOperation<'EnableKey'> = async ({ KeyId }, call) => {
  await call.keys.enable(call, KeyId)
  return {}
}
