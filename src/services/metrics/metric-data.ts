import { metricParametersConflict } from '../../domain/metrics/errors.ts'
import { countedMetric, type Dimension, type Series, subjectOf } from '../../domain/metrics/series.ts'
import { byPeriod, startOfPeriod } from '../../domain/metrics/statistics.ts'
import type { Region, Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { MetricCounts } from './metric-counts.ts'

/** A metric as callers name it; whether there is such a one is another question. */
export interface NamedMetric {
  readonly namespace: string
  readonly metricName: string
  readonly dimensions: readonly Dimension[]
  /** Data of another unit is not meant. */
  readonly unit?: string | undefined
}

export interface TimeRange {
  readonly since: Date
  /** Not included. */
  readonly until: Date
  readonly periodMs: number
}

/** Units by metric. */
export const UNITS = { RepositoryPullCount: 'Count', CallCount: 'None' } as const

const LISTED_MS = 14 * 86_400_000
const RECENT_MS = 3 * 3_600_000
const PAGE = 500

/** Reads what was counted, for the accounts whose it is. */
export class MetricData {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #counts: MetricCounts
  readonly #clock: Clock

  constructor(metadata: MetadataStore, access: Access, counts: MetricCounts, clock: Clock) {
    this.#metadata = metadata
    this.#access = access
    this.#counts = counts
    this.#clock = clock
  }

  /** Where the data of a caller is, who may read it so. Throws `access-denied`. */
  async registryFor(
    principal: Principal,
    region: Region,
    operation: 'ListMetrics' | 'GetMetricStatistics' | 'GetMetricData',
  ): Promise<Registry> {
    const { accountId } = principal
    await this.#access.authorize(principal, `cloudwatch:${operation}`, { arn: '*', ownerAccountId: accountId, region })
    return { registryId: accountId, region }
  }

  /** A page of the series that were counted in during the last two weeks, or three hours; in a fixed order. */
  async listSeries(
    registry: Registry,
    isRecent: boolean,
    after: Pick<Series, 'metric' | 'subject'> | undefined,
  ): Promise<{ readonly series: readonly Series[]; readonly hasMore: boolean }> {
    await this.#counts.flush()
    const since = new Date(this.#clock.now().getTime() - (isRecent ? RECENT_MS : LISTED_MS))
    const series = await this.#metadata.view.metrics.listSeries(registry, since, { after, limit: PAGE })
    return { series, hasMore: series.length === PAGE }
  }

  /** How much was counted by period, oldest first; periods without are left out. Throws `metric-parameters-conflict` for a period that is no whole number of minutes. */
  async sums(registry: Registry, metric: NamedMetric, range: TimeRange): Promise<ReadonlyMap<number, number>> {
    const { periodMs } = range
    if (periodMs % 60_000 !== 0)
      throw metricParametersConflict('What is counted here is counted by the minute: Period must be a multiple of 60.')
    await this.#counts.flush()
    const counted = countedMetric(metric.namespace, metric.metricName)
    const subject = counted && subjectOf(counted, metric.dimensions)
    if (counted === undefined || subject === undefined) return new Map()
    if (metric.unit !== undefined && metric.unit !== UNITS[counted]) return new Map()
    const fromMs = this.startOf(range.since)
    const series = { registry, metric: counted, subject }
    const rows = await this.#metadata.view.metrics.listCounts(series, new Date(fromMs), range.until, periodMs)
    return byPeriod(rows, fromMs, periodMs)
  }

  /** Where the first period begins of what is read from that moment on. */
  startOf(since: Date): number {
    return startOfPeriod(since.getTime(), this.#clock.now().getTime())
  }
}
