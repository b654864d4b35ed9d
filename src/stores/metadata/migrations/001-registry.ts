import { type ColumnDefinitionBuilder, type Kysely, type Migration, sql } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)
const ofRepository = (column: ColumnDefinitionBuilder) => column.notNull().references('repositories.id')
const ofImage = (column: ColumnDefinitionBuilder) => column.notNull().references('images.id')

/** Repositories, images, tags, blobs, uploads and credentials. */
export const registry: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, bytes, ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())
    const orderedKey = (column: ColumnDefinitionBuilder) => ordered(column.notNull().primaryKey())

    await schema
      .createTable('repositories')
      .addColumn('id', idType, id)
      .addColumn('account_id', 'text', required)
      .addColumn('region', 'text', required)
      .addColumn('name', 'text', orderedRequired)
      .addColumn('created_at', 'bigint', required)
      .addColumn('mutability', 'text', required)
      .addColumn('exclusion_filters', 'text', required)
      .addColumn('is_scanned_on_push', 'integer', required)
      .addColumn('encryption_type', 'text', required)
      .addColumn('image_count', 'bigint', zero)
      .addColumn('is_deleted', 'integer', zero)
      .addUniqueConstraint('repositories_by_name', ['account_id', 'region', 'name'])
      .execute()
    await schema
      .createIndex('repositories_deleted')
      .on('repositories')
      .column('id')
      .where(sql.ref('is_deleted'), '=', sql.lit(1))
      .execute()

    await byKey(
      schema
        .createTable('resource_tags')
        .addColumn('repository_id', 'bigint', ofRepository)
        .addColumn('key', 'text', orderedRequired)
        .addColumn('value', 'text', required)
        .addPrimaryKeyConstraint('resource_tags_key', ['repository_id', 'key']),
    ).execute()

    await schema
      .createTable('images')
      .addColumn('id', idType, id)
      .addColumn('repository_id', 'bigint', ofRepository)
      .addColumn('digest', 'text', orderedRequired)
      .addColumn('media_type', 'text', required)
      .addColumn('size_bytes', 'bigint', required)
      .addColumn('manifest_size_bytes', 'bigint', required)
      .addColumn('pushed_at', 'bigint', required)
      .addColumn('pulled_at', 'bigint')
      .addColumn('tag_count', 'bigint', zero)
      .addColumn('is_tagged', 'integer', zero)
      .addColumn('subject', 'text', ordered)
      .addColumn('artifact_media_type', 'text')
      .addColumn('artifact_type', 'text')
      .addColumn('annotations', 'text')
      .addUniqueConstraint('images_by_digest', ['repository_id', 'digest'])
      .execute()
    await schema
      .createIndex('images_by_tag_status')
      .on('images')
      .columns(['repository_id', 'is_tagged', 'digest'])
      .execute()
    await schema
      .createIndex('images_by_subject')
      .on('images')
      .columns(['repository_id', 'subject', 'digest'])
      .where(sql.ref('subject'), 'is not', null)
      .execute()

    await schema
      .createTable('image_manifests')
      .addColumn('image_id', idType, (column) => column.primaryKey().references('images.id'))
      .addColumn('body', bytes, required)
      .execute()

    await byKey(
      schema
        .createTable('tags')
        .addColumn('repository_id', 'bigint', ofRepository)
        .addColumn('name', 'text', orderedRequired)
        .addColumn('image_id', 'bigint', ofImage)
        .addColumn('set_at', 'bigint', required)
        .addPrimaryKeyConstraint('tags_key', ['repository_id', 'name']),
    ).execute()
    await schema.createIndex('tags_by_image').on('tags').columns(['image_id', 'name']).execute()

    await byKey(
      schema
        .createTable('image_children')
        .addColumn('repository_id', 'bigint', ofRepository)
        .addColumn('child_digest', 'text', orderedRequired)
        .addColumn('parent_digest', 'text', orderedRequired)
        .addPrimaryKeyConstraint('image_children_key', ['repository_id', 'child_digest', 'parent_digest']),
    ).execute()
    await schema
      .createIndex('image_children_by_parent')
      .on('image_children')
      .columns(['repository_id', 'parent_digest'])
      .execute()

    await byKey(
      schema
        .createTable('image_blobs')
        .addColumn('repository_id', 'bigint', ofRepository)
        .addColumn('digest', 'text', orderedRequired)
        .addColumn('image_id', 'bigint', ofImage)
        .addColumn('media_type', 'text', required)
        .addPrimaryKeyConstraint('image_blobs_key', ['repository_id', 'digest', 'image_id']),
    ).execute()
    await schema.createIndex('image_blobs_by_image').on('image_blobs').column('image_id').execute()

    await byKey(
      schema
        .createTable('blobs')
        .addColumn('digest', 'text', orderedKey)
        .addColumn('size_bytes', 'bigint', zero)
        .addColumn('link_count', 'bigint', zero)
        .addColumn('touched_at', 'bigint', required)
        .addColumn('is_marked', 'integer', zero),
    ).execute()
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

    await byKey(
      schema
        .createTable('repository_blobs')
        .addColumn('repository_id', 'bigint', ofRepository)
        .addColumn('digest', 'text', orderedRequired)
        .addColumn('size_bytes', 'bigint', required)
        .addColumn('image_count', 'bigint', zero)
        .addColumn('media_type', 'text')
        .addColumn('unused_since', 'bigint')
        .addPrimaryKeyConstraint('repository_blobs_key', ['repository_id', 'digest']),
    ).execute()
    await schema.createIndex('repository_blobs_by_digest').on('repository_blobs').column('digest').execute()
    await schema
      .createIndex('repository_blobs_unused')
      .on('repository_blobs')
      .column('unused_since')
      .where(sql.ref('unused_since'), 'is not', null)
      .execute()

    await schema
      .createTable('uploads')
      .addColumn('id', 'text', orderedKey)
      .addColumn('repository_id', 'bigint', ofRepository)
      .addColumn('key', 'text', (column) => column.notNull().unique())
      .addColumn('started_at', 'bigint', required)
      .addColumn('touched_at', 'bigint', required)
      .addColumn('last_part_bytes', 'bigint')
      .execute()
    await schema.createIndex('uploads_by_repository').on('uploads').column('repository_id').execute()
    await schema.createIndex('uploads_by_touch').on('uploads').column('touched_at').execute()

    await schema
      .createTable('access_keys')
      .addColumn('access_key_id', 'text', orderedKey)
      .addColumn('secret_access_key', 'text', required)
      .addColumn('account_id', 'text', required)
      .addColumn('principal_arn', 'text', required)
      .addColumn('created_at', 'bigint', required)
      .execute()

    await schema
      .createTable('secrets')
      .addColumn('name', 'text', orderedKey)
      .addColumn('value', bytes, required)
      .execute()
  },
}
