import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const plain = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo('')

/**
 * In which vault what scans found lies, and advisories that are to be imported because they were pushed. What was found
 * before lies in clear; a job seals what is of encrypted repositories.
 */
export const scanSecrecy: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, bytes, ordered } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await schema.alterTable('image_inventories').addColumn('vault', 'text', plain).execute()
    await schema.alterTable('image_scan_findings').addColumn('vault', 'text', plain).execute()
    // A digest of what is sealed would say too much of it.
    await schema.alterTable('image_scans').dropColumn('findings_hash').execute()

    // A primary key cannot change: the table is made anew. What was found in blobs that lie in vaults alone is found again.
    await schema
      .createTable('vault_layer_facts')
      .addColumn('digest', 'text', orderedRequired)
      .addColumn('vault', 'text', orderedRequired)
      .addColumn('analyser_version', 'integer', required)
      .addColumn('facts', bytes, required)
      .addColumn('analysed_at', 'bigint', required)
      .addPrimaryKeyConstraint('vault_layer_facts_key', ['digest', 'vault'])
      .execute()
    await sql`insert into vault_layer_facts (digest, vault, analyser_version, facts, analysed_at)
      select f.digest, '', f.analyser_version, f.facts, f.analysed_at from layer_facts as f
      where exists (select 1 from blobs as b where b.digest = f.digest and b.vault = '')`.execute(db)
    await schema.dropTable('layer_facts').execute()
    await schema.alterTable('vault_layer_facts').renameTo('layer_facts').execute()

    await schema
      .createTable('advisory_pushes')
      .addColumn('id', idType, id)
      .addColumn('account_id', 'text', required)
      .addColumn('region', 'text', required)
      .addColumn('repository_name', 'text', required)
      .addColumn('digest', 'text', required)
      .addColumn('pushed_by', 'text', required)
      .addColumn('pushed_at', 'bigint', required)
      .addColumn('state', 'text', required)
      .addColumn('attempts', 'integer', required)
      .addColumn('due_at', 'bigint', required)
      .addColumn('ended_at', 'bigint')
      .addColumn('reason', 'text')
      .execute()
  },
}
