import type { Digest } from '../domain/digest.ts'
import type { TagStatus } from '../domain/image.ts'
import type { LifecycleImage } from '../domain/lifecycle/evaluate.ts'
import type { LifecycleAction, LifecycleStorageClass } from '../domain/lifecycle/rule.ts'
import type { LifecycleRun } from '../domain/lifecycle/run.ts'
import type { Tag } from '../domain/names.ts'
import type { Repository } from '../domain/repository.ts'
import type { Page } from './page.ts'

/** A repository's lifecycle policy as it is kept. */
export interface LifecyclePolicy {
  readonly repositoryId: number
  /** Another one whenever a text is put, also the same text: a run notices by it that its policy was replaced. */
  readonly policyId: string
  readonly text: string
  readonly putAt: Date
  /** Absent before the first run. */
  readonly lastEvaluatedAt?: Date | undefined
  /** What the last run did, for those who operate the registry. */
  readonly lastRun?: LifecycleRun | undefined
}

/** A policy with the repository that it is of. */
export interface PlacedLifecyclePolicy {
  readonly repository: Repository
  readonly policy: LifecyclePolicy
}

export type LifecyclePreviewStatus = 'IN_PROGRESS' | 'COMPLETE' | 'EXPIRED' | 'FAILED'

/** What a policy would do; a repository has at most one of them. */
export interface LifecyclePreview {
  readonly id: number
  readonly repositoryId: number
  /** The policy that is tried. */
  readonly text: string
  readonly status: LifecyclePreviewStatus
  readonly startedAt: Date
  readonly counts: PreviewCounts
}

/** How many images a preview found; 0 while it is under way. */
export interface PreviewCounts {
  readonly expiring: number
  readonly transitioning: number
}

/** One image that a policy would act on. */
export interface LifecyclePreviewResult {
  /** Counts up from 1, oldest image first. */
  readonly position: number
  readonly digest: Digest
  readonly tags: readonly Tag[]
  readonly pushedAt: Date
  readonly storageClass: LifecycleStorageClass
  readonly action: LifecycleAction
  readonly rulePriority: number
}

export interface LifecycleReader {
  findPolicy(repositoryId: number): Promise<LifecyclePolicy | undefined>
  /** Policies to be executed at `now`, those first that are overdue most. */
  listDue(now: Date, limit: number): Promise<readonly PlacedLifecyclePolicy[]>
  /** Every policy, in ascending order of the repository's id. */
  listPolicies(page: Page<number>): Promise<readonly PlacedLifecyclePolicy[]>
  /** The images of a repository as light records, in ascending order of digest. */
  listImages(repositoryId: number, page: Page<Digest>): Promise<readonly LifecycleImage[]>
  findPreview(repositoryId: number): Promise<LifecyclePreview | undefined>
  /** Previews under way, in the order in which they were asked for. */
  listUnfinishedPreviews(limit: number): Promise<readonly LifecyclePreview[]>
  /** Whether `purgePreviews` has something to do. */
  isPurgeDue(now: Date): Promise<boolean>
  /** In ascending order of position. The cost of a page does not depend on where it is. */
  listPreviewResults(
    previewId: number,
    tagStatus: TagStatus,
    page: Page<number>,
  ): Promise<readonly LifecyclePreviewResult[]>
  /** Those of certain images, in ascending order of position. */
  findPreviewResults(previewId: number, digests: readonly Digest[]): Promise<readonly LifecyclePreviewResult[]>
}

export interface LifecycleWriter extends LifecycleReader {
  /** Replaces what is there; the new policy was never evaluated and is due at `dueAt`. */
  putPolicy(policy: Omit<LifecyclePolicy, 'lastEvaluatedAt' | 'lastRun'>, dueAt: Date): Promise<void>
  /** Answers what was deleted. */
  deletePolicy(repositoryId: number): Promise<LifecyclePolicy | undefined>
  /** Records a run; nothing when the policy is another one by now. */
  recordRun(policy: LifecyclePolicy, run: LifecycleRun, dueAt: Date): Promise<void>
  /** Puts the next run off, without recording one; nothing when the policy is another one by now. */
  postpone(policy: LifecyclePolicy, dueAt: Date): Promise<void>
  /** Takes the place of an earlier preview. Its results may go at `purgeAt`. */
  insertPreview(preview: {
    repositoryId: number
    text: string
    startedAt: Date
    purgeAt: Date
  }): Promise<LifecyclePreview>
  addPreviewResults(previewId: number, results: readonly LifecyclePreviewResult[]): Promise<void>
  /** Ends a preview that is under way; nothing when it is not. */
  endPreview(previewId: number, status: 'COMPLETE' | 'FAILED', counts: PreviewCounts): Promise<void>
  /** Removes up to `limit` results of a preview; answers how many. */
  deletePreviewResults(previewId: number, limit: number): Promise<number>
  /** Removes up to `limit` results that may go, and in the end their previews; answers how many, 0 when nothing is left. */
  purgePreviews(now: Date, limit: number): Promise<number>
}
