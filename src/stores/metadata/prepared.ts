import type { Compilable, CompiledQuery, DialectAdapter, QueryResult } from 'kysely'
import type { Database } from './schema/database.ts'

class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

const placeholders = new Proxy({}, { get: (_, name) => new Placeholder(String(name)) })

/** A query that is built and compiled once for each dialect, and then only filled in. */
export type PreparedQuery<Values, Row> = (db: Database, values: Values) => Promise<QueryResult<Row>>

/**
 * Prepares a query for a hot path, where building and compiling it would cost more than running it. `build` receives
 * placeholders in the shape of the values: it may put them into the query and nowhere else, and decides nothing by them.
 */
export function prepared<Values extends object, Row>(
  build: (db: Database, values: Values) => Compilable<Row>,
): PreparedQuery<Values, Row> {
  const compiledByDialect = new WeakMap<DialectAdapter, CompiledQuery<Row>>()
  return (db, values) => {
    const { adapter } = db.getExecutor()
    let compiled = compiledByDialect.get(adapter)
    if (compiled === undefined) {
      compiled = build(db, placeholders as Values).compile()
      compiledByDialect.set(adapter, compiled)
    }
    const parameters = compiled.parameters.map((parameter) =>
      parameter instanceof Placeholder ? (values as Record<string, unknown>)[parameter.name] : parameter,
    )
    return db.executeQuery({ ...compiled, parameters })
  }
}
