import type { EventsOperation } from './operation.ts'
import { ruleNamed } from './rule-input.ts'

export const disableRule: EventsOperation<'DisableRule'> = async (input, call) => {
  await call.eventRules.setState(call, ruleNamed(input), 'DISABLED')
  return {}
}
