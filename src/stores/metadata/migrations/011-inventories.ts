import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** What was found in layers, by the layer's digest. */
export const inventories: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { bytes, ordered } = columnsOf(db)
    await db.schema
      .createTable('layer_facts')
      .addColumn('digest', 'text', (column) => ordered(column.notNull().primaryKey()))
      .addColumn('analyser_version', 'integer', required)
      .addColumn('facts', bytes, required)
      .addColumn('analysed_at', 'bigint', required)
      .execute()
  },
}
