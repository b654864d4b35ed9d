import { isRegistryError, type RegistryError } from '../domain/errors.ts'
import type { SigningFailure } from '../domain/signing/signing.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { ImageSigner } from '../services/signing/image-signer.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { PendingSigning } from '../stores/signing.ts'
import type { JobRuns } from './job-runs.ts'
import { Lease, LeaseLost } from './lease.ts'
import { Pace } from './pace.ts'
import { type Job, JobRunner } from './runner.ts'
import { WhenDue } from './when-due.ts'

/** How many signings are looked up at once. */
const STEP = 20

export interface SigningReport {
  readonly signed: number
  readonly failed: number
  /** To be tried again: the registry could not take the signature just then. */
  readonly postponed: number
  readonly tookMs: number
}

/** The image is gone, or the signing has ended otherwise: there is nothing to be signed any more. */
class Obsolete extends Error {
  override readonly name = 'Obsolete'
}

/**
 * Makes the signatures that pushes have asked for. Each stands in the store as asked for until the transaction that stores the
 * signature, so that what broke off is made again, and nothing twice.
 */
export class SigningJob implements Job<SigningReport> {
  readonly name = 'signing'
  readonly #metadata: MetadataStore
  readonly #signer: ImageSigner
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #lease: Lease

  /** `holder` names this process among those that share the store. */
  constructor(metadata: MetadataStore, signer: ImageSigner, clock: Clock, logger: Logger, holder: string) {
    this.#metadata = metadata
    this.#signer = signer
    this.#clock = clock
    this.#logger = logger
    this.#lease = new Lease(metadata, clock, this.name, holder)
  }

  async isDue(): Promise<boolean> {
    return (await this.#metadata.view.signings.listUnfinished({ limit: 1 })).length > 0
  }

  async run(signal: AbortSignal): Promise<SigningReport> {
    const startedAtMs = this.#clock.now().getTime()
    const counts = { signed: 0, failed: 0, postponed: 0 }
    await this.#lease.hold(async () => {
      const pace = new Pace(signal)
      for (let after = 0; ; ) {
        const pending = await this.#metadata.view.signings.listUnfinished({ after, limit: STEP })
        if (pending.length === 0) return
        for (const one of pending) {
          const outcome = await this.#sign(one, pace)
          if (outcome !== undefined) counts[outcome]++
          after = one.id
          await pace.rest()
        }
      }
    })
    return { ...counts, tookMs: this.#clock.now().getTime() - startedAtMs }
  }

  summary(report: SigningReport): LogFacts {
    return { ...report }
  }

  async #sign(pending: PendingSigning, pace: Pace): Promise<'signed' | 'failed' | 'postponed' | undefined> {
    try {
      await this.#signer.sign(pending, (tx) => this.#end(tx, pending))
      return 'signed'
    } catch (error) {
      if (error instanceof Obsolete) return undefined
      if (pace.isOver || error instanceof LeaseLost || !(error instanceof Error)) throw error
      // These pass by themselves, and the pusher can do nothing about them.
      if (isRegistryError(error, 'throttled', 'storage-full', 'upload-busy')) return 'postponed'
      return await this.#fail(pending, error)
    }
  }

  async #fail(pending: PendingSigning, error: Error): Promise<'failed' | undefined> {
    if (!isRegistryError(error)) this.#logger.error({ job: this.name, error }, 'image could not be signed')
    try {
      await this.#metadata.transact((tx) => this.#end(tx, pending, failureOf(error)))
      return 'failed'
    } catch (thrown) {
      if (thrown instanceof Obsolete) return undefined
      throw thrown
    }
  }

  async #end(tx: MetadataWriter, { id }: PendingSigning, failure?: SigningFailure): Promise<void> {
    await this.#lease.prove(tx)
    if (!(await tx.signings.end(id, failure))) throw new Obsolete('There is nothing left to be signed.')
  }
}

/** Makes signatures as soon as pushes ask for them. */
export class SigningJobs {
  readonly #runner: JobRunner<SigningReport>
  readonly #whenDue: WhenDue

  constructor(job: SigningJob, logger: Logger, runs?: JobRuns) {
    this.#runner = new JobRunner(job, logger, runs)
    this.#whenDue = new WhenDue(
      this.#runner,
      () => job.isDue(),
      (error) => {
        if (error instanceof Error) logger.error({ error }, 'it could not be looked for images to be signed')
      },
    )
  }

  start(): void {
    this.#whenDue.start()
  }

  /** Something was pushed that is to be signed. */
  look(): void {
    this.#whenDue.look()
  }

  /** Makes every signature that was asked for, and answers when they are made. */
  async signNow(): Promise<SigningReport> {
    return this.#runner.runNow()
  }

  /** Breaks off what is under way, and waits for it. */
  async close(): Promise<void> {
    // The runner first: a look that is under way waits for the job it began.
    await this.#runner.close()
    await this.#whenDue.close()
  }
}

function failureOf(error: Error | RegistryError): SigningFailure {
  if (!isRegistryError(error))
    return { code: 'InternalFailure', reason: 'The registry failed to sign the image. Its log has the details.' }
  const code = error.code.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return { code, reason: error.message }
}
