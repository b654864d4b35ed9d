import type { Generated } from 'kysely'

/** Keys of KMS; `material_id` names the material that encrypts now. */
export interface KmsKeysTable {
  id: Generated<number>
  key_id: string
  account_id: string
  region: string
  manager: string
  state: string
  description: string
  policy: string
  created_at: number
  deletion_at: number | null
  deletion_window_days: number | null
  rotation_period_days: number | null
  rotates_at: number | null
  material_id: string
}

export interface KmsKeyMaterialsTable {
  material_id: string
  kms_key_id: number
  sealed: Uint8Array
  created_at: number
}

export interface KmsAliasesTable {
  account_id: string
  region: string
  name: string
  key_id: string
  created_at: number
  updated_at: number
}

export interface KmsKeyTagsTable {
  kms_key_id: number
  key: string
  value: string
}

export interface KmsGrantsTable {
  kms_key_id: number
  grant_id: string
  token: string
  name: string | null
  grantee: string
  retiring_principal: string | null
  /** A JSON list. */
  operations: string
  /** JSON; see `GrantConstraints`. */
  constraints: string | null
  issuing_account: string
  created_at: number
}
