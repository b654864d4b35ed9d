import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import type { FoundPackage, OperatingSystem } from '../../src/domain/inventory/package.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { Matching } from '../../src/services/advisories/matching.ts'
import { Rematching } from '../../src/services/advisories/rematching.ts'
import { Keyring } from '../../src/services/encryption/keyring.ts'
import { RepositoryGrants } from '../../src/services/encryption/repository-grants.ts'
import { Vaults } from '../../src/services/encryption/vaults.ts'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { openMemoryMetadata } from '../../src/stores/metadata/sqlite.ts'
import type { MetadataStore } from '../../src/stores/metadata.ts'
import { addImage, addRepository } from '../suites/metadata-store-records.ts'
import { type OsvRecord, osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { testMasterKey } from '../support/test-master-key.ts'

const DEBIAN: OperatingSystem = { id: 'debian', idLike: [], versionId: '12' }
let now = new Date('2026-06-01T00:00:00Z')
let metadata: MetadataStore
let advisories: SqliteAdvisoryStore
let matching: Matching
let rematching: Rematching
let directory: RecordDirectory
let images: ReadonlyMap<number, { readonly os: OperatingSystem; readonly packages: readonly FoundPackage[] }>

function deb(name: string, version: string, sourceName = name): FoundPackage {
  const layerDigest = `sha256:${'0'.repeat(64)}` as Digest
  return {
    type: 'deb',
    name,
    version,
    sourceName,
    sourceVersion: version,
    layerDigest,
    licences: [],
    purl: `pkg:deb/debian/${name}@${version}`,
  }
}

beforeEach(async () => {
  metadata = await openMemoryMetadata(testMasterKey)
  advisories = SqliteAdvisoryStore.inMemory()
  const clock = { now: () => now }
  const keyring = new Keyring(metadata, randomIds)
  const vaults = new Vaults(keyring, new RepositoryGrants(metadata, clock, randomIds), false)
  matching = new Matching(advisories, { now: () => now }, { ageMsMax: 365 * 24 * 3_600_000 })
  rematching = new Rematching(metadata, advisories, vaults)
  directory = new RecordDirectory()
  const repository = await addRepository(metadata, 'app')
  const inventories = [
    [deb('libssl3', '3.0.9-1', 'openssl'), deb('zlib1g', '1.2.13', 'zlib')],
    [deb('zlib1g', '1.2.13', 'zlib'), deb('curl', '7.88')],
    [deb('bash', '5.2')],
  ]
  const found = new Map<number, { os: OperatingSystem; packages: readonly FoundPackage[] }>()
  for (const [at, packages] of inventories.entries()) {
    const image = await addImage(metadata, repository.id, at + 1)
    found.set(image.id, { os: DEBIAN, packages })
    const keys = await rematching.keysOf(repository, { os: DEBIAN, packages })
    await metadata.transact((tx) => tx.packageIndex.put(image.id, keys))
  }
  images = found
})

afterEach(async () => {
  directory[Symbol.dispose]()
  await advisories.close()
  await metadata.close()
})

async function importNow(...records: readonly OsvRecord[]): Promise<void> {
  now = new Date(now.getTime() + 60_000)
  for (const record of records) directory.put(record)
  await advisories.import({ from: directory.path, at: now })
}

/** The places of the images that are to be compared again, and what they then have. */
async function rematch(): Promise<readonly (readonly [place: number, findings: readonly string[]])[]> {
  const due = await rematching.find()
  if (due === undefined) return []
  const ids = [...images.keys()]
  const results: [number, readonly string[]][] = []
  for (const imageId of due.imageIds) {
    const inventory = images.get(imageId)
    if (inventory === undefined) throw new Error('Only indexed images are found')
    const { findings } = await matching.match(inventory)
    results.push([ids.indexOf(imageId) + 1, findings.map(({ id, package: { name } }) => `${name} ${id}`)])
  }
  await rematching.finish(due)
  return results
}

const opensslFlaw = osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '3.0.10-1'], { upstream: ['CVE-2026-1'] })
const zlibFlaw = osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1.2.14'], { upstream: ['CVE-2026-2'] })

