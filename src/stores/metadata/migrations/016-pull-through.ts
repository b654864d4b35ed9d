import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** Which prefixes are caches of which registries, and when what they hold was last compared with them. */
export const pullThrough: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await byKey(
      schema
        .createTable('pull_through_rules')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('prefix_key', 'text', orderedRequired)
        .addColumn('prefix', 'text', required)
        .addColumn('upstream_url', 'text', required)
        .addColumn('upstream_kind', 'text')
        .addColumn('credential_arn', 'text')
        .addColumn('custom_role_arn', 'text')
        .addColumn('upstream_prefix', 'text')
        .addColumn('created_at', 'bigint', required)
        .addColumn('updated_at', 'bigint', required)
        .addPrimaryKeyConstraint('pull_through_rules_key', ['account_id', 'region', 'prefix_key']),
    ).execute()

    await byKey(
      schema
        .createTable('upstream_checks')
        .addColumn('repository_id', 'bigint', required)
        .addColumn('kind', 'text', orderedRequired)
        .addColumn('name', 'text', orderedRequired)
        .addColumn('digest', 'text')
        .addColumn('checked_at', 'bigint', required)
        .addPrimaryKeyConstraint('upstream_checks_key', ['repository_id', 'kind', 'name']),
    ).execute()
  },
}
