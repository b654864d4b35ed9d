import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { KeyLifetimes } from '../services/kms/key-lifetimes.ts'
import type { Secrets } from '../services/secrets/secrets.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { JobRuns } from './job-runs.ts'
import { Lease } from './lease.ts'
import { type Job, JobRunner } from './runner.ts'
import { WhenDue } from './when-due.ts'

export interface KeysReport {
  readonly deleted: number
  readonly rotated: number
  /** Secrets of Secrets Manager whose window has ended. */
  readonly deletedSecrets: number
}

/** Deletes keys and secrets at the end of their window, and rotates keys whose time has come. */
class KeysJob implements Job<KeysReport> {
  readonly name = 'keys'
  readonly #lifetimes: KeyLifetimes
  readonly #secrets: Secrets
  readonly #lease: Lease

  constructor(metadata: MetadataStore, lifetimes: KeyLifetimes, secrets: Secrets, leaseClock: Clock, holder: string) {
    this.#lifetimes = lifetimes
    this.#secrets = secrets
    this.#lease = new Lease(metadata, leaseClock, this.name, holder)
  }

  async run(): Promise<KeysReport> {
    const report = await this.#lease.hold(async () => {
      const prove = (tx: MetadataWriter) => this.#lease.prove(tx)
      const deletedSecrets = await this.#secrets.passTime(prove)
      return { ...(await this.#lifetimes.passTime(prove)), deletedSecrets }
    })
    return report ?? { deleted: 0, rotated: 0, deletedSecrets: 0 }
  }

  async isDue(): Promise<boolean> {
    return (await this.#lifetimes.isDue()) || (await this.#secrets.isDue())
  }

  summary(report: KeysReport): LogFacts {
    return { ...report }
  }
}

/** What keys and secrets are looked after by. */
export interface KeysJobsParts {
  readonly metadata: MetadataStore
  readonly lifetimes: KeyLifetimes
  readonly secrets: Secrets
  readonly leaseClock: Clock
  readonly logger: Logger
  readonly holder: string
  readonly runs?: JobRuns
}

/** Keeps keys and secrets up with the clock. */
export class KeysJobs {
  readonly #runner: JobRunner<KeysReport>
  readonly #whenDue: WhenDue

  /** `holder` names this process among those that share the store; leases go by the real clock. */
  constructor(parts: KeysJobsParts) {
    const { metadata, lifetimes, secrets, leaseClock, logger, holder, runs } = parts
    const job = new KeysJob(metadata, lifetimes, secrets, leaseClock, holder)
    this.#runner = new JobRunner(job, logger, runs)
    this.#whenDue = new WhenDue(
      this.#runner,
      () => job.isDue(),
      (error) => {
        if (error instanceof Error) logger.error({ error }, 'it could not be looked for keys that are due')
      },
    )
  }

  start(): void {
    this.#whenDue.start()
  }

  /** Does what is due, and answers when it is done. */
  runNow(): Promise<KeysReport> {
    return this.#runner.runNow()
  }

  async close(): Promise<void> {
    await this.#runner.close()
    await this.#whenDue.close()
  }
}
