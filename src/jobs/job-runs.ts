import type { Clock } from '../lib/clock.ts'
import type { LogFacts } from '../lib/logger.ts'

/** What is known of the runs of one job since the process began. */
export interface JobRecord {
  succeeded: number
  failed: number
  isRunning: boolean
  lastSeconds: number | undefined
  lastSuccessAtMs: number | undefined
  /** The numbers of all reports together, by what they count. */
  readonly sums: Map<string, number>
}

/** Remembers how the jobs beside requests fare, for whoever watches them. */
export class JobRuns {
  readonly jobs = new Map<string, JobRecord>()
  readonly #clock: Clock

  /** The real clock: watchers compare with theirs. */
  constructor(clock: Clock) {
    this.#clock = clock
  }

  began(name: string): void {
    this.#of(name).isRunning = true
  }

  /** `facts`: what the log says of the run; absent when it failed. */
  ended(name: string, seconds: number, facts: LogFacts | undefined): void {
    const job = this.#of(name)
    job.isRunning = false
    job.lastSeconds = seconds
    if (facts === undefined) {
      job.failed++
      return
    }
    job.succeeded++
    job.lastSuccessAtMs = this.#clock.now().getTime()
    for (const [fact, value] of Object.entries(facts))
      if (typeof value === 'number') job.sums.set(fact, (job.sums.get(fact) ?? 0) + value)
  }

  #of(name: string): JobRecord {
    let job = this.jobs.get(name)
    if (job === undefined) {
      job = {
        ...{ succeeded: 0, failed: 0, isRunning: false, lastSeconds: undefined, lastSuccessAtMs: undefined },
        sums: new Map(),
      }
      this.jobs.set(name, job)
    }
    return job
  }
}
