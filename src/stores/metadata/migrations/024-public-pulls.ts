import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** How many bytes each address has pulled from public registries in a month, without a login. */
export const publicPulls: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { byKey, ordered } = columnsOf(db)
    await byKey(
      db.schema
        .createTable('public_pulls')
        .addColumn('month', 'text', (column) => ordered(column.notNull()))
        .addColumn('address', 'text', required)
        .addColumn('bytes', 'bigint', required)
        .addPrimaryKeyConstraint('public_pulls_key', ['month', 'address']),
    ).execute()
  },
}
