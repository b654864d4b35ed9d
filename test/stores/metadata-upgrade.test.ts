import { expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Migrator } from 'kysely'
import { parseTag } from '../../src/domain/names.ts'
import { migrations } from '../../src/stores/metadata/migrations/migrate.ts'
import { SqliteConnection } from '../../src/stores/metadata/sqlite/connection.ts'
import { databaseOn } from '../../src/stores/metadata/sqlite/dialect.ts'
import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { plain } from '../suites/blob-bytes.ts'
import { digestOf, REGISTRY, refOf } from '../suites/metadata-store-records.ts'
import { testMasterKey } from '../support/test-master-key.ts'

/** What the first version kept: an index, its child and a layer, as its own tables had them. */
async function writeFirstVersion(path: string): Promise<void> {
  const connection = new SqliteConnection(path, ['foreign_keys=on'])
  const db = databaseOn(connection)
  const { '001-registry': first } = migrations
  if (first === undefined) throw new Error('the first migration is gone')
  await new Migrator({ db, provider: { getMigrations: async () => ({ '001-registry': first }) } }).migrateToLatest()
  const insert = (table: string, values: Readonly<Record<string, string | number>>) => {
    const names = Object.keys(values)
    const statement = `insert into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`
    connection.execute(statement, Object.values(values))
  }
  insert('repositories', {
    ...{ account_id: REGISTRY.registryId, region: REGISTRY.region, name: 'app', created_at: 1 },
    ...{ mutability: 'MUTABLE', exclusion_filters: '[]', is_scanned_on_push: 0, encryption_type: 'AES256' },
    image_count: 2,
  })
  for (const [name, tagCount] of [
    ['index', 1],
    ['child', 0],
  ] as const)
    insert('images', {
      ...{ repository_id: 1, digest: digestOf(name), media_type: 'm', size_bytes: 1, manifest_size_bytes: 1 },
      ...{ pushed_at: 1, tag_count: tagCount, is_tagged: tagCount },
    })
  insert('tags', { repository_id: 1, name: 'v1', image_id: 1, set_at: 1 })
  insert('image_children', { repository_id: 1, child_digest: digestOf('child'), parent_digest: digestOf('index') })
  insert('blobs', { digest: digestOf('layer'), size_bytes: 1, link_count: 1, touched_at: 1 })
  insert('repository_blobs', { repository_id: 1, digest: digestOf('layer'), size_bytes: 1, image_count: 1 })
  connection.close()
}

test('what the first version kept is there, active, and can be archived', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ecru-upgrade-'))
  const path = join(directory, 'metadata.db')
  await writeFirstVersion(path)
  const store = await openSqliteMetadata(path, testMasterKey)
  const { images, blobs } = store.view
  const active = { status: 'ACTIVE' } as const
  expect(await images.list(1, active, { limit: 10 })).toHaveLength(2)
  expect(await images.listTags(1, { limit: 10 })).toEqual([parseTag('v1')])
  expect((await images.resolve(refOf('app'), { tag: parseTag('v1') }))?.repository.name).toBe(refOf('app').name)
  expect(await images.find(1, { tag: parseTag('v1') })).toMatchObject({ ...active, archivedAt: undefined })
  expect(await blobs.findLinked(1, digestOf('layer'))).toMatchObject({
    imageCount: 1,
    archivedImageCount: 0,
    vault: '',
  })
  expect(await blobs.list({ limit: 10 })).toEqual([{ ...plain(digestOf('layer')), sizeBytes: 1, linkCount: 1 }])
  await store.transact((tx) => tx.images.setStatus(1, 'ARCHIVED', new Date(2)))
  expect((await images.list(1, active, { limit: 10 })).map(({ digest }) => digest)).toEqual([digestOf('child')])
  expect(await images.listTags(1, { limit: 10 })).toEqual([])
  await store.close()
  await rm(directory, { recursive: true })
})

test('a migration that came in behind the last one is made up for', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ecru-upgrade-'))
  const path = join(directory, 'metadata.db')
  const connection = new SqliteConnection(path, ['foreign_keys=on'])
  const { '024-public-pulls': late, ...others } = migrations
  expect(late).toBeDefined()
  const migrator = new Migrator({ db: databaseOn(connection), provider: { getMigrations: async () => others } })
  expect((await migrator.migrateToLatest()).error).toBeUndefined()
  connection.close()
  const store = await openSqliteMetadata(path, testMasterKey)
  const puller = { month: '2026-11', address: '192.0.2.1' }
  await store.transact((tx) => tx.publicRegistries.addPulledBytes(puller, 1))
  expect(await store.view.publicRegistries.pulledBytes(puller)).toBe(1)
  await store.close()
  await rm(directory, { recursive: true })
})
