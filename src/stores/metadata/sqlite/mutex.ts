/** Lets one work run at a time, in the order of asking. */
export class Mutex {
  #last: Promise<void> = Promise.resolve()

  async run<T>(work: () => Promise<T>): Promise<T> {
    const previous = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await previous
    try {
      return await work()
    } finally {
      resolve()
    }
  }
}
