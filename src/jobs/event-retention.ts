import type { Clock } from '../lib/clock.ts'
import type { LogFacts } from '../lib/logger.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import { Pace } from './pace.ts'
import type { Job } from './runner.ts'

export interface RetentionSettings {
  readonly retentionMs: number
  readonly countMax: number
}

export interface RetentionReport {
  readonly events: number
  readonly deadLetters: number
}

const STEP = 500
const DEAD_LETTERS_MAX = 10_000

/** Forgets events that are old, or too many, and what could not be delivered of them. */
export class EventRetention implements Job<RetentionReport> {
  readonly name = 'event-retention'
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #settings: RetentionSettings

  constructor(metadata: MetadataStore, clock: Clock, settings: RetentionSettings) {
    this.#metadata = metadata
    this.#clock = clock
    this.#settings = settings
  }

  async run(signal: AbortSignal): Promise<RetentionReport> {
    const { retentionMs, countMax } = this.#settings
    const before = new Date(this.#clock.now().getTime() - retentionMs)
    const pace = new Pace(signal)
    const events = await this.#prune(pace, (tx) => tx.outbox.prune(before, countMax, STEP))
    const deadLetters = await this.#prune(pace, (tx) => tx.eventRules.pruneDeadLetters(before, DEAD_LETTERS_MAX, STEP))
    return { events, deadLetters }
  }

  summary(report: RetentionReport): LogFacts {
    return { ...report }
  }

  async #prune(pace: Pace, step: (tx: MetadataWriter) => Promise<number>): Promise<number> {
    for (let sum = 0; ; ) {
      const count = await this.#metadata.transact(step, { durability: 'relaxed' })
      sum += count
      if (count < STEP) return sum
      await pace.rest()
    }
  }
}
