import { isRegistryError } from '../domain/errors.ts'
import { rootPrincipal } from '../domain/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { AdvisoryBundles } from '../services/advisories/advisory-bundles.ts'
import type { AdvisoryPush } from '../stores/advisory-pushes.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { JobRuns } from './job-runs.ts'
import { Lease } from './lease.ts'
import { type Job, JobRunner } from './runner.ts'
import { WhenDue } from './when-due.ts'

const STEP = 20
/** After so many attempts without an end an import is given up: it may be what ends the process. */
const ATTEMPTS_MAX = 3
const RETRY_MS = 10_000

export interface AdvisoryImportsReport {
  readonly imported: number
  readonly failed: number
  /** To be tried again. */
  readonly postponed: number
}

/**
 * Imports the advisories that pushes have brought, one after the other in their order. Each stands in the store as to be
 * imported until the transaction that records its end, so that one that broke off is done again; imports twice are harmless.
 */
export class AdvisoryImports implements Job<AdvisoryImportsReport> {
  readonly name = 'advisory-imports'
  readonly #metadata: MetadataStore
  readonly #bundles: AdvisoryBundles
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #lease: Lease
  readonly #onImported: () => void

  /** `holder` names this process among those that share the store. `onImported` hears when there are other advisories. */
  constructor(
    metadata: MetadataStore,
    bundles: AdvisoryBundles,
    logger: Logger,
    settings: {
      readonly clock: Clock
      readonly leaseClock: Clock
      readonly holder: string
      readonly onImported: () => void
    },
  ) {
    this.#metadata = metadata
    this.#bundles = bundles
    this.#clock = settings.clock
    this.#logger = logger
    this.#lease = new Lease(metadata, settings.leaseClock, this.name, settings.holder)
    this.#onImported = settings.onImported
  }

  async isDue(): Promise<boolean> {
    return (await this.#metadata.view.advisoryPushes.listDue(this.#clock.now(), 1)).length > 0
  }

  async run(signal: AbortSignal): Promise<AdvisoryImportsReport> {
    const counts = { imported: 0, failed: 0, postponed: 0 }
    await this.#lease.hold(async () => {
      for (;;) {
        const due = await this.#metadata.view.advisoryPushes.listDue(this.#clock.now(), STEP)
        if (due.length === 0) return
        for (const push of due) {
          signal.throwIfAborted()
          const outcome = await this.#import(push, signal)
          if (outcome !== undefined) counts[outcome]++
        }
      }
    })
    return counts
  }

  summary(report: AdvisoryImportsReport): LogFacts {
    return { ...report }
  }

  /** Read as the owner of the registry: that the pusher may have it imported was settled with the push. */
  async #import(push: AdvisoryPush, signal: AbortSignal): Promise<'imported' | 'failed' | 'postponed' | undefined> {
    const { id, ref, digest, attempts } = push
    const { registryId } = ref.registry
    if (!(await this.#metadata.transact((tx) => tx.advisoryPushes.begin(id)))) return undefined
    if (attempts >= ATTEMPTS_MAX) return this.#fail(push, 'The import broke off each time; the log may say why.')
    try {
      await this.#bundles.importBundle(rootPrincipal(registryId, `arn:aws:iam::${registryId}:root`, ''), ref, {
        digest,
      })
    } catch (error) {
      if (signal.aborted || !(error instanceof Error)) throw error
      if (isRegistryError(error) && error.code !== 'storage-full') return this.#fail(push, error.message)
      this.#logger.error({ job: this.name, repository: ref.name, digest, error }, 'advisories could not be imported')
      if (attempts + 1 >= ATTEMPTS_MAX)
        return this.#fail(push, 'The registry failed to import it. Its log has the details.')
      const dueAt = new Date(this.#clock.now().getTime() + RETRY_MS)
      await this.#metadata.transact((tx) => tx.advisoryPushes.postpone(id, dueAt))
      return 'postponed'
    }
    await this.#end(push)
    this.#onImported()
    return 'imported'
  }

  async #fail(push: AdvisoryPush, reason: string): Promise<'failed'> {
    await this.#end(push, reason)
    const { ref, digest } = push
    this.#logger.warn({ job: this.name, repository: ref.name, digest, reason }, 'pushed advisories were not imported')
    return 'failed'
  }

  async #end({ id }: AdvisoryPush, reason?: string): Promise<void> {
    await this.#metadata.transact(async (tx) => {
      await this.#lease.prove(tx)
      await tx.advisoryPushes.end(id, this.#clock.now(), reason)
    })
  }
}

/** Imports pushed advisories as soon as they are there. */
export class AdvisoryImportJobs {
  readonly #runner: JobRunner<AdvisoryImportsReport>
  readonly #whenDue: WhenDue

  constructor(job: AdvisoryImports, logger: Logger, runs?: JobRuns) {
    this.#runner = new JobRunner(job, logger, runs)
    this.#whenDue = new WhenDue(
      this.#runner,
      () => job.isDue(),
      (error) => {
        if (error instanceof Error) logger.error({ error }, 'it could not be looked for pushed advisories')
      },
    )
  }

  start(): void {
    this.#whenDue.start()
  }

  look(): void {
    this.#whenDue.look()
  }

  /** Does every import that is due, and answers when they are done. */
  async importNow(): Promise<AdvisoryImportsReport> {
    return this.#runner.runNow()
  }

  /** Waits for what is under way. */
  async close(): Promise<void> {
    await this.#runner.close()
    await this.#whenDue.close()
  }
}
