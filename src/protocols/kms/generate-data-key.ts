import { keyArn } from '../../domain/kms/key.ts'
import { cipherOptions, dataKeyLength } from './cipher-options.ts'
import type { KmsOperation } from './operation.ts'

export const generateDataKey: KmsOperation<'GenerateDataKey'> = async (input, call) => {
  const options = cipherOptions(input)
  const made = await call.keyCryptography.generateDataKey(call, input.KeyId, dataKeyLength(input), options)
  return {
    CiphertextBlob: made.ciphertext,
    Plaintext: made.plaintext,
    KeyId: keyArn(made.key),
    KeyMaterialId: made.materialId,
  }
}
