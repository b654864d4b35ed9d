import { secretRequestInvalid } from '../../domain/secrets/errors.ts'
import type { SecretsOperation } from './operation.ts'
import { secretValue, tagsOf } from './secret-input.ts'
import { nameOutput } from './secret-output.ts'

export const createSecret: SecretsOperation<'CreateSecret'> = async (input, call) => {
  if (input.AddReplicaRegions !== undefined)
    throw secretRequestInvalid('Secrets are not replicated to other Regions here.')
  const settings = {
    description: input.Description,
    type: input.Type,
    kmsKey: input.KmsKeyId,
    value: secretValue(input),
    versionId: input.ClientRequestToken,
  }
  const made = await call.secrets.create(call, input.Name, settings, tagsOf(input.Tags ?? []))
  return { ...nameOutput(made.secret), VersionId: made.versionId }
}
