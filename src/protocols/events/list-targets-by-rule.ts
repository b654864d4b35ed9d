import type { EventsOperation } from './operation.ts'
import { targetOutput } from './target-output.ts'

const PAGE_ITEMS = 100

export const listTargetsByRule: EventsOperation<'ListTargetsByRule'> = async (input, call) => {
  const rule = { name: input.Rule, bus: input.EventBusName }
  const page = await call.eventTargets.list(call, rule, { limit: input.Limit ?? PAGE_ITEMS, token: input.NextToken })
  return { Targets: page.items.map(targetOutput), NextToken: page.nextToken }
}
