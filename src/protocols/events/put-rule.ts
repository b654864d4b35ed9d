import { eventInputInvalid } from '../../domain/eventbridge/errors.ts'
import type { EventsOperation } from './operation.ts'
import { ruleNamed, tagsOf } from './rule-input.ts'

/** Rules find events here; none goes by a timetable, and there are no events of CloudTrail. */
export const putRule: EventsOperation<'PutRule'> = async (input, call) => {
  const { EventPattern: pattern, ScheduleExpression: schedule, State: state } = input
  if (schedule !== undefined && schedule !== '')
    throw eventInputInvalid(
      'Parameter ScheduleExpression is not valid. Reason: rules that run by a schedule are not supported here.',
    )
  if (pattern === undefined)
    throw eventInputInvalid('Parameter(s) EventPattern or ScheduleExpression must be specified.')
  if (state === 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS')
    throw eventInputInvalid(`Parameter State is not valid. Reason: ${state} is not supported here.`)
  const settings = {
    pattern,
    state,
    description: input.Description,
    roleArn: input.RoleArn,
    tags: tagsOf(input.Tags ?? []),
  }
  return { RuleArn: await call.eventRules.put(call, ruleNamed(input), settings) }
}
