import { isRegistryError } from '../domain/errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { ImageScanner } from '../services/scanning/image-scanner.ts'
import type { EngineReport } from '../services/scanning/scan-engine.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { PendingScan } from '../stores/scans.ts'
import type { JobRuns } from './job-runs.ts'
import { Lease, LeaseLost } from './lease.ts'
import { Pace } from './pace.ts'
import { type Job, JobRunner } from './runner.ts'
import type { ScanRematch } from './scan-rematch.ts'
import type { ScanRenewal } from './scan-renewal.ts'
import type { ScanSealing } from './scan-sealing.ts'
import type { ScanSweep } from './scan-sweep.ts'
import { WhenDue } from './when-due.ts'

/** How many scans are looked up at once. */
const STEP = 20
/** How many are done at once: while one waits for its layers, the other one's are read. */
const LANES = 2
/** After so many attempts without an end the image is given up: it may be what ends the process. */
const ATTEMPTS_MAX = 3
/** How long a scan waits after an attempt that failed. */
const RETRY_MS = 10_000

export interface ScanReport {
  readonly scanned: number
  readonly failed: number
  /** To be tried again. */
  readonly postponed: number
  /** Newly selected by rules. */
  readonly selected: number
  /** Scanned once more, because the scan by another scanner was a day old. */
  readonly renewed: number
  /** Compared once more, because advisories have changed. */
  readonly compared: number
  /** Images of which something lay in clear, and does no more. */
  readonly sealed: number
  readonly tookMs: number
}

/**
 * Does the scans that pushes and people have asked for. Each stands in the store as asked for until the transaction that
 * records what was found, so that one that broke off is done again.
 */
export class ScanJob implements Job<ScanReport> {
  readonly name = 'scan'
  readonly #metadata: MetadataStore
  readonly #scanner: ImageScanner
  readonly #sweep: ScanSweep
  readonly #rematch: ScanRematch
  readonly #sealing: ScanSealing
  readonly #renewal: ScanRenewal
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #lease: Lease

  /** `clock` is what scans are dated by, `leaseClock` the real one; `holder` names this process among those that share the store. */
  constructor(
    metadata: MetadataStore,
    parts: {
      readonly scanner: ImageScanner
      readonly sweep: ScanSweep
      readonly rematch: ScanRematch
      readonly sealing: ScanSealing
      readonly renewal: ScanRenewal
    },
    logger: Logger,
    settings: {
      readonly clock: Clock
      readonly leaseClock: Clock
      readonly holder: string
    },
  ) {
    this.#metadata = metadata
    this.#scanner = parts.scanner
    this.#sweep = parts.sweep
    this.#rematch = parts.rematch
    this.#sealing = parts.sealing
    this.#renewal = parts.renewal
    this.#logger = logger
    this.#clock = settings.clock
    this.#lease = new Lease(metadata, settings.leaseClock, this.name, settings.holder)
  }

  async isDue(): Promise<boolean> {
    const { scans } = this.#metadata.view
    if ((await scans.listUnfinished(this.#clock.now(), 1)).length > 0) return true
    return (
      this.#sealing.isDue() || this.#renewal.isDue() || (await this.#sweep.isDue()) || (await this.#rematch.isDue())
    )
  }

  async run(signal: AbortSignal): Promise<ScanReport> {
    const startedAt = performance.now()
    const counts = { scanned: 0, failed: 0, postponed: 0, selected: 0, renewed: 0, compared: 0, sealed: 0 }
    await this.#lease.hold(async () => {
      const pace = new Pace(signal)
      const prove = (tx: Parameters<Lease['prove']>[0]) => this.#lease.prove(tx)
      const areRulesNew = await this.#sweep.isDue()
      counts.selected = await this.#sweep.run(pace, prove)
      counts.renewed = await this.#renewal.run(pace, prove)
      await this.#scanQueued(signal, counts)
      counts.compared = await this.#rematch.run(pace, prove, areRulesNew)
      counts.sealed = await this.#sealing.run(pace, prove)
    })
    return { ...counts, tookMs: Math.round(performance.now() - startedAt) }
  }

  summary(report: ScanReport): LogFacts {
    return { ...report }
  }

  async #scanQueued(
    signal: AbortSignal,
    counts: { scanned: number; failed: number; postponed: number },
  ): Promise<void> {
    for (;;) {
      const pending = [...(await this.#metadata.view.scans.listUnfinished(this.#clock.now(), STEP))]
      if (pending.length === 0) return
      const lane = async () => {
        const pace = new Pace(signal)
        for (let one = pending.shift(); one !== undefined; one = pending.shift()) {
          const outcome = await this.#scan(one, signal)
          if (outcome !== undefined) counts[outcome]++
          await pace.rest()
        }
      }
      const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane))
      for (const { status, ...end } of lanes) if (status === 'rejected' && 'reason' in end) throw end.reason
    }
  }

