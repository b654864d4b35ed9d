import { isRegistryError } from '../domain/errors.ts'
import type { Registry, RepositoryRef, Tag } from '../domain/names.ts'
import { type ReplicationFailure, waitAfterAttempt } from '../domain/replication/replication.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import { tellNotReplicated } from '../services/image-events.ts'
import { type ReplicationRoute, TagsMoved } from '../services/local-replication.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { PendingReplication } from '../stores/replication.ts'
import { Lease, LeaseLost } from './lease.ts'
import { failureOf, isFinal, isUnreachable } from './replication-failure.ts'
import type { Job } from './runner.ts'

/** How many copies for one destination are looked up at once. */
const STEP = 32
/** How many repositories are copied to one destination at once. */
const REPOSITORIES_AT_ONCE = 4

export interface ReplicationReport {
  readonly copied: number
  readonly failed: number
  /** To be tried again later. */
  readonly postponed: number
  readonly tookMs: number
}

export interface ReplicationSettings {
  /** Names this process among those that share the store. */
  readonly holder: string
  /** How long after it was asked for a copy is given up that could still succeed. */
  readonly patienceMs: number
  /** Leases go by it; the registry's own clock otherwise. */
  readonly leaseClock?: Clock | undefined
}

/** Something else was asked for meanwhile, or the image is gone. */
class Obsolete extends Error {
  override readonly name = 'Obsolete'
}

type Outcome = 'copied' | 'failed' | 'postponed' | 'unreachable' | undefined

/**
 * Makes the copies that pushes have asked for. Each stands in the store as asked for until the transaction that ends it, so
 * that what broke off is made again. Destinations do not wait for each other; the copies of one repository to one
 * destination are made one after the other, which is what keeps tags in order.
 */
export class ReplicationJob implements Job<ReplicationReport> {
  readonly name = 'replication'
  readonly #metadata: MetadataStore
  readonly #routeTo: (destination: Registry) => ReplicationRoute
  readonly #isHere: (destination: Registry) => boolean
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #lease: Lease
  readonly #patienceMs: number
  readonly #rests = new Map<string, { readonly untilMs: number; readonly failures: number }>()
  #wake: (() => void) | undefined
  #isRung = false

  /** `isHere`: whether the destination is a registry of this installation, which then hears of failures. */
  constructor(
    metadata: MetadataStore,
    routeTo: (destination: Registry) => ReplicationRoute,
    isHere: (destination: Registry) => boolean,
    clock: Clock,
    logger: Logger,
    { holder, patienceMs, leaseClock = clock }: ReplicationSettings,
  ) {
    this.#metadata = metadata
    this.#routeTo = routeTo
    this.#isHere = isHere
    this.#clock = clock
    this.#logger = logger
    this.#lease = new Lease(metadata, leaseClock, this.name, holder)
    this.#patienceMs = patienceMs
  }

  async isDue(): Promise<boolean> {
    return (await this.#dueDestinations()).length > 0
  }

  /** Without those that could not be reached a while ago. */
  async #dueDestinations(): Promise<readonly Registry[]> {
    const now = this.#clock.now()
    const due = await this.#metadata.view.replications.dueDestinations(now)
    return due.filter((destination) => (this.#rests.get(keyOf(destination))?.untilMs ?? 0) <= now.getTime())
  }

  /** One that cannot be reached is left alone for a while, with everything that is to go there. */
  #rest(destination: Registry, error: Error): void {
    const { failures = 0 } = this.#rests.get(keyOf(destination)) ?? {}
    const asked = isRegistryError(error) ? Number(error.details.retryAfterMs ?? 0) : 0
    const waitMs = Math.max(waitAfterAttempt(failures + 1), asked)
    const untilMs = this.#clock.now().getTime() + waitMs
    this.#rests.set(keyOf(destination), { untilMs, failures: failures + 1 })
  }

  /** Something was asked for: a run that is under way looks for it. */
  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  async run(signal: AbortSignal): Promise<ReplicationReport> {
    const startedAtMs = performance.now()
    const counts = { copied: 0, failed: 0, postponed: 0 }
    await this.#lease.hold(async () => {
      const heartbeat = setInterval(() => this.#keepLease(), LEASE_KEPT_EVERY_MS)
      try {
        await this.#runAll(counts, signal)
      } finally {
        clearInterval(heartbeat)
      }
    })
    return { ...counts, tookMs: Math.round(performance.now() - startedAtMs) }
  }

  summary(report: ReplicationReport): LogFacts {
    return { ...report }
  }

  /** One worker for each destination, for as long as there is something to be copied to it. */
  async #runAll(counts: Counts, signal: AbortSignal): Promise<void> {
    const workers = new Map<string, Promise<void>>()
    const failures: unknown[] = []
    for (;;) {
      this.#isRung = false
      if (failures.length === 0 && !signal.aborted)
        for (const destination of await this.#dueDestinations()) {
          const key = keyOf(destination)
          if (workers.has(key)) continue
          const worker = this.#serve(destination, counts, signal).catch((thrown: unknown) => failures.push(thrown))
          workers.set(
            key,
            worker.then(() => void workers.delete(key)),
          )
        }
      if (workers.size === 0) break
      const rung = new Promise<void>((resolve) => {
        this.#wake = resolve
        if (this.#isRung) resolve()
      })
      await Promise.race([...workers.values(), rung])
    }
    this.#wake = undefined
    if (failures.length > 0) throw failures[0]
    signal.throwIfAborted()
  }

