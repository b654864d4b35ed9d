import type { SecretsOperation } from './operation.ts'
import { secretValue } from './secret-input.ts'
import { nameOutput } from './secret-output.ts'

export const updateSecret: SecretsOperation<'UpdateSecret'> = async (input, call) => {
  const { secret, versionId } = await call.secrets.update(call, input.SecretId, {
    description: input.Description,
    type: input.Type,
    kmsKey: input.KmsKeyId,
    value: secretValue(input),
    versionId: input.ClientRequestToken,
  })
  return { ...nameOutput(secret), VersionId: versionId }
}
