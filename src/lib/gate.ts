/** Lets the steps of one piece of work through, one at a time, and keeps them out while somebody holds it. */
export class Gate {
  #holders = 0
  #passing: Promise<unknown> = Promise.resolve()

  /** Does a step; answers `undefined`, and does nothing, while the gate is held. */
  async pass<T>(step: () => Promise<T>): Promise<T | undefined> {
    await this.#passing
    if (this.#holders > 0) return undefined
    const passing = step()
    this.#passing = passing.catch(() => undefined)
    return passing
  }

  /** Does the work once no step is under way, and lets none begin before it is done. */
  async hold<T>(work: () => Promise<T>): Promise<T> {
    this.#holders++
    try {
      await this.#passing
      return await work()
    } finally {
      this.#holders--
    }
  }
}
