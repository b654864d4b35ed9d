import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** The log of events, and how far its readers have come. */
export const events: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered, byKey } = columnsOf(db)

    await schema
      .createTable('outbox')
      .addColumn('position', idType, id)
      .addColumn('account_id', 'text', required)
      .addColumn('region', 'text', required)
      .addColumn('source', 'text', required)
      .addColumn('detail_type', 'text', required)
      .addColumn('resources', 'text', required)
      .addColumn('at', 'bigint', required)
      .addColumn('detail', 'text', required)
      .execute()

    await byKey(
      schema
        .createTable('outbox_cursors')
        .addColumn('consumer', 'text', (column) => ordered(column.primaryKey().notNull()))
        .addColumn('position', 'bigint', required),
    ).execute()
  },
}
