import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** How far the audit log has come, so that its end cannot be cut off unseen. A single row. */
export const audit: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema
      .createTable('audit_heads')
      .addColumn('log', 'text', (column) => column.primaryKey().notNull())
      .addColumn('sequence', 'integer', required)
      .addColumn('mac', 'text', required)
      .execute()
  },
}
