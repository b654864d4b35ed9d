import { keyArn } from '../../domain/kms/key.ts'
import { cipherOptions, dataKeyLength } from './cipher-options.ts'
import type { KmsOperation } from './operation.ts'

export const generateDataKeyWithoutPlaintext: KmsOperation<'GenerateDataKeyWithoutPlaintext'> = async (input, call) => {
  const options = cipherOptions(input)
  const made = await call.keyCryptography.generateDataKey(call, input.KeyId, dataKeyLength(input), options, false)
  return { CiphertextBlob: made.ciphertext, KeyId: keyArn(made.key), KeyMaterialId: made.materialId }
}
