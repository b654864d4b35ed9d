import { createHash } from 'node:crypto'
import type { Json, JsonObject } from '../../domain/eventbridge/json.ts'
import type { OutboxEvent } from '../../stores/outbox.ts'

/** An event as EventBridge shows it. */
export interface EventEnvelope extends JsonObject {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': string
  readonly source: string
  readonly account: string
  /** ISO 8601, to the second. */
  readonly time: string
  readonly region: string
  readonly resources: readonly string[]
  readonly detail: Json
}

/** The envelope of an event; the same each time it is asked for, its id too. */
export function envelopeOf(event: OutboxEvent): EventEnvelope {
  return {
    version: '0',
    id: eventId(event),
    'detail-type': event.detailType,
    source: event.source,
    account: event.registry.registryId,
    time: event.at.toISOString().replace(/\.\d{3}Z$/, 'Z'),
    region: event.registry.region,
    resources: event.resources,
    detail: event.detail as Json,
  }
}

/** In the form of a UUID (version 8: made from what it names), so that who gets an event twice knows it. */
export function eventId({ position, registry, at }: Pick<OutboxEvent, 'position' | 'registry' | 'at'>): string {
  const named = JSON.stringify([position, registry.registryId, registry.region, at.getTime()])
  const hex = createHash('sha256').update(named).digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
