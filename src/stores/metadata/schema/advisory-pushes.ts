import type { Generated } from 'kysely'

/** Advisories that were pushed, and what became of their import. */
export interface AdvisoryPushesTable {
  id: Generated<number>
  account_id: string
  region: string
  repository_name: string
  digest: string
  /** An ARN. */
  pushed_by: string
  pushed_at: number
  state: 'QUEUED' | 'IMPORTED' | 'FAILED' | 'REFUSED'
  /** How many times it was begun without an end. */
  attempts: number
  due_at: number
  ended_at: number | null
  /** One sentence, of what was not imported. */
  reason: string | null
}
