import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** Keys of KMS with all that belongs to them, and the secrets that accounts keep in Secrets Manager. */
export const keys: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await createKeys(db)
    await createBelongings(db)
    await createSecrets(db)
  },
}

async function createKeys(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  const { idType, id, bytes, ordered, byKey } = columnsOf(db)
  const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

  await schema
    .createTable('kms_keys')
    .addColumn('id', idType, id)
    .addColumn('key_id', 'text', (column) => orderedRequired(column).unique())
    .addColumn('account_id', 'text', orderedRequired)
    .addColumn('region', 'text', orderedRequired)
    .addColumn('manager', 'text', required)
    .addColumn('state', 'text', required)
    .addColumn('description', 'text', required)
    .addColumn('policy', 'text', required)
    .addColumn('created_at', 'bigint', required)
    .addColumn('deletion_at', 'bigint')
    .addColumn('deletion_window_days', 'integer')
    .addColumn('rotation_period_days', 'integer')
    .addColumn('rotates_at', 'bigint')
    .addColumn('material_id', 'text', required)
    .execute()
  await schema
    .createIndex('kms_keys_by_home')
    .on('kms_keys')
    .columns(['account_id', 'region', 'key_id'])
    .unique()
    .execute()
  for (const column of ['deletion_at', 'rotates_at'])
    await schema
      .createIndex(`kms_keys_by_${column}`)
      .on('kms_keys')
      .column(column)
      .where(sql.ref(column), 'is not', null)
      .execute()

  await byKey(
    schema
      .createTable('kms_key_materials')
      .addColumn('material_id', 'text', orderedRequired)
      .addColumn('kms_key_id', 'bigint', (column) => column.notNull().references('kms_keys.id'))
      .addColumn('sealed', bytes, required)
      .addColumn('created_at', 'bigint', required)
      .addPrimaryKeyConstraint('kms_key_materials_key', ['material_id']),
  ).execute()
  await schema.createIndex('kms_key_materials_by_key').on('kms_key_materials').column('kms_key_id').execute()
}

async function createBelongings(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  const { ordered, byKey } = columnsOf(db)
  const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())
  const ofKey = (column: ColumnDefinitionBuilder) => column.notNull().references('kms_keys.id')

  await byKey(
    schema
      .createTable('kms_aliases')
      .addColumn('account_id', 'text', orderedRequired)
      .addColumn('region', 'text', orderedRequired)
      .addColumn('name', 'text', orderedRequired)
      .addColumn('key_id', 'text', (column) => column.notNull().references('kms_keys.key_id'))
      .addColumn('created_at', 'bigint', required)
      .addColumn('updated_at', 'bigint', required)
      .addPrimaryKeyConstraint('kms_aliases_key', ['account_id', 'region', 'name']),
  ).execute()
  await schema.createIndex('kms_aliases_by_key').on('kms_aliases').column('key_id').execute()

  await byKey(
    schema
      .createTable('kms_key_tags')
      .addColumn('kms_key_id', 'bigint', ofKey)
      .addColumn('key', 'text', orderedRequired)
      .addColumn('value', 'text', required)
      .addPrimaryKeyConstraint('kms_key_tags_key', ['kms_key_id', 'key']),
  ).execute()

  await byKey(
    schema
      .createTable('kms_grants')
      .addColumn('kms_key_id', 'bigint', ofKey)
      .addColumn('grant_id', 'text', orderedRequired)
      .addColumn('token', 'text', (column) => column.notNull().unique())
      .addColumn('name', 'text')
      .addColumn('grantee', 'text', orderedRequired)
      .addColumn('retiring_principal', 'text')
      .addColumn('operations', 'text', required)
      .addColumn('constraints', 'text')
      .addColumn('issuing_account', 'text', required)
      .addColumn('created_at', 'bigint', required)
      .addPrimaryKeyConstraint('kms_grants_key', ['kms_key_id', 'grant_id']),
  ).execute()
  await schema.createIndex('kms_grants_by_grantee').on('kms_grants').columns(['kms_key_id', 'grantee']).execute()
}

async function createSecrets(db: Kysely<unknown>): Promise<void> {
  const { schema } = db
  const { idType, id, bytes, ordered, byKey } = columnsOf(db)
  const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())
  const ofSecret = (column: ColumnDefinitionBuilder) => column.notNull().references('managed_secrets.id')

  await schema
    .createTable('managed_secrets')
    .addColumn('id', idType, id)
    .addColumn('account_id', 'text', orderedRequired)
    .addColumn('region', 'text', orderedRequired)
    .addColumn('name', 'text', orderedRequired)
    .addColumn('suffix', 'text', required)
    .addColumn('description', 'text')
    .addColumn('type', 'text')
    .addColumn('kms_key_arn', 'text')
    .addColumn('policy', 'text')
    .addColumn('created_at', 'bigint', required)
    .addColumn('changed_at', 'bigint', required)
    .addColumn('accessed_at', 'bigint')
    .addColumn('deletion_at', 'bigint')
    .execute()
  await schema
    .createIndex('managed_secrets_by_name')
    .on('managed_secrets')
    .columns(['account_id', 'region', 'name'])
    .unique()
    .execute()
  await schema
    .createIndex('managed_secrets_by_deletion')
    .on('managed_secrets')
    .column('deletion_at')
    .where(sql.ref('deletion_at'), 'is not', null)
    .execute()

  await byKey(
    schema
      .createTable('managed_secret_versions')
      .addColumn('secret_id', 'bigint', ofSecret)
      .addColumn('version_id', 'text', orderedRequired)
      .addColumn('stages', 'text', required)
      .addColumn('kms_key_arn', 'text')
      .addColumn('wrapped_key', bytes)
      .addColumn('sealed', bytes, required)
      .addColumn('created_at', 'bigint', required)
      .addPrimaryKeyConstraint('managed_secret_versions_key', ['secret_id', 'version_id']),
  ).execute()

  await byKey(
    schema
      .createTable('managed_secret_tags')
      .addColumn('secret_id', 'bigint', ofSecret)
      .addColumn('key', 'text', orderedRequired)
      .addColumn('value', 'text', required)
      .addPrimaryKeyConstraint('managed_secret_tags_key', ['secret_id', 'key']),
  ).execute()
}
