import { dimensionsOf, NAMESPACES, type Series } from '../../domain/metrics/series.ts'
import { type CloudWatchInput, type CloudWatchOperation, dimensionsOut } from './operation.ts'
import { printToken, readToken } from './tokens.ts'

export const listMetrics: CloudWatchOperation<'ListMetrics'> = async (input, { principal, region, metricData }) => {
  const registry = await metricData.registryFor(principal, region, 'ListMetrics')
  const [metric, subject] = readToken(input.NextToken, 2) ?? []
  const after = metric === undefined ? undefined : { metric: metric as Series['metric'], subject: subject ?? '' }
  const { series, hasMore } = await metricData.listSeries(registry, input.RecentlyActive === 'PT3H', after)
  const isForeign = input.OwningAccount !== undefined && input.OwningAccount !== principal.accountId
  const meant = isForeign ? [] : series.filter((one) => isMeant(one, input))
  const last = hasMore ? series.at(-1) : undefined
  return {
    Metrics: meant.map((one) => ({
      Namespace: NAMESPACES[one.metric],
      MetricName: one.metric,
      Dimensions: dimensionsOut(dimensionsOf(one)),
    })),
    ...(last && { NextToken: printToken([last.metric, last.subject]) }),
    ...(input.IncludeLinkedAccounts === true ? { OwningAccounts: meant.map(() => principal.accountId) } : {}),
  }
}

function isMeant(series: Series, { Namespace, MetricName, Dimensions }: CloudWatchInput<'ListMetrics'>): boolean {
  if (Namespace !== undefined && Namespace !== NAMESPACES[series.metric]) return false
  if (MetricName !== undefined && MetricName !== series.metric) return false
  const own = dimensionsOf(series)
  return (Dimensions ?? []).every(({ Name, Value }) =>
    own.some(({ name, value }) => name === Name && (Value === undefined || value === Value)),
  )
}
