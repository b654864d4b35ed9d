import type { Generated } from 'kysely'

export interface OutboxTable {
  position: Generated<number>
  account_id: string
  region: string
  source: string
  detail_type: string
  /** A JSON list. */
  resources: string
  at: number
  /** A JSON object. */
  detail: string
}
