import { invalidParameter } from '../../domain/errors.ts'
import { eventRuleNotFound } from '../../domain/eventbridge/errors.ts'
import type { Registry } from '../../domain/names.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { OutboxEvent } from '../../stores/outbox.ts'
import { type EventEnvelope, envelopeOf } from './event-envelope.ts'

/** An event with its place in the log. */
export interface LoggedEvent {
  readonly position: number
  readonly event: EventEnvelope
}

export interface EventLogPage {
  readonly events: readonly LoggedEvent[]
  /** What to ask for next. */
  readonly after: number
}

/** Where a replay begins: at an event, or at a time. */
export type ReplayStart = { readonly position: number } | { readonly since: Date }

export interface ReplayReport {
  readonly rule: string
  readonly targets: readonly string[]
  /** The first event that is delivered again, if it is for the rule. */
  readonly position: number
}

/** How far the targets of rules have come. */
export interface TargetStatus {
  readonly account: string
  readonly region: string
  readonly rule: string
  readonly target: string
  readonly arn: string
  readonly position: number
  /** Events of all kinds that it has not been shown yet. */
  readonly behind: number
  readonly attempts: number
  readonly reason?: string | undefined
  readonly retryAt?: string | undefined
}

const PAGE = 500
/** Of what is read at a time. */
const BYTES_MAX = 4 * 1024 * 1024

/** The log of events, and what became of deliveries, as operators see them. */
export class EventLog {
  readonly #metadata: MetadataStore
  readonly #onReplay: () => void

  constructor(metadata: MetadataStore, onReplay: () => void) {
    this.#metadata = metadata
    this.#onReplay = onReplay
  }

  /** Up to `limit` events behind a position, fewer when they are large; without one, the newest. */
  async read(after: number | undefined, limit: number): Promise<EventLogPage> {
    const { outbox } = this.#metadata.view
    const from = after ?? Math.max(0, (await outbox.range()).last - limit)
    const { events } = await outbox.page(from, limit, BYTES_MAX)
    return { events: events.map(toLogged), after: events.at(-1)?.position ?? from }
  }

  /** Puts the targets of a rule (or one of them) back, or on, so that they get everything from there again. */
  async replay(registry: Registry, ruleName: string, start: ReplayStart, target?: string): Promise<ReplayReport> {
    const position = 'position' in start ? start.position : await this.#positionAt(start.since)
    const { first } = await this.#metadata.view.outbox.range()
    if (position < first && 'position' in start)
      throw invalidParameter('from', `Events are kept from position ${first} on`)
    const targets = await this.#metadata.transact(async (tx) => {
      const rule = await tx.eventRules.find(registry, ruleName)
      if (rule === undefined) throw eventRuleNotFound(ruleName)
      const chosen = (await tx.eventRules.listTargets(rule.id)).filter(({ name }) => (target ?? name) === name)
      for (const { id } of chosen) await tx.eventRules.rewind(id, position - 1)
      return chosen.map(({ name }) => name)
    })
    if (targets.length === 0) throw invalidParameter('target', `The rule ${ruleName} has no such target`)
    this.#onReplay()
    return { rule: ruleName, targets, position }
  }

  async status(): Promise<readonly TargetStatus[]> {
    const { last } = await this.#metadata.view.outbox.range()
    return (await this.#metadata.view.eventRules.listActive()).map(({ rule, target }) => ({
      account: rule.registry.registryId,
      region: rule.registry.region,
      rule: rule.name,
      target: target.name,
      arn: target.settings.arn,
      position: target.position,
      behind: Math.max(0, last - target.position),
      attempts: target.trouble?.attempts ?? 0,
      reason: target.trouble?.reason,
      retryAt: target.trouble?.retryAt.toISOString(),
    }))
  }

  /** What was given up, oldest first. */
  async deadLetters(after: number, limit: number): Promise<readonly object[]> {
    const letters = await this.#metadata.view.eventRules.listDeadLetters({ after, limit })
    return letters.map(({ registry, at, ...letter }) => ({
      account: registry.registryId,
      region: registry.region,
      ...letter,
      at: at.toISOString(),
    }))
  }

  /** Forgets what was given up, up to an id. */
  async forgetDeadLetters(upTo: number): Promise<number> {
    return this.#metadata.transact((tx) => tx.eventRules.deleteDeadLetters(upTo))
  }

  /** The first event that is not older. Events stand in the order of their commits, which is that of their times but for a clock that was put back. */
  async #positionAt(since: Date): Promise<number> {
    const { first, last } = await this.#metadata.view.outbox.range()
    for (let after = first - 1; ; ) {
      const times = await this.#metadata.view.outbox.listTimes(after, PAGE)
      const found = times.find(({ at }) => at >= since)
      if (found !== undefined) return found.position
      const end = times.at(-1)
      if (end === undefined || times.length < PAGE) return last + 1
      after = end.position
    }
  }
}

function toLogged(event: OutboxEvent): LoggedEvent {
  return { position: event.position, event: envelopeOf(event) }
}
