import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** Temporary credentials, the tokens of robots, and the keys that sign login tokens. */
export const sessions: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { ordered, byKey } = columnsOf(db)
    const orderedKey = (column: ColumnDefinitionBuilder) => ordered(column.primaryKey().notNull())

    await byKey(
      schema
        .createTable('sessions')
        .addColumn('access_key_id', 'text', orderedKey)
        .addColumn('secret_access_key', 'text', required)
        .addColumn('token_hash', 'text', required)
        .addColumn('principal', 'text', required)
        .addColumn('identity_arn', 'text', required)
        .addColumn('identity_id', 'text', required)
        .addColumn('parent_key_id', 'text')
        .addColumn('transitive_tag_keys', 'text', required)
        .addColumn('issued_at', 'bigint', required)
        .addColumn('expires_at', 'bigint', required),
    ).execute()
    await schema.createIndex('sessions_by_identity').on('sessions').columns(['identity_arn', 'issued_at']).execute()
    await schema.createIndex('sessions_by_end').on('sessions').column('expires_at').execute()

    await byKey(
      schema
        .createTable('robot_tokens')
        .addColumn('id', 'text', orderedKey)
        .addColumn('secret_hash', 'text', required)
        .addColumn('account_id', 'text', required)
        .addColumn('region', 'text', required)
        .addColumn('user_arn', 'text', required)
        .addColumn('user_id', 'text', required)
        .addColumn('repositories', 'text', required)
        .addColumn('actions', 'text', required)
        .addColumn('created_at', 'bigint', required)
        .addColumn('expires_at', 'bigint', required),
    ).execute()
    await schema.createIndex('robot_tokens_by_end').on('robot_tokens').column('expires_at').execute()

    await schema
      .createTable('token_keys')
      .addColumn('id', 'text', orderedKey)
      .addColumn('created_at', 'bigint', required)
      .execute()
    await schema.createIndex('token_keys_by_age').on('token_keys').columns(['created_at', 'id']).execute()
    // The one key there was: its tokens name none.
    await sql`insert into token_keys (id, created_at) select '', 0 from secrets where name = 'token-signing-key'`.execute(
      db,
    )
  },
}
