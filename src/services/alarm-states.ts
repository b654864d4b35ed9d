import { partitionOf } from '../domain/arn.ts'
import { type Alarm, type AlarmState, alarmArn } from '../domain/metrics/alarm.ts'
import type { MetadataWriter } from '../stores/metadata.ts'

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
  const { description, namespace, metricName, dimensions, statistic, periodSeconds, queryId } = definition
  const metric = {
    namespace,
    name: metricName,
    dimensions: Object.fromEntries(dimensions.map(({ name, value }) => [name, value])),
  }
  const metricStat = { metric, period: periodSeconds, stat: statistic }
  return {
    ...(description === undefined ? {} : { description }),
    metrics: [{ id: queryId ?? 'm1', metricStat, returnData: true }],
  }
}
