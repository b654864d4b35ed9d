import { alarmInvalid } from '../../domain/metrics/errors.ts'
import { type MetricQuery, QuerySet } from '../../domain/metrics/math/queries.ts'
import type { Line, Value } from '../../domain/metrics/math/value.ts'
import { metricReader } from '../../services/metrics/metric-queries.ts'
import { queriesIn } from './metric-queries.ts'
import type { CloudWatchOperation } from './operation.ts'
import { printToken, readToken } from './tokens.ts'

const DATAPOINTS_MAX = 100_800
const QUERIES_MAX = 500

export const getMetricData: CloudWatchOperation<'GetMetricData'> = async (input, call) => {
  const { principal, region, metricData } = call
  const registry = await metricData.registryFor(principal, region, 'GetMetricData')
  const { StartTime: since, EndTime: until, MetricDataQueries: given, ScanBy, MaxDatapoints } = input
  if (since >= until) throw alarmInvalid('The parameter EndTime must be greater than StartTime.')
  if (given.length === 0 || given.length > QUERIES_MAX)
    throw alarmInvalid(`MetricDataQueries must have 1 to ${QUERIES_MAX} members.`)
  const queries = queriesIn(given, principal.accountId)
  const set = await QuerySet.of(queries)
  const limit = Math.min(MaxDatapoints ?? DATAPOINTS_MAX, DATAPOINTS_MAX)
  if (limit < 1) throw alarmInvalid('MaxDatapoints must be greater than 0.')
  const from = Number(readToken(input.NextToken, 1)?.[0] ?? 0)
  const { read, gridOf } = metricReader(metricData, registry, { since, until })
  const [results, total] = [[] as object[], { seen: 0 }]
  for (const query of queries.filter(({ isReturned }) => isReturned)) {
    const value = await set.evaluate(query.id, read, gridOf)
    for (const { label, points } of linesOf(query, value, queries)) {
      const entries = [...points].map(([startMs, value]) => [new Date(startMs), value] as const)
      if (ScanBy !== 'TimestampAscending') entries.reverse()
      const page = entries.slice(Math.max(0, from - total.seen), Math.max(0, from + limit - total.seen))
      total.seen += entries.length
      results.push({
        Id: query.id,
        Label: label,
        Timestamps: page.map(([at]) => at),
        Values: page.map(([, value]) => value),
        StatusCode: total.seen > from + limit ? 'PartialData' : 'Complete',
      })
    }
  }
  const isMore = total.seen > from + limit
  return {
    MetricDataResults: results,
    Messages: [],
    ...(isMore ? { NextToken: printToken([String(from + limit)]) } : {}),
  }
}

/** What a query makes, each line under its label. */
function linesOf(query: MetricQuery, value: Value, queries: readonly MetricQuery[]): readonly Line[] {
  const { id, label = query.expression === undefined ? labelOf(query, queries) : id } = query
  if (value.kind === 'line') return [{ label, points: value.line.points }]
  if (value.kind === 'lines')
    return value.lines.map((line) => ({ label: `${label} ${line.label}`, points: line.points }))
  throw alarmInvalid(`Error in expression '${id}': The result must be a time series, or an array of them.`)
}

/** Metrics of one name are told apart by what they are about. */
function labelOf({ id, metric }: MetricQuery, queries: readonly MetricQuery[]): string {
  const alike = queries.filter((query) => query.metric !== undefined && query.metric.metricName === metric?.metricName)
  const about = metric?.dimensions.find(({ name }) => name === 'RepositoryName' || name === 'Resource')
  return (alike.length > 1 ? about?.value : undefined) ?? metric?.metricName ?? id
}
