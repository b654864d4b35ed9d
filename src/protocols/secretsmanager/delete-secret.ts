import type { SecretsOperation } from './operation.ts'
import { nameOutput } from './secret-output.ts'

export const deleteSecret: SecretsOperation<'DeleteSecret'> = async (input, call) => {
  const { secret, deletionAt } = await call.secrets.delete(call, input.SecretId, {
    windowDays: input.RecoveryWindowInDays,
    isForced: input.ForceDeleteWithoutRecovery,
  })
  return { ...nameOutput(secret), DeletionDate: deletionAt }
}
