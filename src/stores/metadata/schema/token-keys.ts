/** The keys that sign login tokens; they themselves lie among the secrets. */
export interface TokenKeysTable {
  id: string
  created_at: number
}
