import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** What is signed in each registry, and the signatures that pushes have asked for. */
export const signing: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await byKey(
      schema
        .createTable('signing_configurations')
        .addColumn('account_id', 'text', orderedRequired)
        .addColumn('region', 'text', orderedRequired)
        .addColumn('rules', 'text', required)
        .addPrimaryKeyConstraint('signing_configurations_key', ['account_id', 'region']),
    ).execute()

    await schema
      .createTable('image_signings')
      .addColumn('id', idType, id)
      .addColumn('image_id', 'bigint', (column) => column.notNull().references('images.id'))
      .addColumn('profile_arn', 'text', orderedRequired)
      .addColumn('principal', 'text', required)
      .addColumn('status', 'text', required)
      .addColumn('failure_code', 'text')
      .addColumn('failure_reason', 'text')
      .addUniqueConstraint('image_signings_key', ['image_id', 'profile_arn'])
      .execute()
    await schema
      .createIndex('image_signings_unfinished')
      .on('image_signings')
      .column('id')
      .where(sql.ref('status'), '=', sql.lit('IN_PROGRESS'))
      .execute()
  },
}
