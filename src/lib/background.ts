/** Works on so many things at a time while whoever hands them over goes on. */
export class Background {
  readonly #limit: number
  readonly #running = new Set<Promise<void>>()
  #failure: { readonly error: unknown } | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Begins once there is room. Throws what an earlier one has thrown. */
  async begin(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#limit) await Promise.race(this.#running)
    this.#throw()
    const one: Promise<void> = work()
      .catch((error: unknown) => {
        this.#failure ??= { error }
      })
      .finally(() => this.#running.delete(one))
    this.#running.add(one)
  }

  /** Waits for all. Throws what the first that failed has thrown. */
  async settled(): Promise<void> {
    await Promise.all(this.#running)
    this.#throw()
  }

  #throw(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}
