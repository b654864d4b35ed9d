import type { LogFacts, Logger } from '../lib/logger.ts'
import type { JobRuns } from './job-runs.ts'

/** Work that comes round again and may be asked for in between. */
export interface Job<Report> {
  readonly name: string
  run(signal: AbortSignal): Promise<Report>
  /** What the log says of a run. */
  summary(report: Report): LogFacts
}

/**
 * Runs one job at a time: at its interval, and when asked. Who asks while the job runs gets the report of the next run,
 * since the present one may have passed by what they care for. Ends at `close`.
 */
export class JobRunner<Report> {
  readonly #job: Job<Report>
  readonly #logger: Logger
  readonly #runs: JobRuns | undefined
  readonly #closing = new AbortController()
  #timer: ReturnType<typeof setInterval> | undefined
  #running: Promise<unknown> | undefined
  #next: Promise<Report> | undefined

  /** `runs` remembers how the job fares. */
  constructor(job: Job<Report>, logger: Logger, runs?: JobRuns) {
    this.#job = job
    this.#logger = logger
    this.#runs = runs
  }

  /** Starts the schedule; the first run comes after one interval. An interval of 0 leaves the job to those who ask. */
  start(intervalMs: number): void {
    if (intervalMs === 0) return
    this.#timer = setInterval(() => {
      if (this.#running === undefined) this.runNow().catch(() => undefined)
    }, intervalMs)
    this.#timer.unref()
  }

  /** Runs now, or after the present run. Throws what the job throws, after logging it. */
  runNow(): Promise<Report> {
    this.#next ??= this.#runAfter(this.#running)
    return this.#next
  }

  /** Breaks off the present run and waits for it. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#closing.abort(new Error('The registry is shutting down.'))
    await this.#next?.catch(() => undefined)
    await this.#running?.catch(() => undefined)
  }

  async #runAfter(present: Promise<unknown> | undefined): Promise<Report> {
    await present?.catch(() => undefined)
    const run = this.#run()
    this.#running = run
    this.#next = undefined
    try {
      return await run
    } finally {
      if (this.#running === run) this.#running = undefined
    }
  }

  async #run(): Promise<Report> {
    const { signal } = this.#closing
    signal.throwIfAborted()
    const { name } = this.#job
    const startedMs = performance.now()
    const seconds = () => (performance.now() - startedMs) / 1000
    this.#runs?.began(name)
    try {
      const report = await this.#job.run(signal)
      const facts = this.#job.summary(report)
      this.#runs?.ended(name, seconds(), facts)
      this.#logger.info({ job: name, ...facts }, 'job done')
      return report
    } catch (error) {
      this.#runs?.ended(name, seconds(), undefined)
      if (!signal.aborted && error instanceof Error) this.#logger.error({ job: name, error }, 'job failed')
      throw error
    }
  }
}
