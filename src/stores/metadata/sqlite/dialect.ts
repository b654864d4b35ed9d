import {
  type Compilable,
  CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  Kysely,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely'
import type { Tables } from '../schema/database.ts'
import type { Executed } from './connection.ts'

/** What runs a compiled statement: a connection, or a lease of one that ends with its transaction. */
export interface Executor {
  execute(text: string, parameters: readonly unknown[]): Executed
}

/** SQLite can create tables inside a transaction, which Kysely's own adapter leaves unused. */
class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/**
 * Writes a value that is bound later as `+?`. SQLite plans a statement with a bare `?` anew each time a value is bound
 * to it when the value might change the plan (as in most joins, and at every LIMIT), which costs several times as much as
 * running it. The plus changes no value; the plan is then made once, for any value.
 */
class Compiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?'
  }
}

/** One for all connections: prepared queries are compiled once per adapter. */
const adapter = new Adapter()
/** One for all connections too: it takes longer to make than to use, and compiles one query after the other. */
const compiler = new Compiler()

/** Builds Kysely's view of one executor. Whoever holds the executor sees to it that nobody else uses it meanwhile. */
export function databaseOn(executor: Executor): Kysely<Tables> {
  return new ExecutorDatabase(executor)
}

/** Runs a query that is compiled already straight away, past plugins, which there are none, and connections, which are one. */
class ExecutorDatabase extends Kysely<Tables> {
  readonly #connection: ExecutorConnection

  constructor(executor: Executor) {
    super({ dialect: new ExecutorDialect(executor) })
    this.#connection = new ExecutorConnection(executor)
  }

  override executeQuery<Row>(query: CompiledQuery<Row> | Compilable<Row>): Promise<QueryResult<Row>> {
    return this.#connection.executeQuery('compile' in query ? query.compile() : query)
  }
}

class ExecutorDialect implements Dialect {
  readonly #executor: Executor

  constructor(executor: Executor) {
    this.#executor = executor
  }

  createAdapter(): SqliteAdapter {
    return adapter
  }

  createDriver(): Driver {
    return new ExecutorDriver(this.#executor)
  }

  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector {
    return new SqliteIntrospector(db)
  }

  createQueryCompiler(): QueryCompiler {
    return compiler
  }
}

class ExecutorDriver implements Driver {
  readonly #connection: ExecutorConnection

  constructor(executor: Executor) {
    this.#connection = new ExecutorConnection(executor)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('commit'))
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('rollback'))
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class ExecutorConnection implements DatabaseConnection {
  readonly #executor: Executor

  constructor(executor: Executor) {
    this.#executor = executor
  }

  async executeQuery<Row>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Row>> {
    const { rows, changes } = this.#executor.execute(sql, parameters)
    return { rows: rows as Row[], numAffectedRows: BigInt(changes) }
  }

  // biome-ignore lint/correctness/useYield: the interface wants a generator, and there is nothing to yield
  async *streamQuery<Row>(): AsyncIterableIterator<QueryResult<Row>> {
    throw new Error('rows are not streamed: pages go by key')
  }
}
