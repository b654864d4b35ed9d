import { keyArn } from '../../domain/kms/key.ts'
import { ALGORITHM } from '../../services/kms/key-cryptography.ts'
import { cipherOptions } from './cipher-options.ts'
import type { KmsOperation } from './operation.ts'

export const encrypt: KmsOperation<'Encrypt'> = async (input, call) => {
  const done = await call.keyCryptography.encrypt(call, input.KeyId, input.Plaintext, cipherOptions(input))
  return { CiphertextBlob: done.ciphertext, KeyId: keyArn(done.key), EncryptionAlgorithm: ALGORITHM }
}
