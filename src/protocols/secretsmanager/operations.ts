import secretsModel from '../../../models/secretsmanager.json' with { type: 'json' }
import type { JsonService } from '../aws/json-rpc.ts'
import { operationTable } from '../aws/operation-table.ts'
import { validationError } from '../aws/validation-error.ts'
import { createSecret } from './create-secret.ts'
import { deleteSecret } from './delete-secret.ts'
import { describeSecret } from './describe-secret.ts'
import { getResourcePolicy } from './get-resource-policy.ts'
import { getSecretValue } from './get-secret-value.ts'
import { listSecrets } from './list-secrets.ts'
import type { SecretsOperation, SecretsOperationName, SecretsServices } from './operation.ts'
import { putSecretValue } from './put-secret-value.ts'
import { tagResource } from './tag-resource.ts'
import { untagResource } from './untag-resource.ts'
import { updateSecret } from './update-secret.ts'

type Operations = Partial<{ readonly [Name in SecretsOperationName]: SecretsOperation<Name> }>

const OPERATIONS = {
  CreateSecret: createSecret,
  DeleteSecret: deleteSecret,
  DescribeSecret: describeSecret,
  GetResourcePolicy: getResourcePolicy,
  GetSecretValue: getSecretValue,
  ListSecrets: listSecrets,
  PutSecretValue: putSecretValue,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateSecret: updateSecret,
} satisfies Operations

/** Secrets Manager, as far as those who keep credentials of upstream registries need it, over AWS JSON 1.1. */
export function secretsService(services: SecretsServices): JsonService {
  return {
    model: secretsModel,
    operations: operationTable(secretsModel, OPERATIONS, [], (call) => ({ ...services, ...call })),
    errorOf: validationError,
  }
}
