import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import type { ImportReport } from '../../src/stores/advisories.ts'
import { KEV_FILE, OSV_DIRECTORY, osvRecord, RecordDirectory, zipOf } from '../support/advisory-data.ts'

/** Nine thousand records take their time where others work, too. */
setDefaultTimeout(60_000)

const AT = new Date('2026-11-21T00:00:00Z')
let home: string
let store: SqliteAdvisoryStore
let records: RecordDirectory

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'ecru-advisories-test-'))
  store = SqliteAdvisoryStore.inDirectory(home)
  records = new RecordDirectory()
})

afterEach(async () => {
  await store.close()
  records[Symbol.dispose]()
  rmSync(home, { recursive: true, force: true })
})

const importFrom = (from: string, at = AT, source = 'osv'): Promise<ImportReport> => store.import({ from, at, source })
const idsOf = (ecosystem: string, name: string) =>
  store.use((set) => set?.entriesOf(ecosystem, name).map(({ advisoryId }) => advisoryId))
const qs = osvRecord('GHSA-1', ['npm', 'qs', '2.0.0'])

/** A bucket with one folder. */
function bucketOf(folder: string, entries: Readonly<Record<string, string>>): string {
  const path = join(records.path, 'bucket', folder)
  rmSync(path, { recursive: true, force: true })
  Bun.spawnSync(['mkdir', '-p', path])
  writeFileSync(join(path, 'all.zip'), zipOf(entries))
  return join(records.path, 'bucket')
}

test('before anything was imported there is no set, which is not an empty one', async () => {
  expect(await store.use((set) => set)).toBeUndefined()
})

test('a whole bucket comes in, says what it holds, and comes again without a change', async () => {
  const report = await importFrom(OSV_DIRECTORY)
  expect(report).toMatchObject({ recordsRead: 8_959, addedCount: 8_959, rejectedCount: 0, isChanged: true })
  const status = await store.use((set) => set?.status)
  expect(status?.recordCount).toBe(8_917)
  expect(status?.ecosystems.find(({ ecosystem }) => ecosystem === 'Debian:12')).toMatchObject({ recordCount: 1_229 })
  expect(await importFrom(OSV_DIRECTORY)).toMatchObject({
    isChanged: false,
    unchangedCount: 8_959,
    revision: report.revision,
  })
  await importFrom(KEV_FILE)
  await store.use((set) => {
    expect(set?.status.knownExploitedCount).toBe(1_404)
    expect(set?.knownExploited('CVE-2025-48384')).toEqual({
      addedOn: '2025-08-25',
      dueOn: '2025-09-15',
      isUsedByRansomware: false,
    })
  })
})

describe('the age of dumps in one directory', () => {
  const at = (moment: string) => new Date(moment)
  const flaw = (id: string, ecosystem: string, modified: string) => ({
    [`${id}.json`]: JSON.stringify({ ...osvRecord(id, [ecosystem, 'a', '2']), modified }),
  })
  const asOf = () =>
    store.use((set) => Object.fromEntries((set?.status.ecosystems ?? []).map((one) => [one.ecosystem, one.asOf])))

  test('is that of the newest record, also for quiet ones; but a file that is older is not newer than itself', async () => {
    bucketOf('Debian', flaw('DEBIAN-CVE-2026-1', 'Debian:12', '2026-11-17T00:00:00Z'))
    bucketOf('Alpine', flaw('ALPINE-CVE-2023-1', 'Alpine:v3.18', '2023-02-27T00:00:00Z'))
    const from = bucketOf('npm', flaw('GHSA-1', 'npm', '2025-05-30T00:00:00Z'))
    utimesSync(join(from, 'npm/all.zip'), at('2025-06-01T00:00:00Z'), at('2025-06-01T00:00:00Z'))
    await importFrom(from)
    expect(await asOf()).toEqual({
      'Alpine:v3.18': at('2026-11-17T00:00:00Z'),
      'Debian:12': at('2026-11-17T00:00:00Z'),
      npm: at('2025-06-01T00:00:00Z'),
    })
  })

  test('is not that of a file that claims to be older than its records', async () => {
    bucketOf('Debian', flaw('DEBIAN-CVE-2026-1', 'Debian:12', '2026-11-17T00:00:00Z'))
    const from = bucketOf('npm', flaw('GHSA-1', 'npm', '2025-05-30T00:00:00Z'))
    utimesSync(join(from, 'npm/all.zip'), new Date(0), new Date(0))
    await importFrom(from)
    expect((await asOf()).npm).toEqual(at('2026-11-17T00:00:00Z'))
  })
})

