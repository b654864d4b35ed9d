import type { Digest } from '../../domain/digest.ts'
import { invalidParameter } from '../../domain/errors.ts'
import type { ImageId, TagStatus } from '../../domain/image.ts'
import {
  lifecyclePolicyNotFound,
  lifecyclePreviewInProgress,
  lifecyclePreviewNotFound,
} from '../../domain/lifecycle/errors.ts'
import { parseLifecyclePolicy } from '../../domain/lifecycle/parse.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { LifecyclePolicy, LifecyclePreview, LifecyclePreviewResult } from '../../stores/lifecycle.ts'
import type { MetadataReader, MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { getRepository } from '../repositories/repositories.ts'

export type { LifecyclePolicy, LifecyclePreviewResult, PreviewCounts } from '../../stores/lifecycle.ts'

/** Leaves who put a policy by mistake, or wants to see it before it acts, a moment to take it back. */
const FIRST_RUN_AFTER_MS = 10_000

/** How long the results of a preview are kept. */
export const PREVIEW_KEPT_MS = 7 * 24 * 60 * 60 * 1000

/** What is asked of a preview: pages of results, or those of certain images. */
export type PreviewQuestion = { readonly tagStatus: TagStatus } & (
  | { readonly paging: Paging }
  | { readonly imageIds: readonly ImageId[] }
)

export interface AnsweredPreview extends PageOf<LifecyclePreviewResult> {
  readonly preview: LifecyclePreview
}

/** Lifecycle policies of repositories, and previews of what they would do. What they do is done by jobs. */
export class Lifecycle {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #onPreview: () => void

  /** `onPreview` hears that a preview waits to be made. */
  constructor(metadata: MetadataStore, access: Access, clock: Clock, ids: Ids, onPreview: () => void) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#ids = ids
    this.#onPreview = onPreview
  }

  /** Puts the policy in the place of any other; it is executed soon, then periodically. Throws `invalid-parameter`, `repository-not-found`. */
  async putPolicy(principal: Principal, ref: RepositoryRef, text: string): Promise<void> {
    await this.#access.authorize(principal, 'ecr:PutLifecyclePolicy', ref)
    await getRepository(this.#metadata.view, ref)
    parseLifecyclePolicy(text)
    await this.#metadata.transact(async (tx) => this.attachPolicy(tx, (await getRepository(tx, ref)).id, text))
  }

  /** The same inside a transaction of the caller's, who has checked the text and who may put it. */
  async attachPolicy(tx: MetadataWriter, repositoryId: number, text: string): Promise<void> {
    const putAt = this.#clock.now()
    const dueAt = new Date(putAt.getTime() + FIRST_RUN_AFTER_MS)
    await tx.lifecycle.putPolicy({ repositoryId, policyId: this.#ids.uuid(), text, putAt }, dueAt)
  }

  /** Throws `lifecycle-policy-not-found`, `repository-not-found`. */
  async getPolicy(principal: Principal, ref: RepositoryRef): Promise<LifecyclePolicy> {
    await this.#access.authorize(principal, 'ecr:GetLifecyclePolicy', ref)
    return this.#metadata.read((view) => findPolicy(view, ref))
  }

  /** Answers what was deleted; a run of it that is under way stops. Throws `lifecycle-policy-not-found`, `repository-not-found`. */
  async deletePolicy(principal: Principal, ref: RepositoryRef): Promise<LifecyclePolicy> {
    await this.#access.authorize(principal, 'ecr:DeleteLifecyclePolicy', ref)
    return this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      const deleted = await tx.lifecycle.deletePolicy(id)
      if (deleted === undefined) throw lifecyclePolicyNotFound(ref)
      return deleted
    })
  }

  /**
   * Begins a preview of this text, or of the repository's own policy; it takes the place of an earlier one. Throws
   * `invalid-parameter`, `lifecycle-policy-not-found`, `lifecycle-preview-in-progress`, `repository-not-found`.
   */
  async startPreview(principal: Principal, ref: RepositoryRef, text: string | undefined): Promise<LifecyclePreview> {
    await this.#access.authorize(principal, 'ecr:StartLifecyclePolicyPreview', ref)
    await getRepository(this.#metadata.view, ref)
    if (text !== undefined) parseLifecyclePolicy(text)
    const startedAt = this.#clock.now()
    const purgeAt = new Date(startedAt.getTime() + PREVIEW_KEPT_MS)
    const preview = await this.#metadata.transact(async (tx) => {
      const { id: repositoryId } = await getRepository(tx, ref)
      const tried = text ?? (await findPolicy(tx, ref)).text
      const earlier = await tx.lifecycle.findPreview(repositoryId)
      if (earlier?.status === 'IN_PROGRESS') throw lifecyclePreviewInProgress(ref)
      return tx.lifecycle.insertPreview({ repositoryId, text: tried, startedAt, purgeAt })
    })
    this.#onPreview()
    return preview
  }

  /** The preview with the results asked for, of which there are none before it is complete. Throws `lifecycle-preview-not-found`, `repository-not-found`. */
  async getPreview(principal: Principal, ref: RepositoryRef, asked: PreviewQuestion): Promise<AnsweredPreview> {
    await this.#access.authorize(principal, 'ecr:GetLifecyclePolicyPreview', ref)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const preview = await view.lifecycle.findPreview(id)
      if (preview === undefined) throw lifecyclePreviewNotFound(ref)
      if (this.#hasExpired(preview)) return { preview: { ...preview, status: 'EXPIRED' }, items: [] }
      const after = 'paging' in asked ? positionAfter(asked.paging, preview.id) : undefined
      if (preview.status !== 'COMPLETE') return { preview, items: [] }
      if ('imageIds' in asked)
        return { preview, items: await findResults(view, preview, asked.imageIds, asked.tagStatus) }
      const { limit } = asked.paging
      const rows = await view.lifecycle.listPreviewResults(preview.id, asked.tagStatus, { after, limit: limit + 1 })
      return { preview, ...pageOf(rows, limit, ({ position }) => `${preview.id}/${position}`) }
    })
  }

  #hasExpired({ startedAt, status }: LifecyclePreview): boolean {
    return status !== 'IN_PROGRESS' && startedAt.getTime() + PREVIEW_KEPT_MS <= this.#clock.now().getTime()
  }
}

