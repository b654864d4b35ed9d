import { partitionOf } from '../../domain/arn.ts'
import {
  type Alarm,
  type AlarmConditions,
  alarmArn,
  queriesOf,
  type WatchedMetric,
} from '../../domain/metrics/alarm.ts'
import { alarmInvalid } from '../../domain/metrics/errors.ts'
import { STATISTICS } from '../../domain/metrics/statistics.ts'
import { queryOut } from './metric-queries.ts'
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
    // No alarm here has parents or children.
    [input.ChildrenOfAlarmName, input.ParentsOfAlarmName].some((given) => given !== undefined)
  const isMeant = ({ name, state, definition }: Alarm) =>
    !isForOthers &&
    (ActionPrefix === undefined || actionsOf(definition).some((arn) => arn.startsWith(ActionPrefix))) &&
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
    OKActions: definition.actions?.OK ?? [],
    AlarmActions: definition.actions?.ALARM ?? [],
    InsufficientDataActions: definition.actions?.INSUFFICIENT_DATA ?? [],
    StateValue: state.value,
    StateReason: state.reason,
    StateReasonData: state.reasonData,
    StateUpdatedTimestamp: state.updatedAt,
    ...(definition.queries === undefined && definition.queryId === undefined
      ? metricOut(definition)
      : { Dimensions: [] }),
    EvaluationPeriods: definition.evaluationPeriods,
    DatapointsToAlarm: definition.datapointsToAlarm,
    Threshold: definition.threshold,
    ComparisonOperator: definition.comparison,
    TreatMissingData: definition.treatMissingData,
    EvaluateLowSampleCountPercentile: definition.evaluateLowSampleCountPercentile,
    ...(definition.queries === undefined && definition.queryId === undefined
      ? {}
      : { Metrics: queriesOf(definition).map(queryOut) }),
    StateTransitionedTimestamp: state.changedAt,
  }
}

function metricOut(definition: WatchedMetric & AlarmConditions): object {
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

function actionsOf({ actions = {} }: AlarmConditions): readonly string[] {
  return Object.values(actions).flat()
}
