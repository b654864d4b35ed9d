import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { KeyLifetimes } from '../services/key-lifetimes.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { Lease } from './lease.ts'
import { type Job, JobRunner } from './runner.ts'
import { WhenDue } from './when-due.ts'

export interface KeysReport {
  readonly deleted: number
  readonly rotated: number
}

/** Deletes keys at the end of their window, and rotates those whose time has come. */
class KeysJob implements Job<KeysReport> {
  readonly name = 'keys'
  readonly #lifetimes: KeyLifetimes
  readonly #lease: Lease

  constructor(metadata: MetadataStore, lifetimes: KeyLifetimes, leaseClock: Clock, holder: string) {
    this.#lifetimes = lifetimes
    this.#lease = new Lease(metadata, leaseClock, this.name, holder)
  }

  async run(): Promise<KeysReport> {
    const report = await this.#lease.hold(() => this.#lifetimes.passTime((tx) => this.#lease.prove(tx)))
    return report ?? { deleted: 0, rotated: 0 }
  }

  summary(report: KeysReport): LogFacts {
    return { ...report }
  }
}

/** Keeps the keys up with the clock. */
export class KeysJobs {
  readonly #runner: JobRunner<KeysReport>
  readonly #whenDue: WhenDue

  /** `holder` names this process among those that share the store; leases go by the real clock. */
  constructor(metadata: MetadataStore, lifetimes: KeyLifetimes, leaseClock: Clock, logger: Logger, holder: string) {
    this.#runner = new JobRunner(new KeysJob(metadata, lifetimes, leaseClock, holder), logger)
    this.#whenDue = new WhenDue(
      this.#runner,
      () => lifetimes.isDue(),
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