async function findPolicy(view: MetadataReader, ref: RepositoryRef): Promise<LifecyclePolicy> {
  const { id } = await getRepository(view, ref)
  const policy = await view.lifecycle.findPolicy(id)
  if (policy === undefined) throw lifecyclePolicyNotFound(ref)
  return policy
}

/** A token goes with the preview whose page it came from. */
function positionAfter(paging: Paging, previewId: number): number | undefined {
  const after = pageAfter(paging)
  if (after === undefined) return undefined
  const [id, position] = after.split('/', 2).map(Number)
  if (id !== previewId || !Number.isSafeInteger(position))
    throw invalidParameter('nextToken', 'Invalid pagination token')
  return position
}

/** Results of the images asked for, in the order of the preview; images that it does not touch have none. */
async function findResults(
  view: MetadataReader,
  { id, repositoryId }: LifecyclePreview,
  imageIds: readonly ImageId[],
  tagStatus: TagStatus,
): Promise<readonly LifecyclePreviewResult[]> {
  const digests = new Set<Digest>()
  for (const { digest, tag } of imageIds) {
    const found = tag === undefined ? digest : (await view.images.find(repositoryId, { tag }))?.digest
    if (found !== undefined && (digest === undefined || digest === found)) digests.add(found)
  }
  const results = await view.lifecycle.findPreviewResults(id, [...digests])
  return results.filter(({ tags }) => tagStatus === 'ANY' || (tagStatus === 'TAGGED') === tags.length > 0)
}
