/** Login tokens with a scope of their own. `repositories` and `actions` are JSON. */
export interface RobotTokensTable {
  id: string
  secret_hash: string
  account_id: string
  region: string
  user_arn: string
  user_id: string
  repositories: string
  actions: string
  created_at: number
  expires_at: number
}
