import type { Digest } from '../../domain/digest.ts'
import type { Image } from '../../domain/image.ts'
import { imageFailure } from '../../domain/image-failure.ts'
import type { LifecycleDecision } from '../../domain/lifecycle/evaluate.ts'
import type { LifecycleActed, LifecycleFailure } from '../../domain/lifecycle/run.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import type { Clock } from '../../lib/clock.ts'
import type { LifecyclePolicy } from '../../stores/lifecycle.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import { deleteUnlessListed, type TellElsewhere } from '../images/image-deletion.ts'
import { tellArchived } from '../images/image-events.ts'
import { archiveFamily, referrersOf } from '../images/image-family.ts'
import type { DeletionReplication } from '../replication/deletion-replication.ts'

/** How many decisions one transaction executes: few, so that no push waits long behind it. */
const STEP = 20
const PARENTS_NAMED_MAX = 10

/** What became of one decision. */
export type LifecycleOutcome =
  | { readonly kind: 'done'; readonly acted: LifecycleActed; readonly followedCount: number }
  | { readonly kind: 'failed'; readonly failure: LifecycleFailure }
  | { readonly kind: 'changed' }

/** Executes decisions beside traffic, in small transactions of which each holds what it does against the present state. */
export class LifecycleExecution {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #elsewhere: TellElsewhere

  /** `replication`: by which copies elsewhere go, too. */
  constructor(metadata: MetadataStore, clock: Clock, replication?: DeletionReplication) {
    this.#metadata = metadata
    this.#clock = clock
    this.#elsewhere = async (tx, ref, image, gone) => {
      await replication?.request(tx, ref, image, gone, 'expired')
    }
  }

  /**
   * Yields the outcomes of one transaction after the other, until all decisions are executed or the policy was replaced or
   * deleted. `guard` runs in each transaction, before anything is done, and stops it all by throwing. Nobody was promised
   * an expiry, so none waits for the disk.
   */
  async *execute(
    ref: RepositoryRef,
    policy: LifecyclePolicy,
    decisions: readonly LifecycleDecision[],
    guard: (tx: MetadataWriter) => Promise<void>,
  ): AsyncGenerator<readonly LifecycleOutcome[]> {
    for (let from = 0; from < decisions.length; from += STEP) {
      const step = decisions.slice(from, from + STEP)
      const outcomes = await this.#metadata.transact(
        async (tx) => {
          await guard(tx)
          const present = await tx.lifecycle.findPolicy(policy.repositoryId)
          if (present?.policyId !== policy.policyId) return undefined
          const done: LifecycleOutcome[] = []
          for (const decision of step) done.push(await this.#executeOne(tx, ref, policy.repositoryId, decision))
          return done
        },
        { durability: 'relaxed' },
      )
      if (outcomes === undefined) return
      yield outcomes
    }
  }

  async #executeOne(
    tx: MetadataWriter,
    ref: RepositoryRef,
    repositoryId: number,
    decision: LifecycleDecision,
  ): Promise<LifecycleOutcome> {
    const image = await tx.images.find(repositoryId, { digest: decision.image.digest })
    if (image === undefined) return { kind: 'changed' }
    const tags = await tx.images.tagsOf(image.id)
    if (!isAsDecided(decision, image, tags)) return { kind: 'changed' }
    const acted = { digest: image.digest, tags, action: decision.action, rulePriority: decision.rule.priority }
    const { subject } = image
    if (tags.length === 0 && subject !== undefined) {
      const isHeld = (await tx.images.find(repositoryId, { digest: subject })) !== undefined
      if (isHeld)
        return failed(acted, 'ImageRefersToImage', `The image goes with the one that it refers to: [${subject}]`)
    }
    return decision.action === 'expire' ? this.#expire(tx, ref, image, acted) : this.#archive(tx, ref, image, acted)
  }

  async #expire(
    tx: MetadataWriter,
    ref: RepositoryRef,
    image: Image,
    acted: LifecycleActed & { readonly tags: readonly Tag[] },
  ): Promise<LifecycleOutcome> {
    const parents = await deleteUnlessListed(tx, ref, image, acted.tags, this.#clock.now(), this.#elsewhere)
    if (parents.length > 0) return listed(acted, parents)
    const followedCount = await this.#expireReferrers(tx, ref, image)
    return { kind: 'done', acted, followedCount }
  }

  /** What refers to an expired image goes with it, and so on; what an index lists stays with that. */
  async #expireReferrers(tx: MetadataWriter, ref: RepositoryRef, subject: Image): Promise<number> {
    let count = 0
    for (const referrer of await referrersOf(tx, subject)) {
      const tags = await tx.images.tagsOf(referrer.id)
      const parents = await deleteUnlessListed(tx, ref, referrer, tags, this.#clock.now(), this.#elsewhere)
      if (parents.length === 0) count += 1 + (await this.#expireReferrers(tx, ref, referrer))
    }
    return count
  }

  async #archive(
    tx: MetadataWriter,
    ref: RepositoryRef,
    image: Image,
    acted: LifecycleActed,
  ): Promise<LifecycleOutcome> {
    const parents = await tx.images.livingParentsOf(image.repositoryId, image.digest, PARENTS_NAMED_MAX)
    if (parents.length > 0) return listed(acted, parents)
    const now = this.#clock.now()
    const archived = await archiveFamily(tx, image, now)
    await tellArchived(tx, ref, archived, now)
    return { kind: 'done', acted, followedCount: archived.length - 1 }
  }
}

/** Whether the image is still what the rule was held against: who tagged or pulled it meanwhile did so in good faith. */
function isAsDecided({ image: seen, rule }: LifecycleDecision, image: Image, tags: readonly Tag[]): boolean {
  return (
    image.id === seen.id &&
    image.status === seen.status &&
    image.archivedAt?.getTime() === seen.archivedAtMs &&
    image.activatedAt?.getTime() === seen.activatedAtMs &&
    tags.length === seen.tags.length &&
    tags.every((tag) => seen.tags.includes(tag)) &&
    (rule.limit.countType !== 'sinceImagePulled' || image.pulledAt?.getTime() === seen.pulledAtMs)
  )
}

function listed(acted: LifecycleActed, parents: readonly Digest[]): LifecycleOutcome {
  const { code, reason } = imageFailure({}, 'ImageReferencedByManifestList', parents)
  return failed(acted, code, reason)
}

function failed(acted: LifecycleActed, code: string, reason: string): LifecycleOutcome {
  return { kind: 'failed', failure: { ...acted, code, reason } }
}
