import { alarmInvalid } from '../../domain/metrics/errors.ts'
import type { GridOf, MetricStatistic, ReadMetric } from '../../domain/metrics/math/queries.ts'
import type { Line } from '../../domain/metrics/math/value.ts'
import { statisticOf } from '../../domain/metrics/statistics.ts'
import type { Registry } from '../../domain/names.ts'
import type { MetricData } from './metric-data.ts'

/** How many periods the results of queries may span. */
const MOMENTS_MAX = 100_800

/** From what the queries of one request are evaluated: each metric is read once by each period. */
export function metricReader(
  data: MetricData,
  registry: Registry,
  { since, until }: { readonly since: Date; readonly until: Date },
): { readonly read: ReadMetric; readonly gridOf: GridOf } {
  const lines = new Map<string, Promise<Line>>()
  const load = async (metric: MetricStatistic, periodSeconds: number): Promise<Line> => {
    const sums = await data.sums(registry, metric, { since, until, periodMs: periodSeconds * 1000 })
    const points = [...sums].map(([startMs, amount]) => [startMs, statisticOf(metric.statistic, amount)] as const)
    return { label: metric.metricName, points: new Map(points) }
  }
  return {
    async read(metric, periodSeconds) {
      const key = JSON.stringify([metric, periodSeconds])
      const known = lines.get(key) ?? load(metric, periodSeconds)
      lines.set(key, known)
      return known
    },
    gridOf(periodSeconds) {
      const grid = { startMs: data.startOf(since), endMs: until.getTime(), periodMs: periodSeconds * 1000 }
      if ((grid.endMs - grid.startMs) / grid.periodMs > MOMENTS_MAX)
        throw alarmInvalid(`An expression can be had for ${MOMENTS_MAX} periods at once.`)
      return grid
    },
  }
}
