import { keyArn } from '../../domain/kms/key.ts'
import type { KmsOperation } from './operation.ts'

export const cancelKeyDeletion: KmsOperation<'CancelKeyDeletion'> = async ({ KeyId }, call) => ({
  KeyId: keyArn(await call.keyLifetimes.cancelDeletion(call, KeyId)),
})
