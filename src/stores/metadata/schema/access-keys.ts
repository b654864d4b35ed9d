/** Access keys that were issued here. */
export interface AccessKeysTable {
  access_key_id: string
  /** Sealed, in base64. */
  secret_access_key: string
  account_id: string
  principal_arn: string
  created_at: number
}
