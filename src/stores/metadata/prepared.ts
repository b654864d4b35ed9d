import type { Compilable, CompiledQuery, DialectAdapter, QueryResult } from 'kysely'
import type { Database } from './schema/database.ts'

/** Stands in a compiled query for a value that comes later. */
class Placeholder {
  readonly name: string
  /** Which of the items it belongs to; absent for a value that is there once. */
  readonly index: number | undefined

  constructor(name: string, index?: number) {
    this.name = name
    this.index = index
  }
}

function placeholders<Values extends object>(index?: number): Values {
  return new Proxy({}, { get: (_, name) => new Placeholder(String(name), index) }) as Values
}

/** A query that is built and compiled once for each dialect, and then only filled in. */
export type PreparedQuery<Values, Row> = (db: Database, values: Values) => Promise<QueryResult<Row>>

/**
 * Prepares a query for a hot path, where building and compiling it would cost more than running it. `build` receives
 * placeholders in the shape of the values: it may put them into the query and nowhere else, and decides nothing by them.
 */
export function prepared<Values extends object, Row>(
  build: (db: Database, values: Values) => Compilable<Row>,
): PreparedQuery<Values, Row> {
  const query = preparedForItems<Values, object, Row>(build)
  return (db, values) => query(db, values, [])
}

/** The same for queries over a list; compiled once for each length, so the lengths should be few. */
export function preparedForItems<Values extends object, Item extends object, Row>(
  build: (db: Database, values: Values, items: readonly Item[]) => Compilable<Row>,
): (db: Database, values: Values, items: readonly Item[]) => Promise<QueryResult<Row>> {
  const compiledByDialect = new WeakMap<DialectAdapter, CompiledQuery<Row>[]>()
  return (db, values, items) => {
    const { adapter } = db.getExecutor()
    let compiledByLength = compiledByDialect.get(adapter)
    if (compiledByLength === undefined) {
      compiledByLength = []
      compiledByDialect.set(adapter, compiledByLength)
    }
    let compiled = compiledByLength[items.length]
    if (compiled === undefined) {
      const itemPlaceholders = items.map((_, index) => placeholders<Item>(index))
      compiled = build(db, placeholders<Values>(), itemPlaceholders).compile()
      compiledByLength[items.length] = compiled
    }
    const parameters = compiled.parameters.map((parameter) => {
      if (!(parameter instanceof Placeholder)) return parameter
      const from = parameter.index === undefined ? values : items[parameter.index]
      return (from as Record<string, unknown>)[parameter.name]
    })
    return db.executeQuery({ ...compiled, parameters })
  }
}
