import type { SecretsOperation } from './operation.ts'
import { nameOutput, valueOutput } from './secret-output.ts'

export const getSecretValue: SecretsOperation<'GetSecretValue'> = async (input, call) => {
  const found = await call.secretValues.get(call, input.SecretId, input.VersionId, input.VersionStage)
  const { secret, version, value } = found
  return {
    ...nameOutput(secret),
    VersionId: version.versionId,
    ...(version.stages.length === 0 ? {} : { VersionStages: [...version.stages] }),
    CreatedDate: version.createdAt,
    ...valueOutput(value),
  }
}
