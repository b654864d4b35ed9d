import { alarmInvalid } from '../../domain/metrics/errors.ts'
import type { MetricQuery, MetricStatistic } from '../../domain/metrics/math/queries.ts'
import { isPercentile, STATISTICS } from '../../domain/metrics/statistics.ts'
import { type CloudWatchInput, dimensionsIn, dimensionsOut } from './operation.ts'

/** A query of GetMetricData or of an alarm, as it is given. */
export type GivenQuery = NonNullable<CloudWatchInput<'GetMetricData'>['MetricDataQueries']>[number]

/** Queries as the domain has them. Throws for ids that are none or not unique, and for what is not evaluated here. */
export function queriesIn(given: readonly GivenQuery[], accountId: string): readonly MetricQuery[] {
  const ids = new Set<string>()
  return given.map((query) => {
    const { Id: id, Label: label, Expression: expression, MetricStat, AccountId, Period, ReturnData } = query
    if (!/^[a-z][a-zA-Z0-9_]*$/.test(id))
      throw alarmInvalid(
        `The value ${id.slice(0, 100)} for parameter Id is not matching the pattern ^[a-z][a-zA-Z0-9_]*$.`,
      )
    if (ids.has(id))
      throw alarmInvalid(`The values for parameter id in parameter MetricDataQueries are not unique: ${id}.`)
    ids.add(id)
    if ((expression === undefined) === (MetricStat === undefined))
      throw alarmInvalid(`The query ${id} must have either MetricStat or Expression.`)
    if (AccountId !== undefined && AccountId !== accountId)
      throw alarmInvalid('Only metrics of the own account can be had.')
    if (Period !== undefined) checkPeriod(Period)
    const metric = MetricStat && metricIn(MetricStat)
    return { id, label, isReturned: ReturnData ?? true, metric, expression, periodSeconds: Period }
  })
}

function metricIn({ Metric, Period, Stat, Unit: unit }: NonNullable<GivenQuery['MetricStat']>): MetricStatistic {
  checkStatistic(Stat)
  checkPeriod(Period)
  const { Namespace: namespace = '', MetricName: metricName = '' } = Metric
  return {
    namespace,
    metricName,
    dimensions: dimensionsIn(Metric.Dimensions),
    statistic: Stat,
    periodSeconds: Period,
    unit,
  }
}

/** And back. */
export function queryOut({ id, label, isReturned, metric, expression, periodSeconds }: MetricQuery): object {
  return {
    Id: id,
    Label: label,
    ...(metric === undefined ? { Expression: expression } : { MetricStat: metricOut(metric) }),
    Period: periodSeconds,
    ReturnData: isReturned,
  }
}

function metricOut({ namespace, metricName, dimensions, statistic, periodSeconds, unit }: MetricStatistic): object {
  const Metric = { Namespace: namespace, MetricName: metricName, Dimensions: dimensionsOut(dimensions) }
  return { Metric, Period: periodSeconds, Stat: statistic, Unit: unit }
}

export function checkPeriod(periodSeconds: number): void {
  if (periodSeconds % 60 !== 0) throw alarmInvalid('Period must be a multiple of 60.')
}

/** Throws unless it is one that is evaluated here. */
export function checkStatistic(statistic: string): void {
  const isKnown = STATISTICS.some((known) => known === statistic) || isPercentile(statistic)
  if (!isKnown) throw alarmInvalid(`The value ${statistic.slice(0, 100)} for parameter Stat is not supported.`)
}
