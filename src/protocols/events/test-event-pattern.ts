import type { EventsOperation } from './operation.ts'

export const testEventPattern: EventsOperation<'TestEventPattern'> = async (input, call) => ({
  Result: await call.putEvents.test(call, input.EventPattern, input.Event),
})
