interface Waiting {
  readonly amount: number
  admit(): void
}

/**
 * A stock from which many take and to which they give back. Whoever asks for more than is left waits, in the order of
 * asking, so that a large wish is never passed by for ever. Nobody is refused.
 */
export class Budget {
  readonly #total: number
  #left: number
  readonly #waiting = new Set<Waiting>()

  constructor(total: number) {
    this.#total = total
    this.#left = total
  }

  /** Takes `amount` (all there is, if it is more) if it is there and nobody waits; `undefined`: nothing is taken. */
  tryTake(amount: number): (() => void) | undefined {
    const taken = Math.min(amount, this.#total)
    if (this.#waiting.size > 0 || taken > this.#left) return undefined
    this.#left -= taken
    return this.#givesBack(taken)
  }

  /**
   * Takes `amount` (all there is, if it is more) once it is there. Answers what gives it back; only its first call
   * counts. Rejects with the signal's reason when that fires while it waits; nothing is taken then.
   */
  async take(amount: number, signal?: AbortSignal): Promise<() => void> {
    const atOnce = this.tryTake(amount)
    if (atOnce !== undefined) return atOnce
    const taken = Math.min(amount, this.#total)
    await this.#wait(taken, signal)
    return this.#givesBack(taken)
  }

  #givesBack(taken: number): () => void {
    let isTaken = true
    return () => {
      if (!isTaken) return
      isTaken = false
      this.#left += taken
      this.#admit()
    }
  }

  #wait(amount: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted()
      const leave = () => {
        this.#waiting.delete(waiting)
        reject(signal?.reason)
        // Those behind may have waited for this one only.
        this.#admit()
      }
      const waiting: Waiting = {
        amount,
        admit() {
          signal?.removeEventListener('abort', leave)
          resolve()
        },
      }
      this.#waiting.add(waiting)
      signal?.addEventListener('abort', leave, { once: true })
    })
  }

  #admit(): void {
    for (const waiting of this.#waiting) {
      if (waiting.amount > this.#left) return
      this.#waiting.delete(waiting)
      this.#left -= waiting.amount
      waiting.admit()
    }
  }
}
