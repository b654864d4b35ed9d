import { invalidParameter } from '../../domain/errors.ts'
import { keyArn } from '../../domain/kms/key.ts'
import { ALGORITHM } from '../../services/kms/key-cryptography.ts'
import { cipherOptions } from './cipher-options.ts'
import type { KmsOperation } from './operation.ts'

export const decrypt: KmsOperation<'Decrypt'> = async (input, call) => {
  if (input.DryRunModifiers !== undefined && input.DryRunModifiers.length > 0)
    throw invalidParameter('dryRunModifiers', 'Member must not be given')
  // Optional only since whatever was encrypted says by which key.
  const bytes = input.CiphertextBlob ?? new Uint8Array()
  const found = await call.keyCryptography.decrypt(call, input.KeyId, bytes, cipherOptions(input))
  return {
    KeyId: keyArn(found.key),
    Plaintext: found.plaintext,
    EncryptionAlgorithm: ALGORITHM,
    KeyMaterialId: found.materialId,
  }
}
