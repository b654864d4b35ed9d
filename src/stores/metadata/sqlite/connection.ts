import { Database as BunDatabase, SQLiteError, type SQLQueryBindings, type Statement } from 'bun:sqlite'
import { storageFull } from '../../../domain/errors.ts'

type Row = Record<string, unknown>
type CachedStatement = Statement<Row, SQLQueryBindings[]>

const STATEMENTS_MAX = 256

export interface Executed {
  readonly rows: Row[]
  readonly changes: number
  readonly isWrite: boolean
}

/**
 * One connection to the database file, with its prepared statements. Calls are synchronous, so a statement is never
 * interrupted; what lies between two statements is up to who holds the connection.
 */
export class SqliteConnection {
  readonly #native: BunDatabase
  readonly #statements = new Map<string, CachedStatement>()

  constructor(file: string, pragmas: readonly string[]) {
    this.#native = new BunDatabase(file, { create: true, readwrite: true, strict: true })
    try {
      for (const pragma of pragmas) this.#native.run(`pragma ${pragma}`)
    } catch (thrown) {
      this.#native.close()
      throw thrown
    }
  }

  get isInTransaction(): boolean {
    return this.#native.inTransaction
  }

  get pageBytes(): number {
    return Number(this.execute('pragma page_size').rows[0]?.page_size)
  }

  /** Throws `storage-full` when the disk has no room. */
  execute(text: string, parameters: readonly unknown[] = []): Executed {
    try {
      const statement = this.#statement(text)
      const bindings = parameters as SQLQueryBindings[]
      const isWrite = !statement.readonly
      if (statement.reader) return { rows: statement.all(...bindings), changes: 0, isWrite }
      return { rows: [], changes: statement.run(...bindings).changes, isWrite }
    } catch (thrown) {
      throw isDiskFull(thrown) ? storageFull(thrown) : thrown
    }
  }

  /** Undoes what is open, if anything: some failures of SQLite have undone the transaction already. */
  rollback(): void {
    if (this.isInTransaction) this.execute('rollback')
  }

  close(): void {
    for (const statement of this.#statements.values()) statement.finalize()
    this.#statements.clear()
    this.#native.close(true)
  }

  #statement(text: string): CachedStatement {
    const cached = this.#statements.get(text)
    if (cached !== undefined) return cached
    if (this.#statements.size >= STATEMENTS_MAX) this.#dropOldest()
    const statement = this.#native.prepare<Row, SQLQueryBindings[]>(text)
    this.#statements.set(text, statement)
    return statement
  }

  #dropOldest(): void {
    for (const [text, statement] of this.#statements) {
      statement.finalize()
      this.#statements.delete(text)
      return
    }
  }
}

/** `SQLITE_IOERR_SHMSIZE` is how a full disk shows when the index of the write-ahead log has to grow. */
function isDiskFull(thrown: unknown): boolean {
  return thrown instanceof SQLiteError && (thrown.code === 'SQLITE_FULL' || thrown.code === 'SQLITE_IOERR_SHMSIZE')
}
