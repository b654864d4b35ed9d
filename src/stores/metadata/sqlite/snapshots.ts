import type { SqliteConnection } from './connection.ts'
import { Transaction } from './transaction.ts'

/** Reading connections for snapshots, opened when needed and kept for the next. */
export class Snapshots {
  readonly #open: () => SqliteConnection
  readonly #max: number
  readonly #idleMax: number
  readonly #running = new Set<Promise<unknown>>()
  readonly #idle: SqliteConnection[] = []
  readonly #waiting: ((connection: SqliteConnection) => void)[] = []
  #count = 0

  /**
   * Keeps up to `idleMax` connections for the next. Whoever asks beyond `max` waits; with a small `max`, a snapshot
   * inside a snapshot could wait for itself.
   */
  constructor(open: () => SqliteConnection, { max, idleMax }: { readonly max: number; readonly idleMax: number }) {
    this.#open = open
    this.#max = max
    this.#idleMax = idleMax
  }

  /** Opens all connections now: the file will not be there later. */
  openAll(): void {
    while (this.#count < this.#max) {
      this.#idle.push(this.#open())
      this.#count += 1
    }
  }

  /** One consistent state for as long as `work` runs. */
  async run<T>(work: (snapshot: Transaction) => Promise<T>): Promise<T> {
    const running = this.#run(work)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** Resolves when all snapshots have ended that are running now. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#running)
  }

  /** Waits for running snapshots; no new one may begin. */
  async close(): Promise<void> {
    for (; this.#count > 0; this.#count -= 1) {
      const connection = this.#idle.pop() ?? (await this.#released())
      connection.close()
    }
  }

  async #run<T>(work: (snapshot: Transaction) => Promise<T>): Promise<T> {
    const connection = await this.#acquire()
    try {
      const snapshot = new Transaction(connection, 'begin')
      try {
        return await work(snapshot)
      } finally {
        snapshot.rollback()
      }
    } finally {
      this.#release(connection)
    }
  }

  async #acquire(): Promise<SqliteConnection> {
    const idle = this.#idle.pop()
    if (idle !== undefined) return idle
    if (this.#count >= this.#max) return this.#released()
    const opened = this.#open()
    this.#count += 1
    return opened
  }

  #released(): Promise<SqliteConnection> {
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  #release(connection: SqliteConnection): void {
    const next = this.#waiting.shift()
    if (next !== undefined) next(connection)
    else if (this.#idle.length < this.#idleMax) this.#idle.push(connection)
    else {
      this.#count -= 1
      connection.close()
    }
  }
}