  async #serve(destination: Registry, counts: Counts, signal: AbortSignal): Promise<void> {
    const isDone = new Set<string>()
    for (;;) {
      const due = await this.#metadata.view.replications.listDue(destination, this.#clock.now(), STEP)
      // What could neither be ended nor postponed is left to the next run.
      const fresh = due.filter(({ id, revision }) => !isDone.has(`${id}/${revision}`))
      if (fresh.length === 0) return
      const groups = [...Map.groupBy(fresh, ({ image }) => image.repositoryId).values()]
      let isUnreachableNow = false
      const workOff = async () => {
        for (let group = groups.shift(); group !== undefined; group = groups.shift())
          for (const pending of group) {
            signal.throwIfAborted()
            if (isUnreachableNow) return
            isDone.add(`${pending.id}/${pending.revision}`)
            const outcome = await this.#copy(pending, signal)
            if (outcome === 'unreachable') isUnreachableNow = true
            if (outcome !== undefined) counts[outcome === 'unreachable' ? 'postponed' : outcome]++
          }
      }
      await Promise.all(Array.from({ length: REPOSITORIES_AT_ONCE }, workOff))
      if (isUnreachableNow) return
    }
  }

  async #copy(pending: PendingReplication, signal: AbortSignal): Promise<Outcome> {
    try {
      let droppedTags: readonly Tag[] | undefined
      await this.#routeTo(pending.destination).copy(
        pending,
        async (tx, dropped) => {
          droppedTags = dropped
          await this.#end(tx, pending, dropped.length === 0 ? undefined : tagsTaken(dropped))
        },
        signal,
      )
      this.#rests.delete(keyOf(pending.destination))
      if (droppedTags === undefined) return undefined
      return droppedTags.length === 0 ? 'copied' : 'failed'
    } catch (error) {
      if (error instanceof Obsolete) return undefined
      if (signal.aborted || error instanceof LeaseLost || !(error instanceof Error)) throw error
      if (error instanceof TagsMoved) return await this.#postpone(pending, error, this.#clock.now())
      const isOver = this.#clock.now().getTime() - pending.requestedAt.getTime() >= this.#patienceMs
      if (isFinal(error) || isOver) return await this.#fail(pending, error)
      const waitMs = waitAfterAttempt(pending.attempts + 1)
      const outcome = await this.#postpone(pending, error, new Date(this.#clock.now().getTime() + waitMs))
      if (!isUnreachable(error)) return outcome
      this.#rest(pending.destination, error)
      return 'unreachable'
    }
  }

  async #postpone(pending: PendingReplication, error: Error, dueAt: Date): Promise<Outcome> {
    if (!isRegistryError(error) && !(error instanceof TagsMoved) && !isUnreachable(error))
      this.#logger.error({ job: this.name, error }, 'image could not be replicated, and is tried again')
    await this.#metadata.transact(async (tx) => {
      await this.#lease.prove(tx)
      await tx.replications.postpone(pending.id, dueAt, failureOf(error))
    })
    return 'postponed'
  }

  async #fail(pending: PendingReplication, error: Error): Promise<Outcome> {
    const { ref, image, destination } = pending
    const failure = failureOf(error)
    const target: RepositoryRef = { registry: destination, name: ref.name }
    const facts = {
      repository: ref.name,
      digest: image.digest,
      to: `${destination.registryId}/${destination.region}`,
      ...failure,
    }
    this.#logger.warn({ job: this.name, ...facts }, 'image could not be replicated')
    try {
      await this.#metadata.transact(async (tx) => {
        await this.#end(tx, pending, failure)
        if (this.#isHere(destination))
          await tellNotReplicated(tx, target, ref.registry, image.digest, pending.tags, this.#clock.now())
      })
      return 'failed'
    } catch (thrown) {
      if (thrown instanceof Obsolete) return undefined
      throw thrown
    }
  }

  async #end(tx: MetadataWriter, { id, revision }: PendingReplication, failure?: ReplicationFailure): Promise<void> {
    await this.#lease.prove(tx)
    if (!(await tx.replications.end(id, revision, this.#clock.now(), failure)))
      throw new Obsolete('There is nothing left to be copied.')
  }

  /** A transfer may take longer than a lease lasts. Who has lost it finds out when he ends the copy. */
  #keepLease(): void {
    this.#metadata.transact((tx) => this.#lease.prove(tx), { durability: 'relaxed' }).catch(() => undefined)
  }
}

function keyOf({ registryId, region }: Registry): string {
  return `${registryId}/${region}`
}

type Counts = { copied: number; failed: number; postponed: number }

const LEASE_KEPT_EVERY_MS = 20_000

function tagsTaken(tags: readonly Tag[]): ReplicationFailure {
  const reason = `The image has arrived without the tags ${tags.join(', ')}, which are taken there and immutable.`
  return { code: 'ImageTagAlreadyExists', reason }
}
