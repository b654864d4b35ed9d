/** Temporary credentials. `principal` and `transitive_tag_keys` are JSON. */
export interface SessionsTable {
  access_key_id: string
  secret_access_key: string
  token_hash: string
  principal: string
  identity_arn: string
  identity_id: string
  parent_key_id: string | null
  transitive_tag_keys: string
  issued_at: number
  expires_at: number
}
