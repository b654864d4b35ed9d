import type { Registry } from '../domain/names.ts'
import type { ReplicatedDeletions } from '../domain/replication/deletions.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { ReplicationRoute } from '../services/replication/local-replication.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { repositoryKey } from '../stores/replication-deletions.ts'
import { DestinationRests } from './destination-rests.ts'
import { Lease } from './lease.ts'
import { type Errand, ReplicationErrands } from './replication-errands.ts'
import type { Job } from './runner.ts'

/** How many errands to one destination are looked up at once. */
const STEP = 32
/** In how many repositories of one destination something is done at once. */
const REPOSITORIES_AT_ONCE = 4
const LEASE_KEPT_EVERY_MS = 20_000
const PRUNED_EVERY_MS = 3_600_000
const KEPT_MS = 7 * 24 * 3_600_000

export interface ReplicationReport {
  readonly copied: number
  readonly deleted: number
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
  /** Which deletions are made elsewhere, too. */
  readonly deletions: ReplicatedDeletions
  /** Leases go by it; the registry's own clock otherwise. */
  readonly leaseClock?: Clock | undefined
}

type Counts = { copied: number; deleted: number; failed: number; postponed: number }

/** What copies are made by. */
export interface ReplicationParts {
  readonly metadata: MetadataStore
  routeTo(destination: Registry): ReplicationRoute
  /** Whether the destination is a registry of this installation, which then hears of failures. */
  isHere(destination: Registry): boolean
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Makes the copies that pushes have asked for, and the deletions. Each stands in the store as asked for until the
 * transaction that ends it, so that what broke off is done again. What concerns one repository is done at one destination
 * one after the other, which is what keeps tags in order; neither destinations nor repositories wait for each other.
 */
export class ReplicationJob implements Job<ReplicationReport> {
  readonly name = 'replication'
  readonly #metadata: MetadataStore
  readonly #errands: ReplicationErrands
  readonly #rests = new DestinationRests()
  readonly #clock: Clock
  readonly #lease: Lease
  #prunedAtMs = 0
  #wake: (() => void) | undefined
  #isRung = false

  constructor(
    parts: ReplicationParts,
    { holder, patienceMs, deletions, leaseClock = parts.clock }: ReplicationSettings,
  ) {
    const { metadata, routeTo, isHere, clock, logger } = parts
    this.#metadata = metadata
    this.#clock = clock
    this.#lease = new Lease(metadata, leaseClock, this.name, holder)
    this.#errands = new ReplicationErrands({
      ...{ metadata, routeTo, isHere, rests: this.#rests, lease: this.#lease, clock, logger, patienceMs },
      deletes: deletions !== 'off',
    })
  }

  async isDue(): Promise<boolean> {
    for (const destination of await this.#reachable()) if ((await this.#due(destination, 1, [])).length > 0) return true
    return false
  }

  /** Something was asked for: a run that is under way looks for it. */
  ring(): void {
    this.#isRung = true
    this.#wake?.()
  }

  async run(signal: AbortSignal): Promise<ReplicationReport> {
    const startedAtMs = performance.now()
    const counts = { copied: 0, deleted: 0, failed: 0, postponed: 0 }
    await this.#lease.hold(async () => {
      const heartbeat = setInterval(() => this.#keepLease(), LEASE_KEPT_EVERY_MS)
      try {
        await this.#prune()
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

  /** Goes on as long as there is something to be done anywhere. */
  async #runAll(counts: Counts, signal: AbortSignal): Promise<void> {
    const underWay = new Map<string, Promise<void>>()
    const failures: unknown[] = []
    for (;;) {
      this.#isRung = false
      if (failures.length === 0 && !signal.aborted)
        for (const destination of await this.#reachable())
          await this.#occupy(destination, underWay, (work) =>
            this.#work(destination, work, counts, signal).catch((thrown: unknown) => void failures.push(thrown)),
          )
      if (underWay.size === 0) break
      const rung = new Promise<void>((resolve) => {
        this.#wake = resolve
        if (this.#isRung) resolve()
      })
      await Promise.race([...underWay.values(), rung])
    }
    this.#wake = undefined
    if (failures.length > 0) throw failures[0]
    signal.throwIfAborted()
  }

  /** Begins work in as many repositories as there is room for. */
  async #occupy(
    destination: Registry,
    underWay: Map<string, Promise<void>>,
    begin: (work: readonly Errand[]) => Promise<void>,
  ): Promise<void> {
    const prefix = `${destination.registryId}/${destination.region} `
    for (;;) {
      const busy = [...underWay.keys()].filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length))
      if (busy.length >= REPOSITORIES_AT_ONCE) return
      const due = await this.#due(destination, STEP, busy)
      const [first] = due.toSorted((a, b) => a.pending.requestedAt.getTime() - b.pending.requestedAt.getTime())
      if (first === undefined) return
      const repository = repositoryKey(first.pending.ref)
      const work = begin(due.filter(({ pending }) => repositoryKey(pending.ref) === repository))
      const key = `${prefix}${repository}`
      underWay.set(
        key,
        work.finally(() => underWay.delete(key)),
      )
    }
  }

  async #work(destination: Registry, work: readonly Errand[], counts: Counts, signal: AbortSignal): Promise<void> {
    for (const errand of work) {
      signal.throwIfAborted()
      if (this.#rests.isResting(destination, this.#clock.now().getTime())) return
      const outcome = await this.#errands.do(errand, signal)
      if (outcome !== undefined) counts[outcome]++
    }
  }

  /** Where something is pending, without those that could not be reached a while ago. */
  async #reachable(): Promise<readonly Registry[]> {
    const nowMs = this.#clock.now().getTime()
    const pending = await this.#metadata.view.replications.pendingDestinations()
    return pending.filter((destination) => !this.#rests.isResting(destination, nowMs))
  }

  async #due(destination: Registry, limit: number, busy: readonly string[]): Promise<readonly Errand[]> {
    const now = this.#clock.now()
    return this.#metadata.read(async ({ replications, replicationDeletions }) => [
      ...(await replications.listDue(destination, now, limit, busy)).map(
        (pending) => ({ kind: 'copy', pending }) as const,
      ),
      ...(await replicationDeletions.listDue(destination, now, limit, busy)).map(
        (pending) => ({ kind: 'deletion', pending }) as const,
      ),
    ])
  }

  /** Forgets deletions that nobody tried again, and transfers that nobody has taken up. */
  async #prune(): Promise<void> {
    const nowMs = this.#clock.now().getTime()
    if (Math.abs(nowMs - this.#prunedAtMs) < PRUNED_EVERY_MS) return
    this.#prunedAtMs = nowMs
    const before = new Date(nowMs - KEPT_MS)
    await this.#metadata.transact(
      async (tx) => {
        await tx.replicationDeletions.prune(before)
        await tx.replicationUploads.prune(before)
      },
      { durability: 'relaxed' },
    )
  }

  /** A transfer may take longer than a lease lasts. Who has lost it finds out when he ends the copy. */
  #keepLease(): void {
    this.#metadata.transact((tx) => this.#lease.prove(tx), { durability: 'relaxed' }).catch(() => undefined)
  }
}
