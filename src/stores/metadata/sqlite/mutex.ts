import { setImmediate as nextTurn } from 'node:timers/promises'

/** After so many works in a row, others get the event loop: works that only wait for SQLite never leave it. */
const ROW_MAX = 16

/** Lets one work run at a time, in the order of asking. */
export class Mutex {
  #last: Promise<void> = Promise.resolve()
  #waiting = 0
  #inRow = 0

  async run<T>(work: () => Promise<T>): Promise<T> {
    const previous = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    this.#waiting += 1
    await previous
    this.#waiting -= 1
    try {
      return await work()
    } finally {
      await this.#giveWay()
      resolve()
    }
  }

  async #giveWay(): Promise<void> {
    this.#inRow = this.#waiting === 0 ? 0 : this.#inRow + 1
    if (this.#inRow < ROW_MAX) return
    this.#inRow = 0
    await nextTurn()
  }
}
