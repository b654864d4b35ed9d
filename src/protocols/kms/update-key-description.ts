import type { KmsOperation } from './operation.ts'

export const updateKeyDescription: KmsOperation<'UpdateKeyDescription'> = async ({ KeyId, Description }, call) => {
  await call.keys.setDescription(call, KeyId, Description)
  return {}
}
