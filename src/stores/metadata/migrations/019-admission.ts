import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

/** Which images may be pulled. */
export const admission: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())
    await byKey(
      db.schema
        .createTable('admission_rules')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('repositories', 'text', orderedRequired)
        .addColumn('body', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('admission_rules_key', ['account_id', 'region', 'repositories']),
    ).execute()
  },
}
