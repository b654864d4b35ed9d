import type { EventsOperation } from './operation.ts'
import { targetOf } from './target-input.ts'

export const putTargets: EventsOperation<'PutTargets'> = async (input, call) => {
  const rule = { name: input.Rule, bus: input.EventBusName }
  await call.eventTargets.put(call, rule, input.Targets.map(targetOf))
  return { FailedEntryCount: 0, FailedEntries: [] }
}
