import { COUNTED_OPERATIONS, type CountedMetric, type Series } from '../../domain/metrics/series.ts'
import type { Region, RegistryId, RepositoryRef } from '../../domain/names.ts'
import { PUBLIC_REGION } from '../../domain/public-registry.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { TrafficListener } from '../traffic.ts'

export const MINUTE_MS = 60_000

const FLUSH_AFTER_MS = 10_000
const ACTION_PREFIX = 'ecr:'

interface PendingCount {
  readonly series: Series
  readonly atMs: number
  amount: number
}

/** Counts pulls and calls by the minute and writes that down in batches, so that no request waits for a write. */
export class MetricCounts implements TrafficListener {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #pending = new Map<string, PendingCount>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #written: Promise<void> = Promise.resolve()

  /** `onError` hears of batches that could not be written: they are lost. */
  constructor(metadata: MetadataStore, clock: Clock, onError: (error: unknown) => void) {
    this.#metadata = metadata
    this.#clock = clock
    this.#onError = onError
  }

  pulled({ registry, name }: RepositoryRef): void {
    this.#count('RepositoryPullCount', registry.registryId, registry.region, name)
  }

  called(accountId: string, region: string, action: string): void {
    if (!action.startsWith(ACTION_PREFIX)) return
    const operation = action.slice(ACTION_PREFIX.length)
    if (COUNTED_OPERATIONS.has(operation)) this.#count('CallCount', accountId, region, operation)
  }

  /** Writes down what is pending, for those who are about to read it, and before the end. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#written = this.#written.then(() => this.#writePending())
    return this.#written
  }

  #count(metric: CountedMetric, accountId: string, region: string, subject: string): void {
    if (region === PUBLIC_REGION) return
    const nowMs = this.#clock.now().getTime()
    const atMs = nowMs - (nowMs % MINUTE_MS)
    const key = `${atMs} ${metric} ${accountId} ${region} ${subject}`
    const pending = this.#pending.get(key)
    if (pending !== undefined) {
      pending.amount++
      return
    }
    const registry = { registryId: accountId as RegistryId, region: region as Region }
    this.#pending.set(key, { series: { registry, metric, subject }, atMs, amount: 1 })
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS)
  }

  async #writePending(): Promise<void> {
    if (this.#pending.size === 0) return
    const pending = this.#pending
    this.#pending = new Map()
    const work = async (tx: MetadataWriter) => {
      for (const { series, atMs, amount } of pending.values())
        await tx.metrics.add(series, MINUTE_MS, new Date(atMs), amount)
    }
    try {
      await this.#metadata.transact(work, { durability: 'relaxed' })
    } catch (error) {
      this.#onError(error)
    }
  }
}
