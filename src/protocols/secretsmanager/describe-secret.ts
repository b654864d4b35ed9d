import type { SecretsOperation } from './operation.ts'
import { secretOutput, stagesOutput } from './secret-output.ts'

export const describeSecret: SecretsOperation<'DescribeSecret'> = async ({ SecretId }, call) => {
  const described = await call.secrets.describe(call, SecretId)
  return { ...secretOutput(described), VersionIdsToStages: stagesOutput(described) }
}
