import { secretParameterInvalid, secretRequestInvalid } from '../../domain/secrets/errors.ts'
import type { SecretsOperation } from './operation.ts'
import { secretValue } from './secret-input.ts'
import { nameOutput } from './secret-output.ts'

export const putSecretValue: SecretsOperation<'PutSecretValue'> = async (input, call) => {
  const value = secretValue(input)
  if (value === undefined) throw secretRequestInvalid('You must provide either SecretString or SecretBinary.')
  if (input.RotationToken !== undefined) throw secretParameterInvalid('Secrets are not rotated by a function here.')
  const { secret, version } = await call.secretValues.put(call, input.SecretId, value, {
    versionId: input.ClientRequestToken,
    stages: input.VersionStages,
  })
  return { ...nameOutput(secret), VersionId: version.versionId, VersionStages: [...version.stages] }
}
