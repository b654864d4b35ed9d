import type { Alarm, AlarmState, NewAlarm } from '../domain/metrics/alarm.ts'
import type { Series } from '../domain/metrics/series.ts'
import type { Registry } from '../domain/names.ts'
import type { ResourceTag } from '../domain/repository.ts'
import type { Page } from './page.ts'

/** How much was counted in the period that begins at a moment. */
export interface Count {
  readonly at: Date
  readonly amount: number
}

/** Counts over time. They are kept by the minute at first, and by longer periods when they have become old. */
export interface MetricReader {
  /** In ascending order of time, from `since` on and before `until`, of periods that are no longer than `periodMsMax`. */
  listCounts(series: Series, since: Date, until: Date, periodMsMax: number): Promise<readonly Count[]>
  /** Series that were counted in since then, in ascending order of metric, then of subject. */
  listSeries(
    registry: Registry,
    since: Date,
    page: Page<Pick<Series, 'metric' | 'subject'>>,
  ): Promise<readonly Series[]>
}

export interface MetricWriter extends MetricReader {
  /** Adds to what was counted in the period that begins at `at`. */
  add(series: Series, periodMs: number, at: Date, amount: number): Promise<void>
  /** Sums up counts of before `before` in longer periods, at most `limit` at once; answers how many there were. */
  sumUp(periodMs: number, intoPeriodMs: number, before: Date, limit: number): Promise<number>
  /** Forgets counts, at most `limit`, and the series that have none any more; answers how many counts. */
  forget(periodMs: number, before: Date, limit: number): Promise<number>
}

export interface AlarmReader {
  find(registry: Registry, name: string): Promise<Alarm | undefined>
  /** In ascending order of name. */
  list(registry: Registry, page: Page<string>): Promise<readonly Alarm[]>
  count(registry: Registry): Promise<number>
  /** All there are, in every registry, in ascending order of account, region and name. */
  listAll(page: Page<Pick<Alarm, 'registry' | 'name'>>): Promise<readonly Alarm[]>
}

export interface AlarmWriter extends AlarmReader {
  /** Replaces what the alarm watches, and not its state, when there is one. */
  put(alarm: NewAlarm): Promise<void>
  /** Only as long as it is configured as it was. False: it is not. */
  setState(alarm: Alarm, state: AlarmState): Promise<boolean>
  putTags(registry: Registry, name: string, tags: readonly ResourceTag[]): Promise<void>
  delete(registry: Registry, name: string): Promise<void>
}
