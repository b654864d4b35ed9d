import { keyArn } from '../../domain/kms/key.ts'
import type { KmsOperation } from './operation.ts'

export const getKeyRotationStatus: KmsOperation<'GetKeyRotationStatus'> = async ({ KeyId }, call) => {
  const key = await call.keyLifetimes.rotationOf(call, KeyId)
  const { rotation, state } = key
  // A key that is about to go is not rotated any more, whatever it was set to.
  if (rotation === undefined || state === 'PendingDeletion') return { KeyId: keyArn(key), KeyRotationEnabled: false }
  return {
    KeyId: keyArn(key),
    KeyRotationEnabled: true,
    RotationPeriodInDays: rotation.periodDays,
    NextRotationDate: rotation.nextAt,
  }
}
