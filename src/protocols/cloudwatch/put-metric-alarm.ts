import {
  type AlarmActions,
  type AlarmDefinition,
  COMPARISONS,
  type Comparison,
  type MissingData,
  type WatchedMetric,
  type WatchedQueries,
} from '../../domain/metrics/alarm.ts'
import { alarmInvalid } from '../../domain/metrics/errors.ts'
import { type MetricQuery, QuerySet } from '../../domain/metrics/math/queries.ts'
import { checkPeriod as checkMinutes, checkStatistic, queriesIn } from './metric-queries.ts'
import { type CloudWatchInput, type CloudWatchOperation, dimensionsIn } from './operation.ts'

type Input = CloudWatchInput<'PutMetricAlarm'>

const DAY_SECONDS = 86_400
const HOUR_SECONDS = 3_600
/** How many metrics an alarm may have, and how many expressions. */
const METRICS_MAX = 10
const MISSING_DATA: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching']

export const putMetricAlarm: CloudWatchOperation<'PutMetricAlarm'> = async (input, call) => {
  const tags = (input.Tags ?? []).map(({ Key: key, Value: value }) => ({ key, value }))
  await call.alarms.put(call, input.AlarmName, await definitionIn(input, call.principal.accountId), tags)
  return {}
}

async function definitionIn(input: Input, accountId: string): Promise<AlarmDefinition> {
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
  const watched = await watchedIn(input, accountId)
  checkSpan(watched.periodSeconds, EvaluationPeriods)
  return {
    description: input.AlarmDescription,
    actionsEnabled: input.ActionsEnabled ?? true,
    actions: actionsIn(input),
    ...watched,
    evaluationPeriods: EvaluationPeriods,
    datapointsToAlarm: DatapointsToAlarm,
    threshold: Threshold,
    comparison: ComparisonOperator,
    treatMissingData: treatment,
    evaluateLowSampleCountPercentile: input.EvaluateLowSampleCountPercentile,
  }
}

type Watched = (WatchedMetric | WatchedQueries) & { readonly periodSeconds: number }

/** Named by itself, or by `Metrics`. */
async function watchedIn(input: Input, accountId: string): Promise<Watched> {
  const { Metrics = [], Namespace, MetricName, Statistic, ExtendedStatistic, Period, Unit } = input
  if (Metrics.length === 0) {
    const statistic = Statistic ?? ExtendedStatistic
    if (Namespace === undefined || MetricName === undefined || Period === undefined || statistic === undefined)
      throw alarmInvalid('Namespace, MetricName, Period and one of Statistic and ExtendedStatistic must be given.')
    if (Statistic !== undefined && ExtendedStatistic !== undefined)
      throw alarmInvalid('Only one of Statistic and ExtendedStatistic can be given.')
    checkStatistic(statistic)
    checkMinutes(Period)
    const dimensions = dimensionsIn(input.Dimensions)
    return { namespace: Namespace, metricName: MetricName, dimensions, statistic, periodSeconds: Period, unit: Unit }
  }
  const single = [Namespace, MetricName, Statistic, ExtendedStatistic, Period, Unit, input.Dimensions]
  if (single.some((given) => given !== undefined))
    throw alarmInvalid('Metrics cannot be given together with a metric that is named by itself.')
  return watchedQueries(queriesIn(Metrics, accountId))
}

/** One metric, or metrics and the expression over them that decides. */
async function watchedQueries(queries: readonly MetricQuery[]): Promise<Watched> {
  const metrics = queries.flatMap(({ metric }) => (metric === undefined ? [] : [metric]))
  if (metrics.length > METRICS_MAX || queries.length - metrics.length > METRICS_MAX)
    throw alarmInvalid(`An alarm can have ${METRICS_MAX} metrics and ${METRICS_MAX} expressions.`)
  const [returned, ...more] = queries.filter(({ isReturned }) => isReturned)
  if (returned === undefined || more.length > 0)
    throw alarmInvalid('Exactly one element of the metrics list should return data.')
  const [only] = queries
  if (queries.length === 1 && only?.metric !== undefined)
    return { ...only.metric, queryId: only.id, queryLabel: only.label }
  if (new Set(metrics.map(({ periodSeconds }) => periodSeconds)).size > 1)
    throw alarmInvalid('All metrics of an alarm must have the same period.')
  const set = await QuerySet.of(queries)
  const nothing = async () => ({ label: '', points: new Map<number, number>() })
  const { kind } = await set.evaluate(returned.id, nothing, (seconds) => ({
    startMs: 0,
    endMs: 0,
    periodMs: seconds * 1000,
  }))
  if (kind !== 'line') throw alarmInvalid(`Error in expression '${returned.id}': An alarm needs a single time series.`)
  return { queries, periodSeconds: set.periodSecondsOf(returned.id) }
}

function checkSpan(periodSeconds: number, evaluationPeriods: number): void {
  const most = periodSeconds >= HOUR_SECONDS ? 7 * DAY_SECONDS : DAY_SECONDS
  if (periodSeconds * evaluationPeriods > most)
    throw alarmInvalid(`Metrics cannot be checked across more than ${most === DAY_SECONDS ? 'a day' : 'seven days'}.`)
}

function actionsIn({ AlarmActions, OKActions, InsufficientDataActions }: Input): AlarmActions | undefined {
  const given = { ALARM: AlarmActions, OK: OKActions, INSUFFICIENT_DATA: InsufficientDataActions }
  const there = Object.entries(given).filter(([, arns]) => arns !== undefined && arns.length > 0)
  return there.length === 0 ? undefined : Object.fromEntries(there)
}

/** What this registry could only keep and never act on. */
function refuseWhatIsNotDone(input: Input): void {
  if (input.ThresholdMetricId !== undefined) throw alarmInvalid('Ecru detects no anomalies: Threshold must be given.')
  if (input.EvaluationCriteria !== undefined || input.EvaluationInterval !== undefined)
    throw alarmInvalid('Ecru evaluates no PromQL: EvaluationCriteria and EvaluationInterval cannot be given.')
}

function isComparison(text: string): text is Comparison {
  return Object.hasOwn(COMPARISONS, text)
}
