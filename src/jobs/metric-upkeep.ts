import { RETENTION } from '../domain/metrics/statistics.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts } from '../lib/logger.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { Job } from './runner.ts'

const STEP = 500

export interface MetricUpkeepReport {
  readonly summedUp: number
  readonly forgotten: number
}

/** Keeps old counts by longer periods, and forgets the oldest, as CloudWatch does with its own. */
export class MetricUpkeep implements Job<MetricUpkeepReport> {
  readonly name = 'metric-upkeep'
  readonly #metadata: MetadataStore
  readonly #clock: Clock

  constructor(metadata: MetadataStore, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  async run(signal: AbortSignal): Promise<MetricUpkeepReport> {
    const nowMs = this.#clock.now().getTime()
    const [minutes, fives, hours] = RETENTION
    let summedUp = 0
    for (const [from, into] of [
      [minutes, fives],
      [fives, hours],
    ] as const) {
      const before = new Date(nowMs - from.keptMs)
      summedUp += await this.#inSteps(signal, (tx) => tx.metrics.sumUp(from.periodMs, into.periodMs, before, STEP))
    }
    const before = new Date(nowMs - hours.keptMs)
    const forgotten = await this.#inSteps(signal, (tx) => tx.metrics.forget(hours.periodMs, before, STEP))
    return { summedUp, forgotten }
  }

  summary({ summedUp, forgotten }: MetricUpkeepReport): LogFacts {
    return { summedUp, forgotten }
  }

  async #inSteps(signal: AbortSignal, step: (tx: MetadataWriter) => Promise<number>): Promise<number> {
    let total = 0
    for (;;) {
      signal.throwIfAborted()
      const count = await this.#metadata.transact(step, { durability: 'relaxed' })
      total += count
      if (count < STEP) return total
      await Bun.sleep(0)
    }
  }
}
