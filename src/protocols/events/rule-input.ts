import { eventInputInvalid } from '../../domain/eventbridge/errors.ts'
import { eventRuleArn } from '../../domain/eventbridge/rule.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { NamedRule } from '../../services/events/event-rule-access.ts'
import { homeOf } from '../../services/kms/key-access.ts'
import type { EventsCall } from './operation.ts'

/** The rule that an operation is about. */
export function ruleNamed(input: { readonly Name: string; readonly EventBusName?: string | undefined }): NamedRule {
  return { name: input.Name, bus: input.EventBusName }
}

const RULE = /:rule\/(?:default\/)?([.\-_A-Za-z0-9]+)$/

/** The rule of that ARN, of the caller's own account and region. Throws `event-input-invalid`. */
export function ruleOfArn(arn: string, call: EventsCall): NamedRule {
  const registry = homeOf(call)
  const name = RULE.exec(arn)?.[1]
  if (name === undefined || arn.replace(':rule/default/', ':rule/') !== eventRuleArn({ registry, name }))
    throw eventInputInvalid(
      'Parameter ResourceARN is not valid. Reason: it names no rule of the default event bus here.',
    )
  return { name }
}

export function tagsOf(given: readonly { readonly Key: string; readonly Value: string }[]): readonly ResourceTag[] {
  return given.map(({ Key, Value }) => ({ key: Key, value: Value }))
}