  async #scan(pending: PendingScan, signal: AbortSignal): Promise<'scanned' | 'failed' | 'postponed' | undefined> {
    const { id, image } = pending
    // Still being restored, or archived since: nothing can be read of it now.
    if (image.status === 'ARCHIVED') return this.#forget(pending)
    if (!(await this.#metadata.transact((tx) => tx.scans.begin(id)))) return undefined
    try {
      const report =
        pending.attempts < ATTEMPTS_MAX
          ? await this.#scanner.scan(pending, signal)
          : givenUp('The scan broke off each time; the log of the registry may say why.')
      return report === undefined ? this.#forget(pending) : await this.#record(pending, report)
    } catch (error) {
      if (signal.aborted) await this.#postpone(pending, false, 0)
      if (signal.aborted || error instanceof LeaseLost || !(error instanceof Error)) throw error
      if (isRegistryError(error, 'storage-full')) return this.#postpone(pending, false)
      this.#logger.error(
        { job: this.name, repository: pending.repository.name, digest: image.digest, error },
        'image could not be scanned',
      )
      if (pending.attempts + 1 < ATTEMPTS_MAX) return this.#postpone(pending, true)
      return await this.#record(pending, givenUp('The registry failed to scan the image. Its log has the details.'))
    }
  }

  async #record(pending: PendingScan, report: EngineReport): Promise<'scanned' | 'failed' | undefined> {
    const result = await this.#scanner.record(pending, report, (tx) => this.#lease.prove(tx))
    if (result === undefined) return undefined
    return result.failure === undefined ? 'scanned' : 'failed'
  }

  /** An attempt that counts brings the image nearer to being given up. */
  async #postpone({ id }: PendingScan, isCounted: boolean, waitMs = RETRY_MS): Promise<'postponed'> {
    const dueAt = new Date(this.#clock.now().getTime() + waitMs)
    await this.#metadata.transact((tx) => tx.scans.postpone(id, dueAt, isCounted), { durability: 'relaxed' })
    return 'postponed'
  }

  async #forget({ image }: PendingScan): Promise<undefined> {
    await this.#metadata.transact((tx) => tx.scans.forget(image.id))
    return undefined
  }
}

function givenUp(reason: string): EngineReport {
  return { findings: [], coverage: [], failure: { code: 'engine', reason } }
}

/** Scans as soon as something is to be scanned. */
export class ScanJobs {
  readonly #runner: JobRunner<ScanReport>
  readonly #whenDue: WhenDue

  constructor(job: ScanJob, logger: Logger, runs?: JobRuns) {
    this.#runner = new JobRunner(job, logger, runs)
    this.#whenDue = new WhenDue(
      this.#runner,
      () => job.isDue(),
      (error) => {
        if (error instanceof Error) logger.error({ error }, 'it could not be looked for images to be scanned')
      },
    )
  }

  start(): void {
    this.#whenDue.start()
  }

  /** Something is to be scanned, or advisories have changed. */
  look(): void {
    this.#whenDue.look()
  }

  /** Does every scan that was asked for, and answers when they are done. */
  async scanNow(): Promise<ScanReport> {
    return this.#runner.runNow()
  }

  /** Breaks off what is under way, and waits for it. */
  async close(): Promise<void> {
    // The runner first: a look that is under way waits for the job it began.
    await this.#runner.close()
    await this.#whenDue.close()
  }
}
