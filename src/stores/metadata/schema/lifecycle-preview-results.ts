import type { LifecycleAction, LifecycleStorageClass } from '../../../domain/lifecycle/rule.ts'

export interface LifecyclePreviewResultsTable {
  preview_id: number
  /** Counts up from 1, oldest image first. */
  position: number
  digest: string
  /** A JSON array. */
  tags: string
  is_tagged: number
  pushed_at: number
  storage_class: LifecycleStorageClass
  action: LifecycleAction
  rule_priority: number
}
