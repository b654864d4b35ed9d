import type { EventsOperation } from './operation.ts'
import { ruleOutput } from './rule-output.ts'

const PAGE_ITEMS = 100

export const listRules: EventsOperation<'ListRules'> = async (input, call) => {
  const paging = { limit: input.Limit ?? PAGE_ITEMS, token: input.NextToken }
  const page = await call.eventRules.list(call, input.EventBusName, input.NamePrefix ?? '', paging)
  return { Rules: page.items.map(ruleOutput), NextToken: page.nextToken }
}
