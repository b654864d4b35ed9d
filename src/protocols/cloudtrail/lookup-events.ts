import { auditMaxResultsInvalid, auditNextTokenInvalid, auditTimeRangeInvalid } from '../../domain/audit/errors.ts'
import type { AuditAttribute, AuditedEvent, AuditHistory } from '../../services/audit/audit-history.ts'
import type { AwsCall } from '../aws/context.ts'

/** What CloudTrail's operations use. */
export interface CloudTrailServices {
  /** Absent: nothing is written down here. */
  readonly auditHistory: AuditHistory | undefined
}

interface LookupEventsInput {
  readonly LookupAttributes?: readonly { readonly AttributeKey: AuditAttribute; readonly AttributeValue: string }[]
  readonly StartTime?: Date
  readonly EndTime?: Date
  readonly EventCategory?: string
  readonly MaxResults?: number
  readonly NextToken?: string
}

const RESULTS_MAX = 50

/** The history of the caller's account in the region, newest first. Insights are not made here: there are none. */
export async function lookupEvents(
  input: LookupEventsInput,
  { call, services }: { readonly call: AwsCall; readonly services: CloudTrailServices },
): Promise<object> {
  const { StartTime: since, EndTime: until, MaxResults: limit = RESULTS_MAX, EventCategory } = input
  const [attribute] = input.LookupAttributes ?? []
  if (limit < 1 || limit > RESULTS_MAX) throw auditMaxResultsInvalid(RESULTS_MAX)
  if (since !== undefined && until !== undefined && since > until) throw auditTimeRangeInvalid()
  const before = input.NextToken === undefined ? undefined : positionOf(input.NextToken)
  const { auditHistory } = services
  if (EventCategory === 'insight' || auditHistory === undefined) return { Events: [] }
  const { events, next } = await auditHistory.lookup(call.principal, call.region, {
    attribute: attribute && { name: attribute.AttributeKey, value: attribute.AttributeValue },
    since,
    until,
    before,
    limit,
  })
  return { Events: events.map(toEvent), ...(next === undefined ? {} : { NextToken: tokenOf(next) }) }
}

function toEvent(event: AuditedEvent): object {
  const { eventId, eventName, eventSource, eventTime, isReadOnly, accessKeyId, userName, resources, record } = event
  return {
    EventId: eventId,
    EventName: eventName,
    ReadOnly: String(isReadOnly),
    ...(accessKeyId === undefined ? {} : { AccessKeyId: accessKeyId }),
    EventTime: eventTime,
    EventSource: eventSource,
    ...(userName === undefined ? {} : { Username: userName }),
    Resources: resources.map(({ name, type }) => ({ ResourceType: type, ResourceName: name })),
    CloudTrailEvent: record,
  }
}

const TOKEN = /^before:(\d{1,15})$/

function tokenOf(position: number): string {
  return Buffer.from(`before:${position}`).toString('base64url')
}

function positionOf(token: string): number {
  const position = TOKEN.exec(Buffer.from(token, 'base64url').toString())?.[1]
  if (position === undefined) throw auditNextTokenInvalid()
  return Number(position)
}
