/** What is signed in each registry. */
export interface SigningConfigurationsTable {
  account_id: string
  region: string
  /** JSON. */
  rules: string
}
