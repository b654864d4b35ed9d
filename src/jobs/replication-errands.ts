import { isRegistryError } from '../domain/errors.ts'
import { type Registry, type RepositoryRef, sameRegistry, type Tag } from '../domain/names.ts'
import { destinationsOf } from '../domain/replication/configuration.ts'
import { type ReplicationFailure, waitAfterAttempt } from '../domain/replication/replication.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { tellNotReplicated } from '../services/images/image-events.ts'
import { type ReplicationRoute, TagsMoved } from '../services/replication/local-replication.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { PendingReplication } from '../stores/replication.ts'
import type { PendingDeletion } from '../stores/replication-deletions.ts'
import type { DestinationRests } from './destination-rests.ts'
import { type Lease, LeaseLost } from './lease.ts'
import { failureOf, isFinal, isUnreachable } from './replication-failure.ts'

/** One thing that is to be done at another registry. */
export type Errand =
  | { readonly kind: 'copy'; readonly pending: PendingReplication }
  | { readonly kind: 'deletion'; readonly pending: PendingDeletion }

/** What became of it; `undefined`: there was nothing to be done, or there is something else to be done by now. */
export type Outcome = 'copied' | 'deleted' | 'failed' | 'postponed' | undefined

export interface ErrandParts {
  readonly metadata: MetadataStore
  readonly routeTo: (destination: Registry) => ReplicationRoute
  /** Whether the destination is a registry of this installation, which then hears of failures. */
  readonly isHere: (destination: Registry) => boolean
  readonly rests: DestinationRests
  readonly lease: Lease
  readonly clock: Clock
  readonly logger: Logger
  /** How long after it was asked for something is given up that could still succeed. */
  readonly patienceMs: number
  readonly deletes: boolean
}

/** Something else was asked for meanwhile, or the image is gone. */
class Obsolete extends Error {
  override readonly name = 'Obsolete'
}

/** What waits for a registry that rests comes a moment after it, so that it does not keep others from going first. */
const AFTER_REST_MS = 1_000

/** Does errands one by one, and writes down what became of each. */
export class ReplicationErrands {
  readonly #parts: ErrandParts

  constructor(parts: ErrandParts) {
    this.#parts = parts
  }

