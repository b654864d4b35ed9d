import type { Executed, SqliteConnection } from './connection.ts'
import type { Executor } from './dialect.ts'

/**
 * One transaction on a connection that nobody else uses meanwhile. What is still held when it has ended can do no
 * more: a statement that was not awaited throws instead of landing in somebody else's transaction.
 */
export class Transaction implements Executor {
  readonly #connection: SqliteConnection
  #isOpen = true
  #hasChanges = false

  constructor(connection: SqliteConnection, begin: 'begin' | 'begin immediate') {
    this.#connection = connection
    connection.execute(begin)
  }

  /** Whether any statement changed a row. */
  get hasChanges(): boolean {
    return this.#hasChanges
  }

  execute(text: string, parameters: readonly unknown[]): Executed {
    this.#assertOpen()
    try {
      const executed = this.#connection.execute(text, parameters)
      if (executed.isWrite) this.#hasChanges = true
      return executed
    } catch (thrown) {
      // a full disk or a failing one makes SQLite undo everything: nothing may follow outside the transaction
      if (!this.#connection.isInTransaction) this.#isOpen = false
      throw thrown
    }
  }

  commit(): void {
    this.#assertOpen()
    this.#isOpen = false
    try {
      this.#connection.execute('commit')
    } catch (thrown) {
      this.#connection.rollback()
      throw thrown
    }
  }

  rollback(): void {
    this.#isOpen = false
    this.#connection.rollback()
  }

  #assertOpen(): void {
    if (!this.#isOpen) throw new Error('a statement came after the end of its transaction')
  }
}
