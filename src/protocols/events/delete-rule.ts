import type { EventsOperation } from './operation.ts'
import { ruleNamed } from './rule-input.ts'

/** `Force` is about rules that services of AWS manage; there are none here. */
export const deleteRule: EventsOperation<'DeleteRule'> = async (input, call) => {
  await call.eventRules.delete(call, ruleNamed(input))
  return {}
}
