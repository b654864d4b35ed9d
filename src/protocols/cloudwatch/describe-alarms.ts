import { partitionOf } from '../../domain/arn.ts'
import { type Alarm, alarmArn } from '../../domain/metrics/alarm.ts'
import { alarmInvalid } from '../../domain/metrics/errors.ts'
import { STATISTICS } from '../../domain/metrics/statistics.ts'
import { type CloudWatchOperation, dimensionsOut } from './operation.ts'
import { printToken, readToken } from './tokens.ts'

const PAGE = 50

export const describeAlarms: CloudWatchOperation<'DescribeAlarms'> = async (input, call) => {
  const { AlarmNames, AlarmNamePrefix, StateValue, ActionPrefix, AlarmTypes, MaxRecords = PAGE } = input
  if (AlarmNames !== undefined && AlarmNamePrefix !== undefined)
    throw alarmInvalid('Either AlarmNames or AlarmNamePrefix can be given.')
  const [after] = readToken(input.NextToken, 1) ?? []
  const isForOthers =
    (AlarmTypes !== undefined && !AlarmTypes.includes('MetricAlarm')) ||
    // No alarm here has actions, parents or children.
    [ActionPrefix, input.ChildrenOfAlarmName, input.ParentsOfAlarmName].some((given) => given !== undefined)
  const isMeant = ({ name, state }: Alarm) =>
    !isForOthers &&
    (StateValue === undefined || state.value === StateValue) &&
    (AlarmNamePrefix === undefined || name.startsWith(AlarmNamePrefix))
  if (AlarmNames !== undefined) {
    const found = await call.alarms.getMany(call, AlarmNames)
    return { MetricAlarms: found.filter(isMeant).map(alarmOut), CompositeAlarms: [] }
  }
  const { alarms, next } = await call.alarms.list(call, isMeant, after, MaxRecords)
  return {
    MetricAlarms: alarms.map(alarmOut),
    CompositeAlarms: [],
    ...(next === undefined ? {} : { NextToken: printToken([next]) }),
  }
}

function alarmOut(alarm: Alarm): object {
  const { definition, state } = alarm
  return {
    AlarmName: alarm.name,
    AlarmArn: alarmArn(alarm, partitionOf(alarm.registry.region)),
    AlarmDescription: definition.description,
    AlarmConfigurationUpdatedTimestamp: alarm.configuredAt,
    ActionsEnabled: definition.actionsEnabled,
    OKActions: [],
    AlarmActions: [],
    InsufficientDataActions: [],
    StateValue: state.value,
    StateReason: state.reason,
    StateReasonData: state.reasonData,
    StateUpdatedTimestamp: state.updatedAt,
    ...(definition.queryId === undefined ? metricOut(alarm) : { Dimensions: [] }),
    EvaluationPeriods: definition.evaluationPeriods,
    DatapointsToAlarm: definition.datapointsToAlarm,
    Threshold: definition.threshold,
    ComparisonOperator: definition.comparison,
    TreatMissingData: definition.treatMissingData,
    EvaluateLowSampleCountPercentile: definition.evaluateLowSampleCountPercentile,
    ...(definition.queryId === undefined ? {} : { Metrics: [queryOut(alarm)] }),
    StateTransitionedTimestamp: state.changedAt,
  }
}

function metricOut({ definition }: Alarm): object {
  const { namespace, metricName, dimensions, statistic, periodSeconds, unit } = definition
  const isSimple = STATISTICS.some((known) => known === statistic)
  return {
    MetricName: metricName,
    Namespace: namespace,
    ...(isSimple ? { Statistic: statistic } : { ExtendedStatistic: statistic }),
    Dimensions: dimensionsOut(dimensions),
    Period: periodSeconds,
    Unit: unit,
  }
}

function queryOut({ definition }: Alarm): object {
  const { namespace: Namespace, metricName: MetricName, dimensions, queryId, queryLabel } = definition
  return {
    Id: queryId,
    Label: queryLabel,
    MetricStat: {
      Metric: { Namespace, MetricName, Dimensions: dimensionsOut(dimensions) },
      Period: definition.periodSeconds,
      Stat: definition.statistic,
      Unit: definition.unit,
    },
    ReturnData: true,
  }
}
