import { partitionOf } from '../../domain/arn.ts'
import { type DestinationTable, destinationOf, withoutSecrets } from '../../domain/eventbridge/destination.ts'
import { type Alarm, type AlarmActions, type AlarmStateValue, alarmArn } from '../../domain/metrics/alarm.ts'
import { alarmInvalid } from '../../domain/metrics/errors.ts'
import type { Registry } from '../../domain/names.ts'
import { OWN_RULES } from '../../stores/event-rules.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'

/** How many CloudWatch lets an alarm have for a state. */
const ACTIONS_MAX = 5
const STATES: readonly AlarmStateValue[] = ['ALARM', 'OK', 'INSUFFICIENT_DATA']

/** Throws `invalid-parameter` for an action that leads nowhere here: none is kept and never done. */
export function checkActions(actions: AlarmActions | undefined, registry: Registry, table: DestinationTable): void {
  for (const arns of Object.values(actions ?? {})) {
    if (arns.length > ACTIONS_MAX) throw alarmInvalid(`An alarm can have ${ACTIONS_MAX} actions for a state.`)
    for (const arn of arns) {
      const found = destinationOf(arn, registry, table)
      if (typeof found === 'string')
        throw alarmInvalid(`Invalid alarm action ${withoutSecrets(arn).slice(0, 1024)}: ${found}`)
    }
  }
}

/**
 * Keeps what an alarm does as rules of its own, one for each state, that find its changes and send them to its actions: so
 * they are delivered as all events are, at least once, however the process ends. Accounts do not see these rules.
 */
export async function keepActions(tx: MetadataWriter, alarm: Pick<Alarm, 'registry' | 'name' | 'definition'>) {
  const { registry, name, definition } = alarm
  const { last } = await tx.outbox.range()
  for (const value of STATES) {
    const arns = new Set(definition.actionsEnabled ? definition.actions?.[value] : [])
    const ruleName = ruleNameOf(name, value)
    const known = await tx.eventRules.find(registry, ruleName)
    if (arns.size === 0) {
      if (known !== undefined) await tx.eventRules.delete(known.id)
      continue
    }
    const pattern = JSON.stringify(patternOf(alarm, value))
    const rule = await tx.eventRules.put({ registry, name: ruleName, pattern, state: 'ENABLED', tags: [] })
    for (const target of await tx.eventRules.listTargets(rule.id))
      if (!arns.has(target.name)) await tx.eventRules.deleteTarget(rule.id, target.name)
    for (const arn of arns) await tx.eventRules.putTarget(rule.id, arn, { arn }, last)
  }
}

/** Removes the rules that carried out an alarm's actions. */
export async function dropActions(tx: MetadataWriter, registry: Registry, name: string): Promise<void> {
  for (const value of STATES) {
    const rule = await tx.eventRules.find(registry, ruleNameOf(name, value))
    if (rule !== undefined) await tx.eventRules.delete(rule.id)
  }
}

function ruleNameOf(alarmName: string, value: AlarmStateValue): string {
  return `${OWN_RULES}alarm/${value}/${alarmName}`
}

function patternOf(alarm: Pick<Alarm, 'registry' | 'name'>, value: AlarmStateValue): object {
  return {
    source: ['aws.cloudwatch'],
    'detail-type': ['CloudWatch Alarm State Change'],
    resources: [alarmArn(alarm, partitionOf(alarm.registry.region))],
    detail: { state: { value: [value] } },
  }
}
