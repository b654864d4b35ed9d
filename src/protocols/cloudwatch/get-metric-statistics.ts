import { metricParameterInvalid, metricParametersConflict } from '../../domain/metrics/errors.ts'
import { countedMetric } from '../../domain/metrics/series.ts'
import { isPercentile, statisticOf } from '../../domain/metrics/statistics.ts'
import { UNITS } from '../../services/metrics/metric-data.ts'
import { type CloudWatchOperation, dimensionsIn } from './operation.ts'

const DATAPOINTS_MAX = 1440

export const getMetricStatistics: CloudWatchOperation<'GetMetricStatistics'> = async (input, call) => {
  const { principal, region, metricData } = call
  const registry = await metricData.registryFor(principal, region, 'GetMetricStatistics')
  const { StartTime: since, EndTime: until, Period, Statistics = [], ExtendedStatistics = [] } = input
  if (since >= until) throw metricParameterInvalid('The parameter StartTime must be less than the parameter EndTime.')
  if (Statistics.length === 0 && ExtendedStatistics.length === 0)
    throw metricParametersConflict('At least one of Statistics and ExtendedStatistics must be given.')
  const strange = ExtendedStatistics.find((statistic) => !isPercentile(statistic))
  if (strange !== undefined)
    throw metricParameterInvalid(
      `The value ${strange.slice(0, 100)} for parameter ExtendedStatistics is not supported.`,
    )
  const periodMs = Period * 1000
  const wanted = Math.ceil((until.getTime() - since.getTime()) / periodMs)
  if (wanted > DATAPOINTS_MAX)
    throw metricParametersConflict(
      `You have requested up to ${wanted} datapoints, which exceeds the limit of ${DATAPOINTS_MAX}. You may reduce the datapoints requested by increasing Period, or decreasing the time range.`,
    )
  const { Namespace: namespace, MetricName: metricName, Unit: unit } = input
  const metric = { namespace, metricName, dimensions: dimensionsIn(input.Dimensions), unit }
  const sums = await metricData.sums(registry, metric, { since, until, periodMs })
  const counted = countedMetric(namespace, metricName)
  return {
    Label: metricName,
    Datapoints: [...sums].map(([startMs, amount]) => ({
      Timestamp: new Date(startMs),
      ...Object.fromEntries(Statistics.map((statistic) => [statistic, statisticOf(statistic, amount)])),
      ...(ExtendedStatistics.length === 0
        ? {}
        : {
            ExtendedStatistics: Object.fromEntries(ExtendedStatistics.map((name) => [name, statisticOf(name, amount)])),
          }),
      Unit: counted === undefined ? 'None' : UNITS[counted],
    })),
  }
}
