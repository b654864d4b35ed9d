import { type AlarmDefinition, COMPARISONS, type Comparison, type MissingData } from '../../domain/metrics/alarm.ts'
import { alarmInvalid } from '../../domain/metrics/errors.ts'
import { checkStatistic } from './get-metric-data.ts'
import { type CloudWatchInput, type CloudWatchOperation, dimensionsIn } from './operation.ts'

type Input = CloudWatchInput<'PutMetricAlarm'>

const DAY_SECONDS = 86_400
const HOUR_SECONDS = 3_600
const MISSING_DATA: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching']

export const putMetricAlarm: CloudWatchOperation<'PutMetricAlarm'> = async (input, call) => {
  const tags = (input.Tags ?? []).map(({ Key: key, Value: value }) => ({ key, value }))
  await call.alarms.put(call, input.AlarmName, definitionIn(input), tags)
  return {}
}

function definitionIn(input: Input): AlarmDefinition {
  refuseWhatIsNotDone(input)
  const { EvaluationPeriods, Threshold, ComparisonOperator, DatapointsToAlarm, TreatMissingData } = input
  if (EvaluationPeriods === undefined) throw alarmInvalid('EvaluationPeriods must be given.')
  if (Threshold === undefined) throw alarmInvalid('Threshold must be given.')
  if (ComparisonOperator === undefined || !isComparison(ComparisonOperator))
    throw alarmInvalid(`ComparisonOperator must be one of ${Object.keys(COMPARISONS).join(', ')}.`)
  if (DatapointsToAlarm !== undefined && DatapointsToAlarm > EvaluationPeriods)
    throw alarmInvalid('DatapointsToAlarm must be less than or equal to EvaluationPeriods.')
  const treatment = MISSING_DATA.find((known) => known === TreatMissingData)
  if (TreatMissingData !== undefined && treatment === undefined)
    throw alarmInvalid(`The value ${TreatMissingData.slice(0, 100)} for parameter TreatMissingData is not supported.`)
  const metric = metricIn(input)
  checkPeriod(metric.periodSeconds, EvaluationPeriods)
  return {
    description: input.AlarmDescription,
    actionsEnabled: input.ActionsEnabled ?? true,
    ...metric,
    evaluationPeriods: EvaluationPeriods,
    datapointsToAlarm: DatapointsToAlarm,
    threshold: Threshold,
    comparison: ComparisonOperator,
    treatMissingData: treatment,
    evaluateLowSampleCountPercentile: input.EvaluateLowSampleCountPercentile,
  }
}

type WatchedMetric = Pick<
  AlarmDefinition,
  'namespace' | 'metricName' | 'dimensions' | 'statistic' | 'periodSeconds' | 'unit' | 'queryId' | 'queryLabel'
>

/** Named by itself, or as the one member of `Metrics`. */
function metricIn(input: Input): WatchedMetric {
  const { Metrics = [], Namespace, MetricName, Statistic, ExtendedStatistic, Period, Unit } = input
  if (Metrics.length === 0) {
    const statistic = Statistic ?? ExtendedStatistic
    if (Namespace === undefined || MetricName === undefined || Period === undefined || statistic === undefined)
      throw alarmInvalid('Namespace, MetricName, Period and one of Statistic and ExtendedStatistic must be given.')
    if (Statistic !== undefined && ExtendedStatistic !== undefined)
      throw alarmInvalid('Only one of Statistic and ExtendedStatistic can be given.')
    checkStatistic(statistic)
    const dimensions = dimensionsIn(input.Dimensions)
    return { namespace: Namespace, metricName: MetricName, dimensions, statistic, periodSeconds: Period, unit: Unit }
  }
  const single = [Namespace, MetricName, Statistic, ExtendedStatistic, Period, Unit, input.Dimensions]
  if (single.some((given) => given !== undefined))
    throw alarmInvalid('Metrics cannot be given together with a metric that is named by itself.')
  const [query] = Metrics
  if (Metrics.length > 1 || query?.MetricStat === undefined || query.Expression !== undefined)
    throw alarmInvalid('Ecru evaluates no expressions: Metrics must have one member, with MetricStat.')
  if (query.ReturnData === false) throw alarmInvalid('The metric of an alarm must have ReturnData true.')
  const { Metric, Stat, Period: periodSeconds, Unit: unit } = query.MetricStat
  checkStatistic(Stat)
  return {
    namespace: Metric.Namespace ?? '',
    metricName: Metric.MetricName ?? '',
    dimensions: dimensionsIn(Metric.Dimensions),
    ...{ statistic: Stat, periodSeconds, unit, queryId: query.Id, queryLabel: query.Label },
  }
}

function checkPeriod(periodSeconds: number, evaluationPeriods: number): void {
  if (periodSeconds % 60 !== 0) throw alarmInvalid('Period must be a multiple of 60.')
  const most = periodSeconds >= HOUR_SECONDS ? 7 * DAY_SECONDS : DAY_SECONDS
  if (periodSeconds * evaluationPeriods > most)
    throw alarmInvalid(`Metrics cannot be checked across more than ${most === DAY_SECONDS ? 'a day' : 'seven days'}.`)
}

/** What this registry could only keep and never act on. */
function refuseWhatIsNotDone(input: Input): void {
  const actions = [input.AlarmActions, input.OKActions, input.InsufficientDataActions]
  if (actions.some((given) => given !== undefined && given.length > 0))
    throw alarmInvalid(
      "Ecru performs no actions of alarms: a rule of EventBridge for 'CloudWatch Alarm State Change' sends them to a target.",
    )
  if (input.ThresholdMetricId !== undefined) throw alarmInvalid('Ecru detects no anomalies: Threshold must be given.')
  if (input.EvaluationCriteria !== undefined || input.EvaluationInterval !== undefined)
    throw alarmInvalid('Ecru evaluates no PromQL: EvaluationCriteria and EvaluationInterval cannot be given.')
}

function isComparison(text: string): text is Comparison {
  return Object.hasOwn(COMPARISONS, text)
}
