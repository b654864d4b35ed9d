import type { EventsOperation } from './operation.ts'
import { ruleOfArn } from './rule-input.ts'

export const untagResource: EventsOperation<'UntagResource'> = async (input, call) => {
  await call.eventRules.deleteTags(call, ruleOfArn(input.ResourceARN, call), input.TagKeys)
  return {}
}
