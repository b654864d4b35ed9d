import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** Policies of repositories and registries, the templates by which a push makes repositories, and the parts of uploads counted. */
export const policies: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await schema
      .createTable('repository_policies')
      .addColumn('repository_id', idType, (column) => column.primaryKey().references('repositories.id'))
      .addColumn('account_id', 'text', orderedRequired)
      .addColumn('region', 'text', orderedRequired)
      .addColumn('body', 'text', required)
      .execute()
    await schema
      .createIndex('repository_policies_by_registry')
      .on('repository_policies')
      .columns(['account_id', 'region'])
      .execute()

    await byKey(
      schema
        .createTable('registry_policies')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('body', 'text', required)
        .addPrimaryKeyConstraint('registry_policies_key', ['account_id', 'region']),
    ).execute()

    await byKey(
      schema
        .createTable('creation_templates')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('prefix', 'text', orderedRequired)
        .addColumn('applied_for', 'text', required)
        .addColumn('description', 'text')
        .addColumn('mutability', 'text', required)
        .addColumn('exclusion_filters', 'text', required)
        .addColumn('encryption_type', 'text', required)
        .addColumn('repository_policy', 'text')
        .addColumn('lifecycle_policy', 'text')
        .addColumn('resource_tags', 'text', required)
        .addColumn('custom_role_arn', 'text')
        .addColumn('created_at', 'bigint', required)
        .addColumn('updated_at', 'bigint', required)
        .addPrimaryKeyConstraint('creation_templates_key', ['account_id', 'region', 'prefix']),
    ).execute()

    await schema
      .alterTable('uploads')
      .addColumn('part_count', 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
  },
}
