import { eventInputInvalid } from '../../domain/eventbridge/errors.ts'
import type { EventsOperation } from './operation.ts'

export const putEvents: EventsOperation<'PutEvents'> = async (input, call) => {
  if (input.EndpointId !== undefined)
    throw eventInputInvalid('Parameter EndpointId is not valid. Reason: global endpoints are not supported here.')
  const outcomes = await call.putEvents.put(
    call,
    input.Entries.map((entry) => ({
      bus: entry.EventBusName,
      source: entry.Source,
      detailType: entry.DetailType,
      detail: entry.Detail,
      resources: entry.Resources,
      at: entry.Time,
    })),
  )
  return {
    FailedEntryCount: outcomes.filter((outcome) => 'errorCode' in outcome).length,
    Entries: outcomes.map((outcome) =>
      'errorCode' in outcome
        ? { ErrorCode: outcome.errorCode, ErrorMessage: outcome.errorMessage }
        : { EventId: outcome.eventId },
    ),
  }
}
