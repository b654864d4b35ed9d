import type { KmsOperation } from './operation.ts'

export const enableKeyRotation: KmsOperation<'EnableKeyRotation'> = async ({ KeyId, RotationPeriodInDays }, call) => {
  await call.keyLifetimes.enableRotation(call, KeyId, RotationPeriodInDays)
  return {}
}
