import type { EventsOperation } from './operation.ts'
import { ruleOfArn } from './rule-input.ts'

export const listTagsForResource: EventsOperation<'ListTagsForResource'> = async (input, call) => {
  const tags = await call.eventRules.listTags(call, ruleOfArn(input.ResourceARN, call))
  return { Tags: tags.map(({ key, value }) => ({ Key: key, Value: value })) }
}
