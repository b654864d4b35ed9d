import type { Executed, SqliteConnection } from './connection.ts'
import type { Executor } from './dialect.ts'

/**
 * The connection for single looks, which stays in its snapshot from look to look: to enter and to leave one takes SQLite
 * longer than most looks.
 *
 * No look is stale: who commits calls {@link renew} in the same step, without awaiting anything in between, and nobody
 * else writes to the file. Nor does the log grow: the snapshot is the newest state whenever a checkpoint copies it, and
 * is left just before the commit that may begin the log anew.
 */
export class View implements Executor {
  readonly #connection: SqliteConnection

  constructor(connection: SqliteConnection) {
    this.#connection = connection
  }

  execute(text: string, parameters: readonly unknown[] = []): Executed {
    if (!this.#connection.isInTransaction) this.#connection.execute('begin')
    return this.#connection.execute(text, parameters)
  }

  /** Leaves the snapshot: the next look enters a new one. */
  renew(): void {
    this.#connection.rollback()
  }

  close(): void {
    this.#connection.close()
  }
}