test('nothing is found while there are no advisories, and everything with the first ones', async () => {
  expect(await rematching.find()).toBeUndefined()
  await importNow(opensslFlaw)
  expect(await rematch()).toEqual([
    [1, ['libssl3 CVE-2026-1']],
    [2, []],
    [3, []],
  ])
  expect(await rematching.find()).toBeUndefined()
})

test('a record that comes concerns the images that hold its package, and no others', async () => {
  await importNow(opensslFlaw)
  await rematch()
  await importNow(zlibFlaw)
  expect(await rematch()).toEqual([
    [1, ['libssl3 CVE-2026-1', 'zlib1g CVE-2026-2']],
    [2, ['zlib1g CVE-2026-2']],
  ])
})

test('a record that changes: only its packages, and only when what it says of them is other than before', async () => {
  await importNow(opensslFlaw, zlibFlaw)
  await rematch()
  await importNow({ ...zlibFlaw, modified: '2026-02-01T00:00:00Z', details: 'More words.' })
  expect(await rematch()).toEqual([])
  await importNow({ ...osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1.2.12'], { upstream: ['CVE-2026-2'] }) })
  expect(await rematch()).toEqual([
    [1, ['libssl3 CVE-2026-1']],
    [2, []],
  ])
})

test('a record that moves to another package concerns the images of both', async () => {
  await importNow(zlibFlaw)
  await rematch()
  await importNow(osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'bash', '5.3'], { upstream: ['CVE-2026-2'] }))
  expect(await rematch()).toEqual([
    [1, []],
    [2, []],
    [3, ['bash CVE-2026-2']],
  ])
})

test('a record that is withdrawn takes its findings along', async () => {
  await importNow(opensslFlaw, zlibFlaw)
  await rematch()
  await importNow({ ...opensslFlaw, withdrawn: '2026-05-01T00:00:00Z' })
  expect(await rematch()).toEqual([[1, ['zlib1g CVE-2026-2']]])
})

test('a vector that another database learns concerns every package with this flaw', async () => {
  await importNow(zlibFlaw)
  await rematch()
  await importNow(
    osvRecord('GHSA-aaaa-bbbb-cccc', ['npm', 'zlib', '9.0.0'], {
      aliases: ['CVE-2026-2'],
      severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    }),
  )
  expect((await rematch()).map(([place]) => place)).toEqual([1, 2])
})

test('a flaw that is known to be exploited from now on concerns the images that have it', async () => {
  await importNow(opensslFlaw, zlibFlaw)
  await rematch()
  const kev = directory.putText(
    'kev.json',
    JSON.stringify({ vulnerabilities: [{ cveID: 'CVE-2026-1', dateAdded: '2026-05-02' }] }),
  )
  now = new Date(now.getTime() + 60_000)
  await advisories.import({ from: kev, at: now })
  expect((await rematch()).map(([place]) => place)).toEqual([1])
})

test('a vector that is another flaw’s from now on concerns the packages of both flaws', async () => {
  const vector = { severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }] }
  const advisory = (cve: string) => ({
    ...osvRecord('GHSA-aaaa-bbbb-cccc', ['npm', 'other', '9.0.0'], { aliases: [cve], ...vector }),
    modified: now.toISOString(),
  })
  await importNow(opensslFlaw, zlibFlaw, advisory('CVE-2026-1'))
  await rematch()
  await importNow(advisory('CVE-2026-2'))
  expect((await rematch()).map(([place]) => place)).toEqual([1, 2])
})

test('evidence of an exploit that a record refers to concerns the images that hold its package', async () => {
  await importNow(zlibFlaw)
  await rematch()
  await importNow({
    ...zlibFlaw,
    modified: '2026-02-01T00:00:00Z',
    references: [{ type: 'EVIDENCE', url: 'https://e.example' }],
  })
  expect((await rematch()).map(([place]) => place)).toEqual([1, 2])
})
