import type { Generated } from 'kysely'

/** Access keys that were issued here. */
export interface AccessKeysTable {
  access_key_id: string
  /** Sealed, in base64. */
  secret_access_key: string
  account_id: string
  principal_arn: string
  created_at: number
  /** The user whose key it is; null for a root key. */
  user_id: Generated<number | null>
  status: Generated<string>
  last_used_at: Generated<number | null>
  last_used_region: Generated<string | null>
  last_used_service: Generated<string | null>
}
