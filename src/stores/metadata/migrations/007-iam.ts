import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const ofEntity = (column: ColumnDefinitionBuilder) => column.notNull().references('iam_entities.id')

/** Users, groups, roles, managed policies and OpenID Connect providers, and what ties them together. */
export const iam: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await schema
      .createTable('iam_entities')
      .addColumn('id', idType, id)
      .addColumn('account_id', 'text', orderedRequired)
      .addColumn('kind', 'text', orderedRequired)
      .addColumn('name_key', 'text', orderedRequired)
      .addColumn('name', 'text', required)
      .addColumn('path', 'text', required)
      .addColumn('unique_id', 'text', (column) => ordered(column.notNull().unique()))
      .addColumn('created_at', 'bigint', required)
      .addColumn('tags', 'text', required)
      .addColumn('boundary_arn', 'text', ordered)
      .addColumn('attributes', 'text', required)
      .addColumn('last_used_at', 'bigint')
      .addColumn('last_used_region', 'text')
      .addUniqueConstraint('iam_entities_by_name', ['account_id', 'kind', 'name_key'])
      .execute()
    await schema
      .createIndex('iam_entities_by_boundary')
      .on('iam_entities')
      .columns(['account_id', 'boundary_arn'])
      .where(sql.ref('boundary_arn'), 'is not', null)
      .execute()

    await byKey(
      schema
        .createTable('iam_inline_policies')
        .addColumn('entity_id', 'bigint', ofEntity)
        .addColumn('name', 'text', orderedRequired)
        .addColumn('body', 'text', required)
        .addPrimaryKeyConstraint('iam_inline_policies_key', ['entity_id', 'name']),
    ).execute()

    await byKey(
      schema
        .createTable('iam_attachments')
        .addColumn('entity_id', 'bigint', ofEntity)
        .addColumn('policy_arn', 'text', orderedRequired)
        .addColumn('account_id', 'text', orderedRequired)
        .addPrimaryKeyConstraint('iam_attachments_key', ['entity_id', 'policy_arn']),
    ).execute()
    await schema
      .createIndex('iam_attachments_by_policy')
      .on('iam_attachments')
      .columns(['account_id', 'policy_arn'])
      .execute()

    await byKey(
      schema
        .createTable('iam_policy_versions')
        .addColumn('policy_id', 'bigint', ofEntity)
        .addColumn('number', 'bigint', required)
        .addColumn('body', 'text', required)
        .addColumn('created_at', 'bigint', required)
        .addPrimaryKeyConstraint('iam_policy_versions_key', ['policy_id', 'number']),
    ).execute()

    await byKey(
      schema
        .createTable('iam_members')
        .addColumn('group_id', 'bigint', ofEntity)
        .addColumn('user_id', 'bigint', ofEntity)
        .addPrimaryKeyConstraint('iam_members_key', ['group_id', 'user_id']),
    ).execute()
    await schema.createIndex('iam_members_by_user').on('iam_members').column('user_id').execute()

    // One column for each statement: not every dialect takes several.
    const keys = () => schema.alterTable('access_keys')
    await keys()
      .addColumn('user_id', 'bigint', (column) => column.references('iam_entities.id'))
      .execute()
    await keys()
      .addColumn('status', 'text', (column) => column.notNull().defaultTo('Active'))
      .execute()
    await keys().addColumn('last_used_at', 'bigint').execute()
    await keys().addColumn('last_used_region', 'text').execute()
    await keys().addColumn('last_used_service', 'text').execute()
    await schema.createIndex('access_keys_by_user').on('access_keys').columns(['user_id', 'access_key_id']).execute()
    await schema
      .createIndex('access_keys_by_principal')
      .on('access_keys')
      .columns(['principal_arn', 'access_key_id'])
      .execute()
  },
}
