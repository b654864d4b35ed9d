import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** From where images came by replication, what is to be deleted elsewhere, and which transfers were begun. */
export const replicationExtensions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await byKey(
      schema
        .createTable('image_origins')
        .addColumn('image_id', 'bigint', (column) => column.notNull().references('images.id'))
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addPrimaryKeyConstraint('image_origins_key', ['image_id', 'account_id', 'region']),
    ).execute()

    await schema
      .createTable('replication_deletions')
      .addColumn('id', idType, id)
      .addColumn('account_id', 'text', orderedRequired)
      .addColumn('region', 'text', orderedRequired)
      .addColumn('repository', 'text', orderedRequired)
      .addColumn('to_account', 'text', orderedRequired)
      .addColumn('to_region', 'text', orderedRequired)
      .addColumn('digest', 'text')
      .addColumn('tags', 'text', required)
      .addColumn('status', 'text', required)
      .addColumn('failure_code', 'text')
      .addColumn('failure_reason', 'text')
      .addColumn('attempts', 'bigint', required)
      .addColumn('requested_at', 'bigint', required)
      .addColumn('due_at', 'bigint', required)
      .addColumn('ended_at', 'bigint')
      .execute()
    for (const [name, status] of [
      ['replication_deletions_unfinished', 'IN_PROGRESS'],
      ['replication_deletions_failed', 'FAILED'],
    ] as const)
      await schema
        .createIndex(name)
        .on('replication_deletions')
        .columns(['to_account', 'to_region', 'id'])
        .where(sql.ref('status'), '=', sql.lit(status))
        .execute()

    await byKey(
      schema
        .createTable('replication_uploads')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('repository', 'text', orderedRequired)
        .addColumn('to_account', 'text', orderedRequired)
        .addColumn('to_region', 'text', orderedRequired)
        .addColumn('digest', 'text', orderedRequired)
        .addColumn('location', 'text', required)
        .addColumn('started_at', 'bigint', required)
        .addPrimaryKeyConstraint('replication_uploads_key', [
          'account_id',
          'region',
          'repository',
          'to_account',
          'to_region',
          'digest',
        ]),
    ).execute()
  },
}
