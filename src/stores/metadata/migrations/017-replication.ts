import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** To where registries copy their images, and how far each image has come. */
export const replication: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await byKey(
      schema
        .createTable('replication_configurations')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('rules', 'text', required)
        .addPrimaryKeyConstraint('replication_configurations_key', ['account_id', 'region']),
    ).execute()

    await schema
      .createTable('image_replications')
      .addColumn('id', idType, id)
      .addColumn('image_id', 'bigint', (column) => column.notNull().references('images.id'))
      .addColumn('account_id', 'text', orderedRequired)
      .addColumn('region', 'text', orderedRequired)
      .addColumn('tags', 'text', required)
      .addColumn('revision', 'bigint', required)
      .addColumn('status', 'text', required)
      .addColumn('failure_code', 'text')
      .addColumn('failure_reason', 'text')
      .addColumn('attempts', 'bigint', required)
      .addColumn('requested_at', 'bigint', required)
      .addColumn('due_at', 'bigint', required)
      .addColumn('ended_at', 'bigint')
      .addUniqueConstraint('image_replications_key', ['image_id', 'account_id', 'region'])
      .execute()
    await schema
      .createIndex('image_replications_unfinished')
      .on('image_replications')
      .columns(['account_id', 'region', 'id'])
      .where(sql.ref('status'), '=', sql.lit('IN_PROGRESS'))
      .execute()
    await schema
      .createIndex('image_replications_failed')
      .on('image_replications')
      .columns(['account_id', 'region', 'id'])
      .where(sql.ref('status'), '=', sql.lit('FAILED'))
      .execute()
  },
}
