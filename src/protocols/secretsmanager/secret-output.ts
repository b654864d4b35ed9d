import type { SecretListEntry } from '@aws-sdk/client-secrets-manager'
import { type ListedSecret, type ManagedSecret, secretArn } from '../../domain/secrets/secret.ts'
import type { SecretValue } from '../../services/secrets/secret-cipher.ts'

/** By which answers name a secret. */
export function nameOutput(secret: ManagedSecret): { readonly ARN: string; readonly Name: string } {
  return { ARN: secretArn(secret), Name: secret.name }
}

/** What DescribeSecret and ListSecrets both tell. */
export function secretOutput({ secret, tags }: ListedSecret): Omit<SecretListEntry, 'SecretVersionsToStages'> {
  return {
    ...nameOutput(secret),
    Description: secret.description,
    Type: secret.type,
    KmsKeyId: secret.kmsKeyArn,
    CreatedDate: secret.createdAt,
    LastChangedDate: secret.changedAt,
    LastAccessedDate: secret.accessedAt,
    DeletedDate: secret.deletionAt,
    ...(tags.length === 0 ? {} : { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) }),
  }
}

/** The labels of each version that has some; absent without any. */
export function stagesOutput({ versions }: ListedSecret): Record<string, string[]> | undefined {
  const labelled = versions.filter(({ stages }) => stages.length > 0)
  if (labelled.length === 0) return undefined
  return Object.fromEntries(labelled.map(({ versionId, stages }) => [versionId, [...stages]]))
}

export function valueOutput(value: SecretValue): { SecretString: string } | { SecretBinary: Uint8Array } {
  return value.kind === 'text' ? { SecretString: value.text } : { SecretBinary: value.bytes }
}
