import type { EventsOperation } from './operation.ts'
import { ruleOfArn, tagsOf } from './rule-input.ts'

export const tagResource: EventsOperation<'TagResource'> = async (input, call) => {
  await call.eventRules.putTags(call, ruleOfArn(input.ResourceARN, call), tagsOf(input.Tags))
  return {}
}
