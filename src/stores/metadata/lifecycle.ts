import type { Digest } from '../../domain/digest.ts'
import type { TagStatus } from '../../domain/image.ts'
import type { LifecycleImage } from '../../domain/lifecycle/evaluate.ts'
import type { LifecycleRun } from '../../domain/lifecycle/run.ts'
import type {
  LifecyclePolicy,
  LifecyclePreview,
  LifecyclePreviewResult,
  LifecycleWriter,
  PlacedLifecyclePolicy,
  PreviewCounts,
} from '../lifecycle.ts'
import type { Page } from '../metadata.ts'
import { listLifecycleImages } from './lifecycle-images.ts'
import * as policies from './lifecycle-policies.ts'
import * as results from './lifecycle-preview-results.ts'
import * as previews from './lifecycle-previews.ts'
import type { Session } from './session.ts'

/** Lifecycle policies, what they did, and what they would do. */
export class Lifecycle implements LifecycleWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  findPolicy(repositoryId: number): Promise<LifecyclePolicy | undefined> {
    return policies.findPolicy(this.#session.db, repositoryId)
  }

  listDue(now: Date, limit: number): Promise<readonly PlacedLifecyclePolicy[]> {
    return policies.listDue(this.#session.db, now.getTime(), limit)
  }

  listPolicies({ after = 0, limit }: Page<number>): Promise<readonly PlacedLifecyclePolicy[]> {
    return policies.listPolicies(this.#session.db, after, limit)
  }

  listImages(repositoryId: number, page: Page<Digest>): Promise<readonly LifecycleImage[]> {
    return this.#session.atOnce((db) => listLifecycleImages(db, repositoryId, page))
  }

  findPreview(repositoryId: number): Promise<LifecyclePreview | undefined> {
    return previews.findPreview(this.#session.db, repositoryId)
  }

  listUnfinishedPreviews(limit: number): Promise<readonly LifecyclePreview[]> {
    return previews.listUnfinished(this.#session.db, limit)
  }

  isPurgeDue(now: Date): Promise<boolean> {
    return previews.isPurgeDue(this.#session.db, now.getTime())
  }

  listPreviewResults(
    previewId: number,
    tagStatus: TagStatus,
    { after = 0, limit }: Page<number>,
  ): Promise<readonly LifecyclePreviewResult[]> {
    return results.listResults(this.#session.db, tagStatus, { previewId, after, limit })
  }

  findPreviewResults(previewId: number, digests: readonly Digest[]): Promise<readonly LifecyclePreviewResult[]> {
    return this.#session.atOnce((db) => results.findResults(db, previewId, digests))
  }

  putPolicy(policy: Omit<LifecyclePolicy, 'lastEvaluatedAt' | 'lastRun'>, dueAt: Date): Promise<void> {
    return policies.putPolicy(this.#session.db, policy, dueAt.getTime())
  }

  deletePolicy(repositoryId: number): Promise<LifecyclePolicy | undefined> {
    return policies.deletePolicy(this.#session.db, repositoryId)
  }

  recordRun(policy: LifecyclePolicy, run: LifecycleRun, dueAt: Date): Promise<void> {
    return policies.recordRun(this.#session.db, policy, run, dueAt.getTime())
  }

  postpone(policy: LifecyclePolicy, dueAt: Date): Promise<void> {
    return policies.postpone(this.#session.db, policy, dueAt.getTime())
  }

  insertPreview(preview: previews.NewPreview): Promise<LifecyclePreview> {
    return previews.insertPreview(this.#session.db, preview)
  }

  addPreviewResults(previewId: number, found: readonly LifecyclePreviewResult[]): Promise<void> {
    return results.addResults(this.#session.db, previewId, found)
  }

  endPreview(previewId: number, status: 'COMPLETE' | 'FAILED', counts: PreviewCounts): Promise<void> {
    return previews.endPreview(this.#session.db, previewId, status, counts)
  }

  deletePreviewResults(previewId: number, limit: number): Promise<number> {
    return results.deleteResults(this.#session.db, previewId, limit)
  }

  purgePreviews(now: Date, limit: number): Promise<number> {
    return previews.purgePreviews(this.#session.db, now.getTime(), limit)
  }
}