test('what a whole dump has no more is removed, of this dump alone', async () => {
  const both = { 'GHSA-1.json': JSON.stringify(qs), 'GHSA-2.json': JSON.stringify({ ...qs, id: 'GHSA-2' }) }
  await importFrom(bucketOf('npm', both))
  await importFrom(bucketOf('Maven', { 'GHSA-2.json': JSON.stringify({ ...qs, id: 'GHSA-2' }) }))
  expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1', 'GHSA-2'])
  rmSync(join(records.path, 'bucket'), { recursive: true })
  const { 'GHSA-1.json': first } = both
  expect(await importFrom(bucketOf('npm', { 'GHSA-1.json': first }))).toMatchObject({ removedCount: 1 })
  expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1', 'GHSA-2'])
  rmSync(join(records.path, 'bucket'), { recursive: true })
  const other = { ...qs, id: 'GHSA-3' }
  await importFrom(bucketOf('Maven', { 'GHSA-3.json': JSON.stringify(other) }))
  expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1', 'GHSA-3'])
})

test('an archive that is no dump of the bucket only adds and replaces', async () => {
  await importFrom(bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) }))
  const more = records.putText('more.zip', zipOf({ 'GHSA-2.json': JSON.stringify({ ...qs, id: 'GHSA-2' }) }))
  expect(await importFrom(more)).toMatchObject({ addedCount: 1, removedCount: 0 })
  expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1', 'GHSA-2'])
})

test('what one source has no more is removed of this source alone', async () => {
  await importFrom(bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) }))
  const importOwn = (from: string) => importFrom(from, AT, 'vendor')
  const own = (id: string) => bucketOf('npm', { [`${id}.json`]: JSON.stringify({ ...qs, id }) })
  expect(await importOwn(own('VENDOR-1'))).toMatchObject({ addedCount: 1, removedCount: 0 })
  expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1', 'VENDOR-1'])
  expect(await importOwn(own('VENDOR-2'))).toMatchObject({ addedCount: 1, removedCount: 1 })
  expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1', 'VENDOR-2'])
  const single = records.putText('GHSA-1.json', JSON.stringify({ ...qs, modified: '2026-05-01T00:00:00Z' }))
  expect(await importOwn(single)).toMatchObject({ addedCount: 1, changedCount: 0 })
  expect(await store.use((set) => set?.status.sources)).toEqual(['osv', 'vendor'])
})

test('of a record that two dumps have, the newer counts', async () => {
  const newer = osvRecord('GHSA-1', ['npm', 'qs', '3.0.0'], { modified: '2026-05-01T00:00:00Z' })
  await importFrom(bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) }))
  await importFrom(bucketOf('Go', { 'GHSA-1.json': JSON.stringify(newer) }))
  const entries = await store.use((set) => set?.entriesOf('npm', 'qs') ?? [])
  expect(entries.map(({ affected }) => affected.ranges[0]?.events[1]?.version)).toEqual(['3.0.0'])
})

test('a record that a newer dump withdraws is gone, though an older one still has it', async () => {
  const withdrawn = { ...qs, modified: '2026-05-01T00:00:00Z', withdrawn: '2026-05-01T00:00:00Z' }
  await importFrom(bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) }))
  await importFrom(bucketOf('Go', { 'GHSA-1.json': JSON.stringify(withdrawn) }))
  expect(await idsOf('npm', 'qs')).toEqual([])
})

