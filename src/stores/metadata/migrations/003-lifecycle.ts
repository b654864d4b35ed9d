import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)

/** Lifecycle policies, their previews, and the leases of jobs that one process at a time may do. */
export const lifecycle: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered, byKey } = columnsOf(db)
    const orderedKey = (column: ColumnDefinitionBuilder) => ordered(column.notNull().primaryKey())

    await schema
      .createTable('lifecycle_policies')
      .addColumn('repository_id', idType, (column) => column.primaryKey().references('repositories.id'))
      .addColumn('policy_id', 'text', required)
      .addColumn('text', 'text', required)
      .addColumn('put_at', 'bigint', required)
      .addColumn('due_at', 'bigint', required)
      .addColumn('last_evaluated_at', 'bigint')
      .addColumn('last_run', 'text')
      .execute()
    await schema.createIndex('lifecycle_policies_due').on('lifecycle_policies').column('due_at').execute()

    await schema
      .createTable('lifecycle_previews')
      .addColumn('id', idType, id)
      .addColumn('repository_id', 'bigint', (column) => column.references('repositories.id').unique())
      .addColumn('text', 'text', required)
      .addColumn('status', 'text', required)
      .addColumn('started_at', 'bigint', required)
      .addColumn('purge_at', 'bigint')
      .addColumn('expiring_count', 'bigint', zero)
      .addColumn('transitioning_count', 'bigint', zero)
      .execute()
    await schema
      .createIndex('lifecycle_previews_unfinished')
      .on('lifecycle_previews')
      .column('id')
      .where(sql.ref('status'), '=', sql.lit('IN_PROGRESS'))
      .execute()
    await schema
      .createIndex('lifecycle_previews_purge')
      .on('lifecycle_previews')
      .column('purge_at')
      .where(sql.ref('purge_at'), 'is not', null)
      .execute()

    await byKey(
      schema
        .createTable('lifecycle_preview_results')
        .addColumn('preview_id', 'bigint', (column) => column.notNull().references('lifecycle_previews.id'))
        .addColumn('position', 'bigint', required)
        .addColumn('digest', 'text', required)
        .addColumn('tags', 'text', required)
        .addColumn('is_tagged', 'integer', required)
        .addColumn('pushed_at', 'bigint', required)
        .addColumn('storage_class', 'text', required)
        .addColumn('action', 'text', required)
        .addColumn('rule_priority', 'bigint', required)
        .addPrimaryKeyConstraint('lifecycle_preview_results_key', ['preview_id', 'position']),
    ).execute()
    await schema
      .createIndex('lifecycle_preview_results_by_tag_status')
      .on('lifecycle_preview_results')
      .columns(['preview_id', 'is_tagged', 'position'])
      .execute()
    await schema
      .createIndex('lifecycle_preview_results_by_digest')
      .on('lifecycle_preview_results')
      .columns(['preview_id', 'digest'])
      .execute()

    await byKey(
      schema
        .createTable('job_leases')
        .addColumn('name', 'text', orderedKey)
        .addColumn('holder', 'text', required)
        .addColumn('expires_at', 'bigint', required),
    ).execute()
  },
}
