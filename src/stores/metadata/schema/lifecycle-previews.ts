import type { Generated } from 'kysely'
import type { LifecyclePreviewStatus } from '../../lifecycle.ts'

export interface LifecyclePreviewsTable {
  id: Generated<number>
  /** Null once another preview has taken its place, or the repository is gone. */
  repository_id: number | null
  text: string
  status: LifecyclePreviewStatus
  started_at: number
  /** From when on its results may go; null when they are gone. */
  purge_at: number | null
  expiring_count: number
  transitioning_count: number
}
