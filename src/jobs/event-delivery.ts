import type { Delivery, DeliveryOutcome } from '../domain/eventbridge/delivery.ts'
import { backOffMs } from '../domain/eventbridge/delivery.ts'
import { type DestinationTable, destinationOf } from '../domain/eventbridge/destination.ts'
import { targetText } from '../domain/eventbridge/input.ts'
import { matchesEvent, parseEventPattern } from '../domain/eventbridge/pattern.ts'
import { eventRuleArn, inputOf, retryLimits } from '../domain/eventbridge/rule.ts'
import { isExtension } from '../domain/events.ts'
import { Budget } from '../lib/budget.ts'
import type { Clock } from '../lib/clock.ts'
import type { Logger } from '../lib/logger.ts'
import { type EventEnvelope, envelopeOf } from '../services/events/event-envelope.ts'
import type { PlacedEventTarget } from '../stores/event-rules.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { OutboxEvent } from '../stores/outbox.ts'

/** What takes deliveries to where they go; never throws. */
export interface EventSender {
  send(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome>
}

export interface DeliverySettings {
  readonly destinations: DestinationTable
  /** Whether rules also see what ECR tells nobody: pulls, repositories. */
  readonly tellsExtensions: boolean
}

const BATCH = 50
/** All targets that are served at a time hold so much each, at most, beside the one event that is larger. */
const BATCH_BYTES = 256 * 1024
/** How many targets are served at a time; a slow one takes one of these for as long as an attempt lasts. */
const AT_A_TIME = 32
/** Events that are not for a target are passed over in memory until there are so many. */
const PASSED_MAX = 200
/** And not longer than this, so that whoever asks how far a target is behind hears what waits for it. */
const PASS_EVERY_MS = 5_000
/** Looks that come together make one. */
const GATHER_MS = 10
/** How long a target keeps its place. */
const TURN_MS = 5_000
const WAKE_MS_MAX = 60_000
const RETRY_AFTER_MS_MAX = 3_600_000
const REASON_LENGTH_MAX = 500

/** How attempts ended since the process began; `givenUp`: events that nobody tries again. */
export interface DeliveryCounts {
  delivered: number
  failed: number
  givenUp: number
}

type Served = 'idle' | 'waiting' | 'moved'

/**
 * Brings events to the targets of rules: each target on its own, in the order of the log, one event after the other. How far
 * a target has come stands in the store, and moves only once an event was delivered or given up; so an event is delivered at
 * least once, whenever the process ends. An event is sent only once its change is on the disk.
 */
export class EventDelivery {
  readonly counts: DeliveryCounts = { delivered: 0, failed: 0, givenUp: 0 }
  readonly #metadata: MetadataStore
  readonly #sender: EventSender
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #settings: DeliverySettings
  readonly #closing = new AbortController()
  readonly #budget = new Budget(AT_A_TIME)
  /** Targets that are being served, and whether any event was done with. */
  readonly #serving = new Map<number, Promise<boolean>>()
  /** When targets were last put behind events that are not for them. */
  readonly #passedMs = new Map<number, number>()
  #round: Promise<void> | undefined
  #asked = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerAtMs = Number.POSITIVE_INFINITY
  #isStarted = false

  constructor(metadata: MetadataStore, sender: EventSender, clock: Clock, logger: Logger, settings: DeliverySettings) {
    this.#metadata = metadata
    this.#sender = sender
    this.#clock = clock
    this.#logger = logger
    this.#settings = settings
  }

  start(): void {
    this.#isStarted = true
    this.#metadata.watchOutbox(() => this.look())
    this.look()
  }

