import { setTimeout as sleep } from 'node:timers/promises'

const PAUSE_MS_MAX = 250

/**
 * Makes a long job give way: after each step it rests as long as the step took (at most a quarter of a second), so that
 * it never takes more than half of what traffic could use. Throws the signal's reason when the process is closing.
 */
export class Pace {
  readonly #signal: AbortSignal
  #stepStartedAtMs = performance.now()

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  /** Whether the process is closing, so that whatever was thrown was likely thrown for that. */
  get isOver(): boolean {
    return this.#signal.aborted
  }

  /** To be called between two steps. */
  async rest(): Promise<void> {
    this.#signal.throwIfAborted()
    const tookMs = performance.now() - this.#stepStartedAtMs
    await sleep(Math.min(tookMs, PAUSE_MS_MAX), undefined, { signal: this.#signal })
    this.#stepStartedAtMs = performance.now()
  }
}
