import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** How registries are scanned, what is in their images, and what scans have found. */
export const scans: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, bytes, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await byKey(
      schema
        .createTable('scan_configurations')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('scan_type', 'text', required)
        .addColumn('rules', 'text', required)
        .addColumn('is_sweep_due', 'integer', required)
        .addPrimaryKeyConstraint('scan_configurations_key', ['account_id', 'region']),
    ).execute()
    await schema
      .createTable('image_inventories')
      .addColumn('image_id', idType, (column) => column.primaryKey().references('images.id'))
      .addColumn('analyser_version', 'integer', required)
      .addColumn('body', bytes, required)
      .execute()
    await schema
      .createTable('image_scans')
      .addColumn('id', idType, id)
      .addColumn('image_id', 'bigint', (column) => column.notNull().references('images.id'))
      .addColumn('scan_type', 'text', required)
      .addColumn('account_id', 'text', orderedRequired)
      .addColumn('region', 'text', orderedRequired)
      .addColumn('state', 'text', required)
      .addColumn('attempts', 'integer', required)
      .addColumn('requested_at', 'bigint', required)
      .addColumn('due_at', 'bigint', required)
      .addColumn('completed_at', 'bigint')
      .addColumn('engine', 'text')
      .addColumn('source_updated_at', 'bigint')
      .addColumn('revision', 'bigint')
      .addColumn('coverage', 'text', required)
      .addColumn('failure_code', 'text')
      .addColumn('failure_reason', 'text')
      .addColumn('remark', 'text')
      .addColumn('platform', 'text')
      .addColumn('counts', 'text', required)
      .addColumn('finding_count', 'integer', required)
      .addColumn('generation', 'integer', required)
      .addColumn('findings_hash', 'text')
      .addUniqueConstraint('image_scans_of_image', ['image_id', 'scan_type'])
      .execute()
    await schema
      .createIndex('image_scans_unfinished')
      .on('image_scans')
      .columns(['due_at', 'id'])
      .where('state' as never, '=', 'QUEUED')
      .execute()
    await schema
      .createIndex('image_scans_without_data')
      .on('image_scans')
      .column('id')
      .where('failure_code' as never, '=', 'data')
      .execute()
    await schema
      .createIndex('image_scans_of_registry')
      .on('image_scans')
      .columns(['account_id', 'region', 'scan_type', 'id'])
      .execute()
    await schema
      .createIndex('image_scans_requested')
      .on('image_scans')
      .columns(['account_id', 'region', 'scan_type', 'requested_at'])
      .execute()
    await byKey(
      schema
        .createTable('image_scan_findings')
        .addColumn('scan_id', 'bigint', (column) => column.notNull().references('image_scans.id'))
        .addColumn('part', 'integer', required)
        .addColumn('body', bytes, required)
        .addPrimaryKeyConstraint('image_scan_findings_key', ['scan_id', 'part']),
    ).execute()
  },
}
