import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** Public registries: their aliases, what they are called, and what the gallery shows of their repositories. */
export const publicRegistries: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, bytes, ordered, byKey } = columnsOf(db)
    const orderedKey = (column: ColumnDefinitionBuilder) => ordered(column.primaryKey().notNull())

    await byKey(
      schema
        .createTable('registry_aliases')
        .addColumn('name', 'text', orderedKey)
        .addColumn('account_id', 'text', required)
        .addColumn('status', 'text', required)
        .addColumn('is_primary', 'integer', required)
        .addColumn('is_default', 'integer', required),
    ).execute()
    await schema.createIndex('registry_aliases_by_account').on('registry_aliases').column('account_id').execute()

    await byKey(
      schema
        .createTable('public_registries')
        .addColumn('account_id', 'text', orderedKey)
        .addColumn('display_name', 'text', required),
    ).execute()

    await schema
      .createTable('repository_catalogs')
      .addColumn('repository_id', idType, (column) => column.primaryKey().references('repositories.id'))
      .addColumn('body', 'text', required)
      .addColumn('logo_id', 'text', (column) => column.unique())
      .addColumn('logo', bytes)
      .execute()
  },
}
