import {
  type ColumnDataType,
  type ColumnDefinitionBuilder,
  type CreateTableBuilder,
  type Kysely,
  SqliteAdapter,
  sql,
} from 'kysely'

/** What the dialects call the same thing differently. */
export interface Columns {
  /** A key that counts up and is never used twice: its type, and what goes with it. */
  readonly idType: ColumnDataType
  readonly id: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder
  /** Bytes. */
  readonly bytes: ColumnDataType
  /** Text that sorts by code point: digests, names and tags page in that order. */
  readonly ordered: (column: ColumnDefinitionBuilder) => ColumnDefinitionBuilder
  /** Keeps the rows in the order of the primary key, where the dialect can. */
  readonly byKey: <Table extends string, Column extends string>(
    table: CreateTableBuilder<Table, Column>,
  ) => CreateTableBuilder<Table, Column>
}

const sqlite: Columns = {
  idType: 'integer',
  id: (column) => column.primaryKey().autoIncrement(),
  bytes: 'blob',
  ordered: (column) => column,
  byKey: (table) => table.modifyEnd(sql`without rowid`),
}

const postgres: Columns = {
  idType: 'bigint',
  id: (column) => column.primaryKey().generatedAlwaysAsIdentity(),
  bytes: 'bytea',
  ordered: (column) => column.modifyEnd(sql`collate "C"`),
  byKey: (table) => table,
}

/** The column types of the dialect that `db` speaks. */
export function columnsOf(db: Kysely<unknown>): Columns {
  return db.getExecutor().adapter instanceof SqliteAdapter ? sqlite : postgres
}
