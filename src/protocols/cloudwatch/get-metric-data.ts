import { alarmInvalid } from '../../domain/metrics/errors.ts'
import { isPercentile, STATISTICS, statisticOf } from '../../domain/metrics/statistics.ts'
import { type CloudWatchInput, type CloudWatchOperation, dimensionsIn } from './operation.ts'
import { printToken, readToken } from './tokens.ts'

const DATAPOINTS_MAX = 100_800
const QUERIES_MAX = 500

type Query = NonNullable<CloudWatchInput<'GetMetricData'>['MetricDataQueries']>[number]

export const getMetricData: CloudWatchOperation<'GetMetricData'> = async (input, call) => {
  const { principal, region, metricData } = call
  const registry = await metricData.registryFor(principal, region, 'GetMetricData')
  const { StartTime: since, EndTime: until, MetricDataQueries: queries, ScanBy, MaxDatapoints } = input
  if (since >= until) throw alarmInvalid('The parameter EndTime must be greater than StartTime.')
  checkQueries(queries, principal.accountId)
  const limit = Math.min(MaxDatapoints ?? DATAPOINTS_MAX, DATAPOINTS_MAX)
  if (limit < 1) throw alarmInvalid('MaxDatapoints must be greater than 0.')
  const from = Number(readToken(input.NextToken, 1)?.[0] ?? 0)
  const [results, total] = [[] as object[], { seen: 0 }]
  for (const { Id, Label, MetricStat, ReturnData } of queries) {
    if (MetricStat === undefined || ReturnData === false) continue
    const { Metric, Period, Stat, Unit: unit } = MetricStat
    const named = { namespace: Metric.Namespace ?? '', metricName: Metric.MetricName ?? '', unit }
    const metric = { ...named, dimensions: dimensionsIn(Metric.Dimensions) }
    const sums = await metricData.sums(registry, metric, { since, until, periodMs: Period * 1000 })
    const points = [...sums].map(([startMs, amount]) => [new Date(startMs), statisticOf(Stat, amount)] as const)
    if (ScanBy !== 'TimestampAscending') points.reverse()
    const page = points.slice(Math.max(0, from - total.seen), Math.max(0, from + limit - total.seen))
    total.seen += points.length
    results.push({
      Id,
      Label: Label ?? labelOf(metric, queries),
      Timestamps: page.map(([at]) => at),
      Values: page.map(([, value]) => value),
      StatusCode: total.seen > from + limit ? 'PartialData' : 'Complete',
    })
  }
  const isMore = total.seen > from + limit
  return {
    MetricDataResults: results,
    Messages: [],
    ...(isMore ? { NextToken: printToken([String(from + limit)]) } : {}),
  }
}

/** Metrics of one name are told apart by what they are about. */
function labelOf(
  { metricName, dimensions }: { readonly metricName: string; readonly dimensions: ReturnType<typeof dimensionsIn> },
  queries: readonly Query[],
): string {
  const alike = queries.filter(({ MetricStat }) => MetricStat?.Metric.MetricName === metricName)
  const about = dimensions.find(({ name }) => name === 'RepositoryName' || name === 'Resource')
  return alike.length > 1 && about !== undefined ? about.value : metricName
}

function checkQueries(queries: readonly Query[], accountId: string): void {
  if (queries.length === 0 || queries.length > QUERIES_MAX)
    throw alarmInvalid(`MetricDataQueries must have 1 to ${QUERIES_MAX} members.`)
  const ids = new Set<string>()
  for (const { Id, Expression, MetricStat, AccountId } of queries) {
    if (!/^[a-z][a-zA-Z0-9_]*$/.test(Id))
      throw alarmInvalid(
        `The value ${Id.slice(0, 100)} for parameter Id is not matching the pattern ^[a-z][a-zA-Z0-9_]*$.`,
      )
    if (ids.has(Id))
      throw alarmInvalid(`The values for parameter id in parameter MetricDataQueries are not unique: ${Id}.`)
    ids.add(Id)
    if (Expression !== undefined) throw alarmInvalid('Ecru evaluates no expressions: a query must have MetricStat.')
    if (MetricStat === undefined) throw alarmInvalid(`The query ${Id} must have MetricStat.`)
    if (AccountId !== undefined && AccountId !== accountId)
      throw alarmInvalid('Only metrics of the own account can be had.')
    checkStatistic(MetricStat.Stat)
    if (MetricStat.Period % 60 !== 0) throw alarmInvalid('Period must be a multiple of 60.')
  }
}

/** Throws unless it is one that is evaluated here. */
export function checkStatistic(statistic: string): void {
  const isKnown = STATISTICS.some((known) => known === statistic) || isPercentile(statistic)
  if (!isKnown) throw alarmInvalid(`The value ${statistic.slice(0, 100)} for parameter Stat is not supported.`)
}