  /** Throws what is nobody's failure: the process ends, or another one does this by now. */
  async do(errand: Errand, signal: AbortSignal): Promise<Outcome> {
    const { destination } = errand.pending
    const begunMs = this.#nowMs()
    try {
      if (!(await this.#isWanted(errand))) {
        await this.#withdraw(errand)
        return undefined
      }
      const outcome =
        errand.kind === 'copy' ? await this.#copy(errand.pending, signal) : await this.#remove(errand.pending, signal)
      this.#parts.rests.end(destination, begunMs)
      return outcome
    } catch (error) {
      if (error instanceof Obsolete) return undefined
      if (signal.aborted || error instanceof LeaseLost || !(error instanceof Error)) throw error
      return await this.#judge(errand, error)
    }
  }

  /** Whether the registry is still configured to replicate there. */
  async #isWanted({ kind, pending: { ref, destination } }: Errand): Promise<boolean> {
    if (kind === 'deletion' && !this.#parts.deletes) return false
    const configuration = await this.#parts.metadata.view.replications.findConfiguration(ref.registry)
    if (configuration === undefined) return false
    return destinationsOf(configuration, ref.name).some((one) => sameRegistry(one, destination))
  }

  async #withdraw({ kind, pending }: Errand): Promise<void> {
    await this.#parts.metadata.transact(async (tx) => {
      await this.#parts.lease.prove(tx)
      if (kind === 'copy') await tx.replications.withdraw(pending.id, pending.revision)
      else await tx.replicationDeletions.drop(pending.id)
    })
  }

  async #copy(pending: PendingReplication, signal: AbortSignal): Promise<Outcome> {
    let droppedTags: readonly Tag[] | undefined
    const end = async (tx: MetadataWriter, dropped: readonly Tag[]) => {
      droppedTags = dropped
      await this.#end(tx, pending, dropped.length === 0 ? undefined : tagsTaken(dropped))
    }
    await this.#parts.routeTo(pending.destination).copy(pending, { prove: () => this.#prove(), end }, signal)
    if (droppedTags !== undefined) return droppedTags.length === 0 ? 'copied' : 'failed'
    // The image is gone, and this with it; what is not stays for later.
    await this.#putOff({ kind: 'copy', pending }, GONE, this.#nowMs() + waitAfterAttempt(pending.attempts + 1))
    return undefined
  }

  async #remove(pending: PendingDeletion, signal: AbortSignal): Promise<Outcome> {
    const end = async (tx: MetadataWriter) => {
      await this.#parts.lease.prove(tx)
      await tx.replicationDeletions.drop(pending.id)
    }
    await this.#parts.routeTo(pending.destination).remove(pending, { prove: () => this.#prove(), end }, signal)
    return 'deleted'
  }

  async #judge(errand: Errand, error: Error): Promise<Outcome> {
    const { rests, logger, patienceMs } = this.#parts
    const { destination, requestedAt, attempts } = errand.pending
    const nowMs = this.#nowMs()
    const failure = failureOf(error)
    if (error instanceof TagsMoved) return this.#putOff(errand, failure, nowMs)
    const isOver = nowMs - requestedAt.getTime() >= patienceMs
    if (isUnreachable(error)) {
      const restsUntilMs = rests.begin(destination, error, nowMs)
      if (isOver) return this.#fail(errand, failure)
      const ownMs = nowMs + waitAfterAttempt(attempts + 1)
      return this.#putOff(errand, failure, Math.max(ownMs, restsUntilMs + AFTER_REST_MS))
    }
    if (isFinal(error) || isOver) return this.#fail(errand, failure)
    if (!isRegistryError(error)) logger.error({ job: 'replication', error }, 'replication failed, and is tried again')
    return this.#putOff(errand, failure, nowMs + waitAfterAttempt(attempts + 1))
  }

  async #putOff({ kind, pending: { id } }: Errand, failure: ReplicationFailure, dueMs: number): Promise<Outcome> {
    const dueAt = new Date(dueMs)
    await this.#parts.metadata.transact(async (tx) => {
      await this.#parts.lease.prove(tx)
      if (kind === 'copy') await tx.replications.postpone(id, dueAt, failure)
      else await tx.replicationDeletions.postpone(id, dueAt, failure)
    })
    return 'postponed'
  }

  async #fail(errand: Errand, failure: ReplicationFailure): Promise<Outcome> {
    const { metadata, clock, isHere, lease } = this.#parts
    const { ref, destination } = errand.pending
    const digest = errand.kind === 'copy' ? errand.pending.image.digest : errand.pending.digest
    const facts = { repository: ref.name, digest, to: `${destination.registryId}/${destination.region}`, ...failure }
    const what = errand.kind === 'copy' ? 'image could not be replicated' : 'deletion could not be replicated'
    this.#parts.logger.warn({ job: 'replication', ...facts }, what)
    const target: RepositoryRef = { registry: destination, name: ref.name }
    try {
      await metadata.transact(async (tx) => {
        const now = clock.now()
        if (errand.kind === 'deletion') {
          await lease.prove(tx)
          return tx.replicationDeletions.fail(errand.pending.id, now, failure)
        }
        const { pending } = errand
        await this.#end(tx, pending, failure)
        if (isHere(destination))
          await tellNotReplicated(tx, target, ref.registry, pending.image.digest, pending.tags, now)
      })
      return 'failed'
    } catch (thrown) {
      if (thrown instanceof Obsolete) return undefined
      throw thrown
    }
  }

  async #end(tx: MetadataWriter, { id, revision }: PendingReplication, failure?: ReplicationFailure): Promise<void> {
    await this.#parts.lease.prove(tx)
    if (!(await tx.replications.end(id, revision, this.#parts.clock.now(), failure)))
      throw new Obsolete('There is nothing left to be copied.')
  }

  async #prove(): Promise<void> {
    await this.#parts.metadata.transact((tx) => this.#parts.lease.prove(tx), { durability: 'relaxed' })
  }

  #nowMs(): number {
    return this.#parts.clock.now().getTime()
  }
}

const GONE: ReplicationFailure = { code: 'ImageNotFound', reason: 'The image is not there.' }

function tagsTaken(tags: readonly Tag[]): ReplicationFailure {
  const reason = `The image has arrived without the tags ${tags.join(', ')}, which are taken there and immutable.`
  return { code: 'ImageTagAlreadyExists', reason }
}
