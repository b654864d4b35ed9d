import type { EventsOperation } from './operation.ts'

/** `Force` is about rules that services of AWS manage; there are none here. */
export const removeTargets: EventsOperation<'RemoveTargets'> = async (input, call) => {
  await call.eventTargets.remove(call, { name: input.Rule, bus: input.EventBusName }, input.Ids)
  return { FailedEntryCount: 0, FailedEntries: [] }
}
