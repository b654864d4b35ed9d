import type { Clock } from '../lib/clock.ts'
import type { MetadataStore } from '../stores/metadata.ts'

const FLUSH_AFTER_MS = 1_000

/** Remembers when images were last pulled and writes that down in batches, so that a pull never waits for a write. */
export class PullTimes {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #pending = new Map<number, Date>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `onError` hears of batches that could not be written: they are lost, as nobody was promised them. */
  constructor(metadata: MetadataStore, clock: Clock, onError: (error: unknown) => void) {
    this.#metadata = metadata
    this.#clock = clock
    this.#onError = onError
  }

  record(imageId: number): void {
    this.#pending.set(imageId, this.#clock.now())
    this.#timer ??= setTimeout(() => this.flush().catch(this.#onError), FLUSH_AFTER_MS)
  }

  /** Writes down what is pending; for those who are about to read it, and before the end. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.size === 0) return
    const pulls = this.#pending
    this.#pending = new Map()
    await this.#metadata.transact((tx) => tx.images.recordPulls(pulls), { durability: 'relaxed' })
  }
}
