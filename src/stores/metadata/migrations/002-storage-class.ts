import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)
const active = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo('ACTIVE')

/** The storage class of images, who leaves no pull times, and the settings of accounts. */
export const storageClass: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    // One column for each statement: not every dialect takes several.
    await schema.alterTable('images').addColumn('status', 'text', active).execute()
    await schema.alterTable('images').addColumn('archived_at', 'bigint').execute()
    await schema.alterTable('images').addColumn('activated_at', 'bigint').execute()
    await schema.alterTable('images').addColumn('activates_at', 'bigint').execute()
    await schema.alterTable('tags').addColumn('status', 'text', active).execute()
    await schema.alterTable('repository_blobs').addColumn('archived_image_count', 'bigint', zero).execute()

    await schema.dropIndex('images_by_tag_status').execute()
    await schema
      .createIndex('images_by_status')
      .on('images')
      .columns(['repository_id', 'status', 'is_tagged', 'digest'])
      .execute()
    await schema
      .createIndex('images_activating')
      .on('images')
      .column('activates_at')
      .where(sql.ref('activates_at'), 'is not', null)
      .execute()
    await schema.createIndex('tags_by_status').on('tags').columns(['repository_id', 'status', 'name']).execute()

    await byKey(
      schema
        .createTable('pull_time_exclusions')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('principal_arn', 'text', orderedRequired)
        .addColumn('created_at', 'bigint', required)
        .addPrimaryKeyConstraint('pull_time_exclusions_key', ['account_id', 'region', 'principal_arn']),
    ).execute()

    await byKey(
      schema
        .createTable('account_settings')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('name', 'text', orderedRequired)
        .addColumn('value', 'text', required)
        .addPrimaryKeyConstraint('account_settings_key', ['account_id', 'region', 'name']),
    ).execute()
  },
}
