import { keyArn } from '../../domain/kms/key.ts'
import type { KmsOperation } from './operation.ts'

export const scheduleKeyDeletion: KmsOperation<'ScheduleKeyDeletion'> = async (
  { KeyId, PendingWindowInDays },
  call,
) => {
  const key = await call.keyLifetimes.scheduleDeletion(call, KeyId, PendingWindowInDays)
  const { at, windowDays } = key.deletion ?? {}
  return { KeyId: keyArn(key), DeletionDate: at, KeyState: key.state, PendingWindowInDays: windowDays }
}
