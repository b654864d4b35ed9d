const EVERY_MS = 500

/** Upper bounds of the buckets of delays, in seconds. */
export const LAG_BOUNDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] as const

/** Watches how late the event loop is with what it was told to do. */
export class LoopLag {
  /** By bucket; the last one is beyond all bounds. */
  readonly counts: number[] = new Array<number>(LAG_BOUNDS.length + 1).fill(0)
  sumSeconds = 0
  #timer: ReturnType<typeof setInterval> | undefined

  start(): void {
    if (this.#timer !== undefined) return
    let expectedMs = performance.now() + EVERY_MS
    this.#timer = setInterval(() => {
      const nowMs = performance.now()
      this.#observe(Math.max(0, nowMs - expectedMs) / 1000)
      expectedMs = nowMs + EVERY_MS
    }, EVERY_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #observe(seconds: number): void {
    const index = LAG_BOUNDS.findIndex((bound) => seconds <= bound)
    const bucket = index < 0 ? LAG_BOUNDS.length : index
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sumSeconds += seconds
  }
}
