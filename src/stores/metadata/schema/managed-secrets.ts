import type { Generated } from 'kysely'

/** Secrets that accounts keep in Secrets Manager. */
export interface ManagedSecretsTable {
  id: Generated<number>
  account_id: string
  region: string
  name: string
  /** The end of its ARN. */
  suffix: string
  description: string | null
  type: string | null
  kms_key_arn: string | null
  policy: string | null
  created_at: number
  changed_at: number
  accessed_at: number | null
  deletion_at: number | null
}

/** `sealed` is by the master key, or, where a key of KMS is named, by the data key that this key has wrapped. */
export interface ManagedSecretVersionsTable {
  secret_id: number
  version_id: string
  /** A JSON list. */
  stages: string
  kms_key_arn: string | null
  wrapped_key: Uint8Array | null
  sealed: Uint8Array
  created_at: number
}

export interface ManagedSecretTagsTable {
  secret_id: number
  key: string
  value: string
}
