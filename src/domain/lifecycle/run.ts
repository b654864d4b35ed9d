import type { Digest } from '../digest.ts'
import type { LifecycleAction } from './rule.ts'

/** What one execution of a repository's policy did. Bounded: counts are whole, lists are only begun. */
export interface LifecycleRun {
  readonly startedAt: Date
  readonly endedAt: Date
  /** How many images were looked at. */
  readonly imageCount: number
  readonly expiredCount: number
  readonly transitionedCount: number
  /** Referrers, and images listed by an index, that went along with an image that a rule chose. */
  readonly followedCount: number
  /** Images that were tagged, pulled, moved or deleted between the decision and its execution: the next run sees to them. */
  readonly changedCount: number
  readonly failedCount: number
  readonly actions: readonly LifecycleActed[]
  readonly failures: readonly LifecycleFailure[]
}

export interface LifecycleActed {
  readonly digest: Digest
  readonly tags: readonly string[]
  readonly action: LifecycleAction
  readonly rulePriority: number
}

/** An image that a rule chose and that has to stay for now. */
export interface LifecycleFailure extends LifecycleActed {
  readonly code: string
  readonly reason: string
}
