import type { Clock } from '../lib/clock.ts'
import { Gate } from '../lib/gate.ts'
import type { LogFacts } from '../lib/logger.ts'
import type { Uploads } from '../services/images/uploads.ts'
import type { BlobStore } from '../stores/blobs.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { Pace } from './pace.ts'
import type { Job } from './runner.ts'

/** How many records one step handles: few, so that no request waits long behind it. */
const STEP = 100

export interface GcSettings {
  /** How long content that nothing needs is kept, so that a push in flight finds what it was told is there. */
  readonly graceMs: number
  /** How long an upload may lie untouched. */
  readonly uploadExpiryMs: number
}

export interface GcReport {
  readonly isDryRun: boolean
  /** Layers taken out of repositories in which no image needs them. */
  readonly unlinkedLayers: number
  readonly deletedBlobs: number
  readonly freedBytes: number
  readonly expiredUploads: number
  /** Files without any record, left by a crash, that were taken up for deletion. */
  readonly orphanedFiles: number
  readonly tookMs: number
}

/** What is swept, and by which time. */
export interface GarbageCollectorParts {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly uploads: Uploads
  readonly clock: Clock
  /** Whoever holds it keeps every blob where it is. */
  readonly deletion?: Gate
}

/**
 * Garbage collection beside traffic, in small steps: what deleted repositories held, abandoned uploads, layers that no
 * image needs, blobs that no repository links. Each step is a transaction of its own, so a run may break off anywhere and
 * the next one goes on. Bytes go only after their record was marked durably (see BlobWriter).
 */
export class GarbageCollector implements Job<GcReport> {
  readonly name = 'gc'
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #uploads: Uploads
  readonly #clock: Clock
  readonly #settings: GcSettings
  readonly #deletion: Gate

  constructor(parts: GarbageCollectorParts, settings: GcSettings) {
    this.#metadata = parts.metadata
    this.#blobs = parts.blobs
    this.#uploads = parts.uploads
    this.#clock = parts.clock
    this.#settings = settings
    this.#deletion = parts.deletion ?? new Gate()
  }

  async run(signal: AbortSignal): Promise<GcReport> {
    const startedAt = this.#clock.now().getTime()
    const before = new Date(startedAt - this.#settings.graceMs)
    const pace = new Pace(signal)
    await this.#purgeDeletedRepositories(pace)
    const expiredUploads = await this.#expireUploads(new Date(startedAt - this.#settings.uploadExpiryMs), pace)
    const orphanedFiles = await this.#adoptOrphans(before, pace)
    const unlinkedLayers = await this.#unlinkUnused(before, pace)
    const { deletedBlobs, freedBytes } = await this.#sweep(before, pace)
    const tookMs = this.#clock.now().getTime() - startedAt
    return { isDryRun: false, unlinkedLayers, deletedBlobs, freedBytes, expiredUploads, orphanedFiles, tookMs }
  }

  summary(report: GcReport): LogFacts {
    return { ...report }
  }

  /** What a run would do now, without doing it. What deleted repositories still hold is not in the account. */
  async dryRun(): Promise<GcReport> {
    const startedAt = this.#clock.now().getTime()
    const before = new Date(startedAt - this.#settings.graceMs)
    const freeable = await this.#metadata.view.blobs.freeable(before)
    const staleUploads = await this.#metadata.view.uploads.countStale(
      new Date(startedAt - this.#settings.uploadExpiryMs),
    )
    let orphanedFiles = 0
    for await (const blob of this.#blobs.list())
      if (blob.storedAt < before && !(await this.#metadata.view.blobs.exists(blob))) orphanedFiles++
    return {
      isDryRun: true,
      unlinkedLayers: freeable.linkCount,
      deletedBlobs: freeable.blobCount,
      freedBytes: freeable.sizeBytes,
      expiredUploads: staleUploads,
      orphanedFiles,
      tookMs: this.#clock.now().getTime() - startedAt,
    }
  }

  async #purgeDeletedRepositories(pace: Pace): Promise<void> {
    const purge = () => this.#metadata.transact((tx) => tx.repositories.purgeDeleted(STEP), { durability: 'relaxed' })
    while ((await purge()) > 0) await pace.rest()
  }

  async #expireUploads(before: Date, pace: Pace): Promise<number> {
    let expired = 0
    for (;;) {
      const step = await this.#uploads.expire(before, STEP)
      if (step === 0) break
      expired += step
      await pace.rest()
    }
    for await (const { key, touchedAt } of this.#blobs.listUploads()) {
      if (touchedAt >= before || (await this.#metadata.view.uploads.hasKey(key))) continue
      await this.#blobs.abort(key)
      expired++
    }
    return expired
  }

  /** Gives files that no record knows a record, dead since they were written: the sweep then treats them as any other. */
  async #adoptOrphans(before: Date, pace: Pace): Promise<number> {
    let adopted = 0
    let seen = 0
    for await (const blob of this.#blobs.list()) {
      if (++seen % STEP === 0) await pace.rest()
      const { storedAt, sizeBytes } = blob
      if (storedAt >= before || (await this.#metadata.view.blobs.exists(blob))) continue
      const isAdopted = await this.#metadata.transact((tx) => tx.blobs.adopt(blob, sizeBytes, storedAt), {
        durability: 'relaxed',
      })
      if (isAdopted) adopted++
    }
    return adopted
  }

  async #unlinkUnused(before: Date, pace: Pace): Promise<number> {
    let unlinked = 0
    for (;;) {
      const links = await this.#metadata.view.blobs.listUnusedLinks(before, STEP)
      if (links.length === 0) return unlinked
      unlinked += await this.#metadata.transact(
        async (tx) => {
          let removed = 0
          for (const { repositoryId, digest } of links)
            if (await tx.blobs.unlinkUnused(repositoryId, digest, before)) removed++
          return removed
        },
        { durability: 'relaxed' },
      )
      await pace.rest()
    }
  }

  /** Breaks off, and leaves the rest to the next run, when somebody holds what is to be deleted. */
  async #sweep(before: Date, pace: Pace): Promise<Swept> {
    let deletedBlobs = 0
    let freedBytes = 0
    for (;;) {
      const swept = await this.#deletion.pass(() => this.#sweepStep(before))
      deletedBlobs += swept?.deletedBlobs ?? 0
      freedBytes += swept?.freedBytes ?? 0
      if (swept === undefined || swept.isLast) return { deletedBlobs, freedBytes }
      await pace.rest()
    }
  }

  async #sweepStep(before: Date): Promise<Swept & { readonly isLast: boolean }> {
    const dead = await this.#metadata.view.blobs.listDead(before, STEP)
    if (dead.length === 0) return { deletedBlobs: 0, freedBytes: 0, isLast: true }
    // Durable before the first byte goes: after a power loss no older record may come back and name lost bytes.
    const marked = await this.#metadata.transact(async (tx) => {
      const taken: (typeof dead)[number][] = []
      for (const blob of dead) if (await tx.blobs.mark(blob, before)) taken.push(blob)
      return taken
    })
    for (const blob of marked) await this.#blobs.delete(blob)
    await this.#metadata.transact(
      async (tx) => {
        for (const blob of marked) await tx.blobs.forget(blob)
      },
      { durability: 'relaxed' },
    )
    const freedBytes = marked.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)
    return { deletedBlobs: marked.length, freedBytes, isLast: false }
  }
}

interface Swept {
  readonly deletedBlobs: number
  readonly freedBytes: number
}
