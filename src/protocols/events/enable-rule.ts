import type { EventsOperation } from './operation.ts'
import { ruleNamed } from './rule-input.ts'

export const enableRule: EventsOperation<'EnableRule'> = async (input, call) => {
  await call.eventRules.setState(call, ruleNamed(input), 'ENABLED')
  return {}
}
