import type { SecretsOperation } from './operation.ts'
import { nameOutput } from './secret-output.ts'

export const getResourcePolicy: SecretsOperation<'GetResourcePolicy'> = async ({ SecretId }, call) =>
  nameOutput(await call.secrets.policyOf(call, SecretId))
