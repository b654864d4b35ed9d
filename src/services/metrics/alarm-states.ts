import { partitionOf } from '../../domain/arn.ts'
import { type Alarm, type AlarmState, alarmArn, queriesOf } from '../../domain/metrics/alarm.ts'
import type { MetricQuery } from '../../domain/metrics/math/queries.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'

/**
 * Puts an alarm into a state; when that is another one, the same transaction tells rules of EventBridge. False: somebody has
 * changed the alarm meanwhile.
 */
export async function changeState(
  tx: MetadataWriter,
  alarm: Alarm,
  { value, reason, reasonData }: Pick<AlarmState, 'value' | 'reason' | 'reasonData'>,
  now: Date,
): Promise<boolean> {
  const { state: before } = alarm
  const isOther = before.value !== value
  const state = { value, reason, reasonData, updatedAt: now, changedAt: isOther ? now : before.changedAt }
  if (!(await tx.alarms.setState(alarm, state))) return false
  if (isOther)
    await tx.outbox.append({
      registry: alarm.registry,
      source: 'aws.cloudwatch',
      detailType: 'CloudWatch Alarm State Change',
      resources: [alarmArn(alarm, partitionOf(alarm.registry.region))],
      at: now,
      detail: {
        alarmName: alarm.name,
        state: shown(state),
        previousState: shown(before),
        configuration: configurationOf(alarm),
      },
    })
  return true
}

function shown({ value, reason, reasonData, updatedAt }: AlarmState): object {
  return { value, reason, ...(reasonData === undefined ? {} : { reasonData }), timestamp: updatedAt.toISOString() }
}

function configurationOf({ definition }: Alarm): object {
  const { description } = definition
  return { ...(description === undefined ? {} : { description }), metrics: queriesOf(definition).map(shownQuery) }
}

function shownQuery({ id, label, expression, metric, isReturned }: MetricQuery): object {
  const named = label === undefined ? {} : { label }
  if (metric === undefined) return { id, expression, ...named, returnData: isReturned }
  const { namespace, metricName: name, dimensions, periodSeconds: period, statistic: stat } = metric
  const about = Object.fromEntries(dimensions.map(({ name, value }) => [name, value]))
  return {
    id,
    metricStat: { metric: { namespace, name, dimensions: about }, period, stat },
    ...named,
    returnData: isReturned,
  }
}
