import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** Which images hold which packages, how far they have been compared with advisories, and which findings are set aside. */
export const packageIndex: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await schema
      .createTable('packages')
      .addColumn('id', idType, id)
      .addColumn('ecosystem', 'text', orderedRequired)
      .addColumn('name', 'text', orderedRequired)
      .addUniqueConstraint('packages_key', ['ecosystem', 'name'])
      .execute()
    await byKey(
      schema
        .createTable('image_packages')
        .addColumn('package_id', 'bigint', (column) => column.notNull().references('packages.id'))
        .addColumn('image_id', 'bigint', (column) => column.notNull().references('images.id'))
        .addPrimaryKeyConstraint('image_packages_key', ['package_id', 'image_id']),
    ).execute()
    await schema
      .createIndex('image_packages_of_image')
      .on('image_packages')
      .columns(['image_id', 'package_id'])
      .execute()
    await schema
      .createTable('advisory_cursors')
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('revision', 'bigint', required)
      .execute()
    await byKey(
      schema
        .createTable('finding_suppressions')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('id', 'text', orderedRequired)
        .addColumn('vulnerability', 'text', required)
        .addColumn('repository_name', 'text')
        .addColumn('package_name', 'text')
        .addColumn('reason', 'text', required)
        .addColumn('created_by', 'text', required)
        .addColumn('created_at', 'bigint', required)
        .addColumn('expires_at', 'bigint')
        .addPrimaryKeyConstraint('finding_suppressions_key', ['account_id', 'region', 'id']),
    ).execute()
  },
}
