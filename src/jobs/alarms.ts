import { type Alarm, queriesOf } from '../domain/metrics/alarm.ts'
import { evaluateAlarm, MORE_PERIODS, reasonFor } from '../domain/metrics/evaluate-alarm.ts'
import type { Points } from '../domain/metrics/math/value.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import { changeState } from '../services/metrics/alarm-states.ts'
import type { MetricData } from '../services/metrics/metric-data.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { JobRuns } from './job-runs.ts'
import { type Job, JobRunner } from './runner.ts'
import { WhenDue } from './when-due.ts'

const MINUTE_MS = 60_000
const PAGE = 100

export interface AlarmReport {
  readonly evaluated: number
  readonly changed: number
}

/** Evaluates alarms once a minute, by the registry's clock, over the periods that are complete. */
export class AlarmJob implements Job<AlarmReport> {
  readonly name = 'alarms'
  readonly #metadata: MetadataStore
  readonly #data: MetricData
  readonly #clock: Clock
  #doneMinute = Number.NEGATIVE_INFINITY

  constructor(metadata: MetadataStore, data: MetricData, clock: Clock) {
    this.#metadata = metadata
    this.#data = data
    this.#clock = clock
  }

  async isDue(): Promise<boolean> {
    if (this.#minute() === this.#doneMinute) return false
    return (await this.#metadata.view.alarms.listAll({ limit: 1 })).length > 0
  }

  async run(signal: AbortSignal): Promise<AlarmReport> {
    const minute = this.#minute()
    let [evaluated, changed] = [0, 0]
    for (let after: Alarm | undefined; ; ) {
      const page = await this.#metadata.view.alarms.listAll({ after, limit: PAGE })
      for (const alarm of page) {
        signal.throwIfAborted()
        if (await this.#evaluate(alarm)) changed++
        evaluated++
      }
      after = page.at(-1)
      if (page.length < PAGE) break
    }
    this.#doneMinute = minute
    return { evaluated, changed }
  }

  summary({ evaluated, changed }: AlarmReport): LogFacts {
    return { evaluated, changed }
  }

  #minute(): number {
    return Math.floor(this.#clock.now().getTime() / MINUTE_MS)
  }

  /** True when the state is another one now. */
  async #evaluate(alarm: Alarm): Promise<boolean> {
    const { definition, state } = alarm
    const { periodSeconds, evaluationPeriods } = definition
    const now = this.#clock.now()
    const periodMs = periodSeconds * 1000
    const endMs = now.getTime() - (now.getTime() % periodMs)
    const startMs = endMs - (evaluationPeriods + MORE_PERIODS) * periodMs
    const watched = await this.#watched(alarm, { since: new Date(startMs), until: new Date(endMs) })
    const points: (number | undefined)[] = []
    const moments: number[] = []
    for (let atMs = startMs; atMs < endMs; atMs += periodMs) {
      const point = watched.get(atMs)
      points.push(point)
      if (point !== undefined) moments.push(atMs)
    }
    const value = evaluateAlarm(definition, points) ?? state.value
    if (value === state.value) return false
    const recentDatapoints = points.filter((point) => point !== undefined).slice(-evaluationPeriods)
    const reasonData = JSON.stringify({
      version: '1.0',
      queryDate: now.toISOString(),
      ...(moments.length === 0 ? {} : { startDate: new Date(moments[0] ?? 0).toISOString() }),
      ...(definition.queries === undefined ? { statistic: definition.statistic } : {}),
      period: periodSeconds,
      recentDatapoints,
      threshold: definition.threshold,
    })
    const next = { value, reason: reasonFor(definition, points), reasonData }
    return this.#metadata.transact((tx) => changeState(tx, alarm, next, now))
  }

  /** The values that decide. An expression whose result is no time series just now has none. */
  async #watched(
    { registry, definition }: Alarm,
    range: { readonly since: Date; readonly until: Date },
  ): Promise<Points> {
    const queries = queriesOf(definition)
    const returned = queries.find(({ isReturned }) => isReturned)
    if (returned === undefined) return new Map()
    // Loaded with the first alarm, not with the process.
    const [{ QuerySet }, { metricReader }] = await Promise.all([
      import('../domain/metrics/math/queries.ts'),
      import('../services/metrics/metric-queries.ts'),
    ])
    const { read, gridOf } = metricReader(this.#data, registry, range)
    const value = await (await QuerySet.of(queries)).evaluate(returned.id, read, gridOf)
    return value.kind === 'line' ? value.line.points : new Map()
  }
}

/** Keeps alarms up with the clock. */
export class AlarmJobs {
  readonly #runner: JobRunner<AlarmReport>
  readonly #whenDue: WhenDue

  constructor(job: AlarmJob, logger: Logger, runs?: JobRuns) {
    this.#runner = new JobRunner(job, logger, runs)
    this.#whenDue = new WhenDue(
      this.#runner,
      () => job.isDue(),
      (error) => {
        if (error instanceof Error) logger.error({ error }, 'it could not be looked for alarms to be evaluated')
      },
    )
  }

  start(): void {
    this.#whenDue.start()
  }

  /** Evaluates all of them, and answers when it is done. */
  runNow(): Promise<AlarmReport> {
    return this.#runner.runNow()
  }

  async close(): Promise<void> {
    await this.#runner.close()
    await this.#whenDue.close()
  }
}
