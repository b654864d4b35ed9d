import type { KmsOperation } from './operation.ts'

export const disableKeyRotation: KmsOperation<'DisableKeyRotation'> = async ({ KeyId }, call) => {
  await call.keyLifetimes.disableRotation(call, KeyId)
  return {}
}