describe('what is malformed', () => {
  test('records that are none are named and left out; the others come in', async () => {
    const entries = {
      'GHSA-1.json': JSON.stringify(qs),
      'GHSA-2.json': '{"id": "GHSA-2"',
      'GHSA-3.json': JSON.stringify({ id: 'GHSA-3' }),
      'GHSA-4.json': JSON.stringify({ ...qs, id: 'GHSA-5' }),
      '../../GHSA-6.json': JSON.stringify({ ...qs, id: 'GHSA-6' }),
      'README.txt': 'Hello',
    }
    const report = await importFrom(bucketOf('npm', entries))
    expect(report).toMatchObject({ addedCount: 2, rejectedCount: 3 })
    expect(report.rejected.map(({ name }) => name)).toEqual(['GHSA-2.json', 'GHSA-3.json', 'GHSA-4.json'])
  })

  test.each([
    ['no archive', 'hello'],
    ['an empty file', ''],
    ['an archive without its end', Buffer.from(zipOf({ 'a.json': '{}' })).subarray(0, -30)],
  ])('%s leaves the set as it is', async (_, content) => {
    await importFrom(bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) }))
    const path = records.putText('all.zip', content)
    await expect(importFrom(path)).rejects.toMatchObject({ name: 'AdvisoryImportFailed' })
    expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1'])
  })

  test('a damaged entry fails the import, and the same file made good goes on', async () => {
    const bucket = bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) })
    const archive = join(bucket, 'npm/all.zip')
    const good = readFileSync(archive)
    const bad = Buffer.from(good)
    bad.write('#', 60, 'latin1')
    writeFileSync(archive, bad)
    await expect(importFrom(bucket)).rejects.toMatchObject({
      message: 'npm/all.zip: The entry GHSA-1.json is damaged.',
    })
    expect(await store.use((set) => set)).toBeUndefined()
    writeFileSync(archive, good)
    expect(await importFrom(bucket)).toMatchObject({ addedCount: 1 })
  })

  test('what is not there, or holds nothing, is said', async () => {
    await expect(importFrom(join(home, 'nothing'))).rejects.toMatchObject({ name: 'AdvisoryImportFailed' })
    await expect(importFrom(records.path)).rejects.toMatchObject({ name: 'AdvisoryImportFailed' })
  })
})

describe('an import that is cut off', () => {
  const child = join(import.meta.dir, '../support/import-advisories-child.ts')

  /** Kills the importing process once it has read so many records. */
  async function killAt(recordsRead: number): Promise<void> {
    const process = Bun.spawn(['bun', child, home, OSV_DIRECTORY, String(recordsRead)], { stdout: 'pipe' })
    await new Response(process.stdout).text()
    expect(await process.exited).toBe(137)
  }

  test('by kill -9 leaves the old set whole; the same import goes on where it was', async () => {
    await importFrom(bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) }))
    await killAt(6_000)
    expect(readdirSync(home)).toContain('staging.db')
    expect(await idsOf('npm', 'qs')).toEqual(['GHSA-1'])
    expect(await store.use((set) => set?.status.recordCount)).toBe(1)

    const report = await importFrom(OSV_DIRECTORY)
    expect(report).toMatchObject({ isResumed: true, recordsRead: 8_959, addedCount: 8_959, removedCount: 1 })
    expect(readdirSync(home)).toEqual(['current.db'])
    const whole = SqliteAdvisoryStore.inMemory()
    await whole.import({ from: OSV_DIRECTORY, at: AT })
    const status = await whole.use((set) => set?.status.ecosystems)
    expect(await store.use((set) => set?.status.ecosystems)).toEqual(status ?? [])
    await whole.close()
  })

  test('is forgotten when another import comes', async () => {
    await killAt(6_000)
    const other = bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) })
    expect(await importFrom(other)).toMatchObject({ isResumed: false, addedCount: 1 })
    expect(await store.use((set) => set?.status.recordCount)).toBe(1)
  })

  test('with a damaged file is begun anew', async () => {
    await killAt(6_000)
    truncateSync(join(home, 'staging.db'), 5_000)
    rmSync(join(home, 'staging.db-wal'), { force: true })
    expect(await importFrom(OSV_DIRECTORY)).toMatchObject({ isResumed: false, addedCount: 8_959 })
  })

  test('by the end of the registry leaves the old set', async () => {
    const importing = importFrom(OSV_DIRECTORY)
    await store.close()
    await expect(importing).rejects.toMatchObject({ name: 'AdvisoryImportFailed' })
    expect(existsSync(join(home, 'current.db'))).toBe(false)
  })
})

test('who works with a set keeps it while another takes its place', async () => {
  await importFrom(bucketOf('npm', { 'GHSA-1.json': JSON.stringify(qs) }))
  await store.use(async (set) => {
    await importFrom(bucketOf('npm', { 'GHSA-2.json': JSON.stringify({ ...qs, id: 'GHSA-2' }) }))
    expect(set?.entriesOf('npm', 'qs').map(({ advisoryId }) => advisoryId)).toEqual(['GHSA-1'])
    expect(await idsOf('npm', 'qs')).toEqual(['GHSA-2'])
  })
})

test('the event loop goes on while records are imported', async () => {
  let beats = 0
  const heart = setInterval(() => beats++, 5)
  await importFrom(OSV_DIRECTORY)
  clearInterval(heart)
  expect(beats).toBeGreaterThan(10)
})
