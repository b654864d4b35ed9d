import type { Logger } from '../lib/logger.ts'
import type { JobRuns } from './job-runs.ts'
import type { ReplicationJob, ReplicationReport } from './replication.ts'
import { JobRunner } from './runner.ts'
import { WhenDue } from './when-due.ts'

/** Copies images as soon as pushes ask for it. */
export class ReplicationJobs {
  readonly #job: ReplicationJob
  readonly #runner: JobRunner<ReplicationReport>
  readonly #whenDue: WhenDue

  constructor(job: ReplicationJob, logger: Logger, runs?: JobRuns) {
    this.#job = job
    this.#runner = new JobRunner(job, logger, runs)
    this.#whenDue = new WhenDue(
      this.#runner,
      () => job.isDue(),
      (error) => {
        if (error instanceof Error) logger.error({ error }, 'it could not be looked for images to be replicated')
      },
    )
  }

  start(): void {
    this.#whenDue.start()
  }

  /** Something was pushed that is to be copied. */
  look(): void {
    this.#job.ring()
    this.#whenDue.look()
  }

  /** Makes every copy that is due, and answers when they are made. */
  async replicateNow(): Promise<ReplicationReport> {
    return this.#runner.runNow()
  }

  /** Breaks off what is under way, and waits for it. */
  async close(): Promise<void> {
    // The runner first: a look that is under way waits for the job it began.
    await this.#runner.close()
    await this.#whenDue.close()
  }
}
