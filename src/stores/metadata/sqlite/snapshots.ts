import type { SqliteConnection } from './connection.ts'
import { Transaction } from './transaction.ts'

const IDLE_MAX = 4

/** Reading connections for snapshots, opened when needed and kept for the next. */
export class Snapshots {
  readonly #open: () => SqliteConnection
  readonly #max: number
  readonly #idle: SqliteConnection[] = []
  readonly #waiting: ((connection: SqliteConnection) => void)[] = []
  #count = 0

  /** Whoever asks beyond `max` waits. With a small `max`, a snapshot inside a snapshot could wait for itself. */
  constructor(open: () => SqliteConnection, max: number) {
    this.#open = open
    this.#max = max
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

  /** Waits for running snapshots; no new one may begin. */
  async close(): Promise<void> {
    for (; this.#count > 0; this.#count -= 1) {
      const connection = this.#idle.pop() ?? (await this.#released())
      connection.close()
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
    else if (this.#idle.length < IDLE_MAX) this.#idle.push(connection)
    else {
      this.#count -= 1
      connection.close()
    }
  }
}
