import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)
const plain = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo('')

/** Which key encrypts what: of repositories, blobs and manifests. All that was there before is not encrypted. */
export const vaults: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await schema.alterTable('repositories').addColumn('kms_key_arn', 'text').execute()
    await schema.alterTable('creation_templates').addColumn('kms_key', 'text').execute()
    await schema.alterTable('image_manifests').addColumn('vault', 'text', plain).execute()
    await schema.alterTable('repository_blobs').addColumn('vault', 'text', plain).execute()

    // A primary key cannot change: the table is made anew.
    await byKey(
      schema
        .createTable('vault_blobs')
        .addColumn('digest', 'text', orderedRequired)
        .addColumn('vault', 'text', orderedRequired)
        .addColumn('size_bytes', 'bigint', zero)
        .addColumn('link_count', 'bigint', zero)
        .addColumn('touched_at', 'bigint', required)
        .addColumn('is_marked', 'integer', zero)
        .addPrimaryKeyConstraint('vault_blobs_key', ['digest', 'vault']),
    ).execute()
    await sql`insert into vault_blobs (digest, vault, size_bytes, link_count, touched_at, is_marked)
      select digest, '', size_bytes, link_count, touched_at, is_marked from blobs`.execute(db)
    await schema.dropTable('blobs').execute()
    await schema.alterTable('vault_blobs').renameTo('blobs').execute()
    await schema
      .createIndex('blobs_dead')
      .on('blobs')
      .column('touched_at')
      .where(sql.ref('link_count'), '=', sql.lit(0))
      .execute()
    await schema
      .createIndex('blobs_marked')
      .on('blobs')
      .column('touched_at')
      .where(sql.ref('is_marked'), '=', sql.lit(1))
      .execute()
  },
}
