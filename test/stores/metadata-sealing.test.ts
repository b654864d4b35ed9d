import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MasterKey } from '../../src/lib/master-key.ts'
import { hasSealedSecrets, openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { newKey, newMaterial } from '../suites/metadata-store-keys.ts'
import { minute, REGISTRY } from '../suites/metadata-store-records.ts'

const key = (fill: number) => new Uint8Array(32).fill(fill)
const [first, second] = [new MasterKey(key(1)), new MasterKey(key(2))]

const accessKey = {
  accessKeyId: 'AKIAEXAMPLE',
  secretAccessKey: 'the-secret-of-the-access-key',
  accountId: '123456789012',
  principalArn: 'arn:aws:iam::123456789012:root',
  createdAt: new Date(1),
  status: 'Active' as const,
}
// Longer than what SQLite keeps inside of a page of a table without row ids.
const signingKey = new TextEncoder().encode('the-secret-of-the-token-signing-key'.repeat(60))

const material = { ...newMaterial(1), bytes: new TextEncoder().encode('the-secret-of-the-key-material!!') }

let directory: string
let file: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-sealing-'))
  file = join(directory, 'metadata.db')
})
afterEach(() => rm(directory, { recursive: true }))

async function write(sealer: MasterKey): Promise<void> {
  const store = await openSqliteMetadata(file, sealer)
  await store.transact(async (tx) => {
    await tx.credentials.putAccessKey(accessKey)
    await tx.credentials.keepSecret('token-signing-key', signingKey)
    if ((await tx.keys.find(newKey(1).keyId)) === undefined) await tx.keys.insert(newKey(1), material)
    for (const name of ['one', 'two'])
      if ((await tx.managedSecrets.find(REGISTRY, name)) === undefined) {
        const moments = { createdAt: minute(1), changedAt: minute(1) }
        const { id } = await tx.managedSecrets.insert({ home: REGISTRY, name, suffix: 'abcdef', ...moments })
        const body = new TextEncoder().encode(`the-secret-of-${name}`)
        await tx.managedSecrets.putVersion(id, { versionId: 'same', stages: [], createdAt: minute(1), body })
      }
  })
  await store.close()
}

async function expectToFindAll(sealer: MasterKey, hasNewTables = true): Promise<void> {
  const store = await openSqliteMetadata(file, sealer)
  expect(await store.view.credentials.findAccessKey(accessKey.accessKeyId)).toEqual(accessKey)
  expect(await store.view.credentials.findSecret('token-signing-key')).toEqual(signingKey)
  if (hasNewTables) expect((await store.view.keys.findMaterial(newKey(1).keyId))?.material).toEqual(material)
  for (const name of hasNewTables ? ['one', 'two'] : []) {
    const { id } = (await store.view.managedSecrets.find(REGISTRY, name)) ?? { id: 0 }
    const [version] = await store.view.managedSecrets.listVersions(id)
    expect(new TextDecoder().decode(version?.body)).toBe(`the-secret-of-${name}`)
  }
  await store.close()
}

async function filesNaming(text: string): Promise<readonly string[]> {
  const names = await readdir(directory)
  const isFound = await Promise.all(names.map(async (name) => (await readFile(join(directory, name))).includes(text)))
  return names.filter((_, index) => isFound[index])
}

/** As it was before there was a master key. */
function unseal(): void {
  const db = new Database(file)
  for (const table of ['kms_key_materials', 'kms_keys', 'managed_secret_versions', 'managed_secrets'])
    db.run(`delete from ${table}`)
  db.run('update access_keys set secret_access_key = ?', [accessKey.secretAccessKey])
  db.run("update secrets set value = ? where name = 'token-signing-key'", [signingKey])
  db.run("delete from secrets where name = 'master-key-check'")
  db.close()
}

describe('secrets in the metadata', () => {
  test('are in no file in clear, while it is open or afterwards', async () => {
    const store = await openSqliteMetadata(file, first)
    await store.transact((tx) => tx.credentials.putAccessKey(accessKey))
    expect(await filesNaming('AKIAEXAMPLE')).not.toEqual([])
    expect(await filesNaming('the-secret-of')).toEqual([])
    await store.close()
    await write(first)
    expect(await filesNaming('the-secret-of')).toEqual([])
  })

  test('that lay there in clear are sealed when it is opened, and nothing of them is left', async () => {
    await write(first)
    unseal()
    expect(await filesNaming('the-secret-of')).not.toEqual([])
    expect(await hasSealedSecrets(file)).toBe(false)
    await expectToFindAll(first, false)
    expect(await filesNaming('the-secret-of')).toEqual([])
    expect(await hasSealedSecrets(file)).toBe(true)
    await expectToFindAll(first, false)
  })

  test('are sealed with a new key when it comes first, and then the old one is not needed', async () => {
    await write(first)
    await expectToFindAll(new MasterKey(key(2), key(1)))
    await expectToFindAll(second)
  })

  test('are not opened by another key, which is said at once', async () => {
    await write(first)
    const opening = openSqliteMetadata(file, second).then(() => 'opened')
    await expect(opening).rejects.toThrow(
      `The master key does not open the secrets in the metadata: It was sealed with the key ${first.id}, which is not at hand.`,
    )
    await opening.catch(() => undefined)
    await expectToFindAll(first)
  })

  test('are none in a file that is not there', async () => {
    expect(await hasSealedSecrets(file)).toBe(false)
    expect(await readdir(directory)).toEqual([])
  })

  test('cannot pass for one another', async () => {
    await write(first)
    const db = new Database(file)
    db.run(
      `insert into access_keys (access_key_id, secret_access_key, account_id, principal_arn, created_at)
       select 'AKIAOTHER', secret_access_key, account_id, principal_arn, 1 from access_keys`,
    )
    db.close()
    const store = await openSqliteMetadata(file, first)
    await expect(store.view.credentials.findAccessKey('AKIAOTHER')).rejects.toThrow('is used for something else')
    await store.close()
  })
})