  /** There may be something to deliver. Nothing unless started. */
  look(): void {
    if (!this.#isStarted || this.#closing.signal.aborted) return
    this.#asked++
    this.#wakeIn(GATHER_MS)
  }

  /** Delivers what is due, and answers when nothing more is: what failed waits for its next attempt. */
  async drain(): Promise<void> {
    for (;;) {
      await this.#look()
      const moved = await Promise.all(this.#serving.values())
      if (!moved.includes(true)) return
    }
  }

  /** Breaks off what is under way, and waits for it. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The registry is shutting down.'))
    clearTimeout(this.#timer)
    await this.#round
    await Promise.all(this.#serving.values())
  }

  #wakeIn(ms: number): void {
    const atMs = performance.now() + ms
    if (atMs >= this.#timerAtMs || this.#closing.signal.aborted) return
    clearTimeout(this.#timer)
    this.#timerAtMs = atMs
    this.#timer = setTimeout(() => {
      this.#timerAtMs = Number.POSITIVE_INFINITY
      void this.#look()
    }, ms)
    this.#timer.unref()
  }

  /** Begins to serve every target that has nothing to wait for. */
  async #look(): Promise<void> {
    const round = (async () => {
      try {
        for (const { target } of await this.#metadata.view.eventRules.listActive()) this.#begin(target.id)
      } catch (error) {
        this.#report(error, 'it could not be looked for events to be delivered')
      }
    })()
    this.#round = round
    await round
  }

  #begin(targetId: number): void {
    if (this.#serving.has(targetId) || this.#closing.signal.aborted) return
    const asked = this.#asked
    const serving = this.#serve(targetId)
      .catch((error) => {
        this.#report(error, 'events could not be delivered')
        return false
      })
      .finally(() => {
        this.#serving.delete(targetId)
        // Something happened while it was served, which it may have passed by.
        if (this.#asked !== asked) this.#wakeIn(GATHER_MS)
      })
    this.#serving.set(targetId, serving)
  }

  async #serve(targetId: number): Promise<boolean> {
    const { signal } = this.#closing
    for (let startedAt: number | undefined; ; ) {
      const release = await this.#budget.take(1, signal)
      try {
        const placed = await this.#metadata.view.eventRules.findActive(targetId)
        startedAt ??= placed?.target.position
        if (placed === undefined) this.#passedMs.delete(targetId)
        const served = placed && (await this.#serveBatch(placed))
        if (served === 'moved') continue
        const endedAt = (await this.#metadata.view.eventRules.findActive(targetId))?.target.position
        return startedAt !== endedAt
      } finally {
        release()
      }
    }
  }

  /** The next events of a target. `moved`: there may be more. */
  async #serveBatch(placed: PlacedEventTarget): Promise<Served> {
    const { rule, target } = placed
    const waitMs = (target.trouble?.retryAt.getTime() ?? 0) - this.#clock.now().getTime()
    if (waitMs > 0) return this.#waits(waitMs)
    const { first, last } = await this.#metadata.view.outbox.range()
    if (target.trouble !== undefined && target.trouble.position < first) this.#tellForgotten(placed, first)
    const { outbox } = this.#metadata.view
    const { events, isEnd } = await outbox.page(target.position, BATCH, BATCH_BYTES, rule.registry)
    const pattern = parseEventPattern(rule.pattern)
    let { position } = target
    let passed = position
    let isSettled = false
    const startedMs = performance.now()
    for (const event of events) {
      const envelope = envelopeOf(event)
      passed = event.position
      if ((isExtension(event) && !this.#settings.tellsExtensions) || !matchesEvent(pattern, envelope)) continue
      // What a power loss could undo is not told.
      if (!isSettled) await this.#metadata.transact(async () => undefined)
      isSettled = true
      const served = await this.#deliver(placed, position, event, envelope)
      if (served !== 'idle') return served
      position = event.position
      // Others wait for the place of a slow target.
      if (performance.now() - startedMs > TURN_MS) return 'moved'
    }
    if (isEnd) passed = Math.max(passed, last)
    if (passed > position) {
      const isMany = !isEnd || passed - position >= PASSED_MAX || position !== target.position
      await this.#pass(target.id, position, passed, isMany)
    }
    return isEnd ? 'idle' : 'moved'
  }

  /** Puts a target behind events that are not for it: many at a time, or now and then, so that this costs few writes. */
  async #pass(targetId: number, from: number, to: number, isMany: boolean): Promise<void> {
    const nowMs = performance.now()
    const passedMs = this.#passedMs.get(targetId) ?? Number.NEGATIVE_INFINITY
    if (!isMany && nowMs - passedMs < PASS_EVERY_MS) return this.#wakeIn(PASS_EVERY_MS)
    this.#passedMs.set(targetId, nowMs)
    await this.#metadata.transact((tx) => tx.eventRules.advance(targetId, from, to), RELAXED)
  }

  /** `idle`: the event is done with, and the target has come to it. `moved`: somebody put the target elsewhere. */
  async #deliver(
    { rule, target }: PlacedEventTarget,
    from: number,
    event: OutboxEvent,
    envelope: EventEnvelope,
  ): Promise<Served> {
    const { settings } = target
    const facts = { ruleName: rule.name, ruleArn: eventRuleArn(rule), ingestedAt: event.at }
    const input = targetText(inputOf(settings), envelope, facts)
    const message = { eventId: envelope.id, input, http: settings.http, messageGroupId: settings.messageGroupId }
    const outcome = await this.#send({ rule, target }, settings.arn, message)
    if (outcome === undefined) return 'waiting'
    const { kind } = outcome
    if (kind === 'delivered') {
      this.counts.delivered++
      return this.#advance(target.id, from, event.position)
    }
    const now = this.#clock.now()
    const { attempts: before, since } =
      target.trouble?.position === event.position ? target.trouble : { attempts: 0, since: now }
    const attempts = before + 1
    const { attemptsMax, ageMsMax } = retryLimits(settings)
    const asked = kind === 'failed' ? Math.min(outcome.retryAfterMs ?? 0, RETRY_AFTER_MS_MAX) : 0
    const retryAt = new Date(now.getTime() + Math.max(backOffMs(attempts), asked))
    const reason = outcome.reason.slice(0, REASON_LENGTH_MAX)
    const isGivenUp = kind === 'refused' || attempts > attemptsMax || retryAt.getTime() - since.getTime() > ageMsMax
    const trouble = { position: event.position, attempts, since, retryAt, reason }
    if (!isGivenUp) {
      this.counts.failed++
      await this.#metadata.transact((tx) => tx.eventRules.noteTrouble(target.id, from, trouble), RELAXED)
      return this.#waits(retryAt.getTime() - now.getTime())
    }
    this.counts.givenUp++
    if (settings.deadLetterArn !== undefined) await this.#send({ rule, target }, settings.deadLetterArn, message)
    this.#logger.warn({ rule: rule.name, target: target.name, event: envelope.id, attempts, reason }, 'event given up')
    const isAdvanced = await this.#metadata.transact(async (tx) => {
      if (!(await tx.eventRules.advance(target.id, from, event.position))) return false
      await tx.eventRules.addDeadLetter({
        registry: rule.registry,
        ruleName: rule.name,
        targetName: target.name,
        targetArn: settings.arn,
        position: event.position,
        attempts,
        reason,
        at: now,
        input,
      })
      return true
    })
    return isAdvanced ? 'idle' : 'moved'
  }

  /** `undefined`: the registry is shutting down, and how it ended does not count. */
  async #send(
    { rule }: PlacedEventTarget,
    arn: string,
    message: Omit<Delivery, 'arn' | 'destination'>,
  ): Promise<DeliveryOutcome | undefined> {
    const destination = destinationOf(arn, rule.registry, this.#settings.destinations)
    if (typeof destination === 'string') return { kind: 'failed', reason: destination }
    const outcome = await this.#sender.send({ ...message, arn, destination }, this.#closing.signal)
    return outcome.kind !== 'delivered' && this.#closing.signal.aborted ? undefined : outcome
  }

  async #advance(targetId: number, from: number, to: number): Promise<Served> {
    const isThere = await this.#metadata.transact((tx) => tx.eventRules.advance(targetId, from, to), RELAXED)
    return isThere ? 'idle' : 'moved'
  }

  /** What is older than the log is kept, or too much for it, is lost for a target that did not take it in time. */
  #tellForgotten({ rule, target }: PlacedEventTarget, first: number): void {
    const facts = { rule: rule.name, target: target.name, from: target.trouble?.position, to: first - 1 }
    this.#logger.warn(facts, 'events were forgotten before a target took them')
  }

  #waits(ms: number): Served {
    this.#wakeIn(Math.min(Math.max(ms, GATHER_MS), WAKE_MS_MAX))
    return 'waiting'
  }

  #report(error: unknown, what: string): void {
    if (this.#closing.signal.aborted) return
    this.#logger.error({ error: error instanceof Error ? error : new Error(String(error)) }, what)
    this.#wakeIn(WAKE_MS_MAX)
  }
}

/** What is repeated when it was lost. */
const RELAXED = { durability: 'relaxed' } as const
