import { eventInputInvalid } from '../../domain/eventbridge/errors.ts'
import { isJsonObject, type JsonObject, parseJson } from '../../domain/eventbridge/json.ts'
import { matchesEvent, parseEventPattern } from '../../domain/eventbridge/pattern.ts'
import { DEFAULT_BUS, eventBusArn } from '../../domain/eventbridge/rule.ts'
import type { Registry } from '../../domain/names.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { eventId } from './event-envelope.ts'
import type { EventCaller, EventRuleAccess } from './event-rule-access.ts'

/** All events of a request together. */
const BYTES_MAX = 1024 * 1024

/** An event of a caller's own. */
export interface EventEntry {
  readonly bus?: string | undefined
  readonly source?: string | undefined
  readonly detailType?: string | undefined
  readonly detail?: string | undefined
  readonly resources?: readonly string[] | undefined
  readonly at?: Date | undefined
}

/** What became of one entry. */
export type EntryOutcome = { readonly eventId: string } | { readonly errorCode: string; readonly errorMessage: string }

/** Members that an event must have to be tried with a pattern. */
const REQUIRED = ['id', 'detail-type', 'source', 'account', 'time', 'region', 'resources', 'detail']

/** Takes events of callers, which go the way of the registry's own. */
export class PutEvents {
  readonly #metadata: MetadataStore
  readonly #access: EventRuleAccess
  readonly #clock: Clock

  constructor(metadata: MetadataStore, access: EventRuleAccess, clock: Clock) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
  }

  /** Each entry succeeds or fails alone; what succeeded is durable together. Throws `event-input-invalid` when they are too large. */
  async put(caller: EventCaller, entries: readonly EventEntry[]): Promise<readonly EntryOutcome[]> {
    const sources = entries.flatMap(({ source }) => (source === undefined ? [] : [source]))
    const types = entries.flatMap(({ detailType }) => (detailType === undefined ? [] : [detailType]))
    const facts = { 'events:source': sources, 'events:detail-type': types }
    const registry = await this.#access.authorizeBus(caller, undefined, { action: 'events:PutEvents', facts })
    if (entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > BYTES_MAX)
      throw eventInputInvalid('Total size of the entries in the request is over the limit.')
    return this.#metadata.transact(async (tx) => {
      const outcomes: EntryOutcome[] = []
      for (const entry of entries) {
        const event = this.#eventOf(entry, registry)
        if ('errorCode' in event) outcomes.push(event)
        else outcomes.push({ eventId: eventId({ ...event, position: await tx.outbox.append(event) }) })
      }
      return outcomes
    })
  }

  /** Whether a pattern would find an event. Throws `event-pattern-invalid`, `event-input-invalid`. */
  async test(caller: EventCaller, pattern: string, event: string): Promise<boolean> {
    await this.#access.authorizeBus(caller, undefined, { action: 'events:TestEventPattern' })
    const parsed = parseEventPattern(pattern)
    const document = parseJson(event)
    if (!isJsonObject(document)) throw eventInputInvalid('Parameter Event is not valid JSON.')
    const missing = REQUIRED.find((name) => !Object.hasOwn(document, name))
    if (missing !== undefined)
      throw eventInputInvalid(`Parameter Event is not valid. Reason: it has no member ${missing}.`)
    return matchesEvent(parsed, document)
  }

  #eventOf(entry: EventEntry, registry: Registry) {
    const { bus, source = '', detailType = '', detail = '', resources = [], at = this.#clock.now() } = entry
    if (bus !== undefined && bus !== DEFAULT_BUS && bus !== eventBusArn(registry))
      return failure('ResourceNotFoundException', `Event bus ${bus} does not exist.`)
    for (const [name, given] of Object.entries({ Source: source, DetailType: detailType, Detail: detail }))
      if (given === '')
        return failure('InvalidArgument', `Parameter ${name} is not valid. Reason: ${name} is a required argument.`)
    if (source.startsWith('aws.')) return failure('NotAuthorizedForSourceException', 'Not authorized for the source.')
    const document = parseJson(detail)
    if (!isJsonObject(document)) return failure('MalformedDetail', 'Detail is malformed.')
    const parsed: JsonObject = document
    return { registry, source, detailType, resources, at, detail: parsed }
  }
}

function failure(errorCode: string, errorMessage: string) {
  return { errorCode, errorMessage }
}

/** As EventBridge counts it. */
function sizeOf({ source = '', detailType = '', detail = '', resources = [], at }: EventEntry): number {
  const texts = [source, detailType, detail, ...resources]
  return (at === undefined ? 0 : 14) + texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
}
