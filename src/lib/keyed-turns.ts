/** Who holds a key now. */
interface Holder {
  readonly release: AbortController
  readonly done: Promise<void>
  lastProgressAtMs: number
}

/** What the holder of a turn is given. */
export interface Turn {
  /** Fires when a newcomer asks for the key and this holder has stood still. */
  readonly signal: AbortSignal
  /** To be called whenever work moves on. */
  progress(): void
}

const STALLED_AFTER_MS = 1_000
const LOOK_EVERY_MS = 100

/**
 * One holder at a time for each key. A newcomer waits; a holder that has stood still for a second (a connection that died
 * without a word) is asked to let go. A holder that keeps moving keeps its turn.
 */
export class KeyedTurns {
  readonly #holders = new Map<string, Holder>()

  /** Runs `work` in its turn. `undefined`: the holder kept moving for longer than `patienceMs`. */
  async take<T>(key: string, patienceMs: number, work: (turn: Turn) => Promise<T>): Promise<T | undefined> {
    const deadline = performance.now() + patienceMs
    for (let holder = this.#holders.get(key); holder !== undefined; holder = this.#holders.get(key)) {
      const now = performance.now()
      if (now - holder.lastProgressAtMs > STALLED_AFTER_MS) holder.release.abort()
      else if (now > deadline) return undefined
      await Promise.race([holder.done, delay(LOOK_EVERY_MS)])
    }
    return this.#run(key, work)
  }

  isTaken(key: string): boolean {
    return this.#holders.has(key)
  }

  async #run<T>(key: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    const { promise: done, resolve: finish } = Promise.withResolvers<void>()
    const holder: Holder = { release: new AbortController(), done, lastProgressAtMs: performance.now() }
    this.#holders.set(key, holder)
    try {
      return await work({
        signal: holder.release.signal,
        progress: () => {
          holder.lastProgressAtMs = performance.now()
        },
      })
    } finally {
      this.#holders.delete(key)
      finish()
    }
  }
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
