import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { Advisories, type AdvisorySettings } from '../../src/services/advisories/advisories.ts'
import { Matching } from '../../src/services/advisories/matching.ts'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { type OsvRecord, osvRecord, RecordDirectory, zipOf } from '../support/advisory-data.ts'
import { inventoryOf, readGolden } from '../support/golden-inventory.ts'

const DAY_MS = 86_400_000
const SETTINGS: AdvisorySettings = { source: undefined, ecosystems: undefined, ageMsMax: 7 * DAY_MS, caFile: undefined }
let now: Date
let store: SqliteAdvisoryStore
let records: RecordDirectory
const clock = { now: () => now }
const advisories = (settings: Partial<AdvisorySettings> = {}) =>
  new Advisories(store, clock, { ...SETTINGS, ...settings })

beforeEach(() => {
  now = new Date('2026-01-02T00:00:00Z')
  store = SqliteAdvisoryStore.inMemory()
  records = new RecordDirectory()
})

afterEach(async () => {
  await store.close()
  records[Symbol.dispose]()
})

const zlib = osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1.2.14'])

describe('what there is', () => {
  test('is absent, present and then too old, and never an empty list that says nothing', async () => {
    expect(await advisories().status()).toMatchObject({ state: 'absent', staleEcosystems: [] })
    records.put(zlib)
    await advisories().import({ from: records.path })
    expect(await advisories().status()).toMatchObject({ state: 'present', ageMs: DAY_MS, recordCount: 1 })
    now = new Date('2026-01-08T00:00:00.001Z')
    expect(await advisories().status()).toMatchObject({ state: 'stale', staleEcosystems: ['Debian:12'] })
  })

  test('importing the same old records again does not make them new', async () => {
    records.put(zlib)
    await advisories().import({ from: records.path })
    now = new Date('2026-03-01T00:00:00Z')
    await advisories().import({ from: records.path })
    expect(await advisories().status()).toMatchObject({ state: 'stale' })
  })

  test('what cannot be imported is said in words', async () => {
    await expect(advisories().import({ from: `${records.path}/nothing` })).rejects.toMatchObject({
      code: 'invalid-parameter',
      message: `There is no ${records.path}/nothing.`,
    })
    await expect(advisories().fetch()).rejects.toMatchObject({ code: 'invalid-parameter' })
  })
})

describe('what findings rest on', () => {
  const matching = () => new Matching(store, clock, SETTINGS)
  const debian = inventoryOf(readGolden('debian-12.0'))

  test('no advisories at all', async () => {
    const { findings, coverage } = await matching().match(debian)
    expect(findings).toEqual([])
    expect(coverage).toEqual({
      state: 'none',
      revision: undefined,
      ecosystems: [
        {
          ecosystem: 'Debian:12',
          packageCount: 116,
          state: 'absent',
          recordCount: 0,
          reason: 'No advisories for Debian:12 have been imported.',
        },
      ],
    })
  })

  test('advisories of other ecosystems, of some, of all, and old ones', async () => {
    const mixed = { os: debian.os, packages: [...debian.packages, ...inventoryOf(readGolden('langs')).packages] }
    records.put(osvRecord('GHSA-1', ['npm', 'qs', '2.0.0']))
    await advisories().import({ from: records.path })
    expect((await matching().coverage(debian)).state).toBe('none')
    expect((await matching().coverage(mixed)).state).toBe('partial')
    records.put(zlib)
    await advisories().import({ from: records.path })
    expect((await matching().coverage(debian)).state).toBe('complete')
    now = new Date('2026-02-01T00:00:00Z')
    expect(await matching().coverage(debian)).toMatchObject({
      state: 'stale',
      ecosystems: [{ state: 'stale', reason: 'The advisories for Debian:12 are of 2026-01-01, which is too old.' }],
    })
  })

  test('a distribution of which no database is known', async () => {
    records.put(zlib)
    await advisories().import({ from: records.path })
    const os = { id: 'somebodys', idLike: ['debian'], versionId: '1', prettyName: "Somebody's Linux 1" }
    expect(await matching().coverage({ os, packages: debian.packages })).toMatchObject({
      state: 'none',
      ecosystems: [{ ecosystem: "Somebody's Linux 1", state: 'unknown' }],
    })
  })

  test('an image without packages is covered as far as there are advisories', async () => {
    expect((await matching().coverage({ os: undefined, packages: [] })).state).toBe('none')
    records.put(zlib)
    await advisories().import({ from: records.path })
    expect((await matching().coverage({ os: undefined, packages: [] })).state).toBe('complete')
  })
})

describe('a source behind a URL', () => {
  let files: Map<string, string | Uint8Array>
  let asked: string[]
  let server: ReturnType<typeof Bun.serve>

  beforeEach(() => {
    files = new Map()
    asked = []
    server = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: ({ url }) => {
        const path = decodeURIComponent(new URL(url).pathname).slice(1)
        asked.push(path)
        const content = files.get(path)
        return content === undefined ? new Response('no', { status: 404 }) : new Response(content)
      },
    })
  })

  afterEach(() => server.stop(true))

  function offer(ecosystem: string, ...offered: readonly OsvRecord[]): void {
    const newestFirst = offered.toSorted((a, b) => (a.modified > b.modified ? -1 : 1))
    files.set(`${ecosystem}/modified_id.csv`, newestFirst.map(({ modified, id }) => `${modified},${id}\n`).join(''))
    files.set(
      `${ecosystem}/all.zip`,
      zipOf(Object.fromEntries(offered.map((one) => [`${one.id}.json`, JSON.stringify(one)]))),
    )
    for (const one of offered) files.set(`${ecosystem}/${one.id}.json`, JSON.stringify(one))
    const known = String(files.get('ecosystems.txt') ?? '')
    if (!known.split('\n').includes(ecosystem)) files.set('ecosystems.txt', `${known}${ecosystem}\n${ecosystem}:12\n`)
  }

  const fetchNow = (settings: Partial<AdvisorySettings> = {}) =>
    advisories({ source: String(server.url).replace(/\/$/, ''), ...settings }).fetch()
  const idsOf = (ecosystem: string, name: string) =>
    store.use((set) => set?.entriesOf(ecosystem, name).map(({ advisoryId }) => advisoryId))

  test('comes whole at first, and then only what has changed', async () => {
    offer('Red Hat', osvRecord('RHSA-1', ['Red Hat:enterprise_linux:9::baseos', 'zlib', '1.2.14']))
    offer('Debian', zlib)
    expect(await fetchNow()).toMatchObject({ addedCount: 2, isChanged: true })
    expect(asked).toEqual(['ecosystems.txt', 'Debian/all.zip', 'Red Hat/all.zip', 'kev.json'])
    expect(await idsOf('Red Hat:enterprise_linux:9', 'zlib')).toEqual(['RHSA-1'])

    asked.length = 0
    offer(
      'Debian',
      zlib,
      osvRecord('DEBIAN-CVE-2026-3', ['Debian:12', 'zlib', '1.2.15'], { modified: '2026-01-01T12:00:00Z' }),
    )
    files.set('kev.json', JSON.stringify({ vulnerabilities: [{ cveID: 'CVE-2026-3', dateAdded: '2026-01-01' }] }))
    now = new Date('2026-01-03T00:00:00Z')
    expect(await fetchNow()).toMatchObject({ addedCount: 1, changedCount: 0, removedCount: 0 })
    expect(asked).not.toContain('Debian/all.zip')
    expect(asked).toContain('Debian/DEBIAN-CVE-2026-3.json')
    expect(await idsOf('Debian:12', 'zlib')).toEqual(['DEBIAN-CVE-2026-2', 'DEBIAN-CVE-2026-3'])
    expect(await store.use((set) => set?.status.knownExploitedCount)).toBe(1)
    expect(await fetchNow()).toMatchObject({ isChanged: false })
  })

  test('may be restricted to some of its folders', async () => {
    offer('npm', osvRecord('GHSA-1', ['npm', 'qs', '2.0.0']))
    offer('Debian', zlib)
    await fetchNow({ ecosystems: ['npm'] })
    expect(asked.filter((path) => path.endsWith('.zip'))).toEqual(['npm/all.zip'])
    await expect(fetchNow({ ecosystems: ['Nowhere'] })).rejects.toMatchObject({ code: 'invalid-parameter' })
  })

  test('one archive by its address', async () => {
    offer('Debian', zlib)
    expect(await advisories().import({ from: `${server.url}Debian/all.zip` })).toMatchObject({ addedCount: 1 })
  })

  test('that is none, or breaks off, leaves what was there', async () => {
    offer('Debian', zlib)
    await fetchNow()
    files.set('Debian/modified_id.csv', '2026-01-09T00:00:00Z,DEBIAN-CVE-2026-9\n')
    files.delete('ecosystems.txt')
    await expect(fetchNow()).rejects.toMatchObject({ code: 'invalid-parameter' })
    await server.stop(true)
    await expect(fetchNow()).rejects.toMatchObject({ code: 'invalid-parameter' })
    expect(await idsOf('Debian:12', 'zlib')).toEqual(['DEBIAN-CVE-2026-2'])
  })

  test('its address is told without what may be a secret in it', async () => {
    await server.stop(true)
    const from = `http://user:hunter2@127.0.0.1:${server.port}/osv?token=hunter2`
    const failure = await advisories()
      .import({ from })
      .catch((thrown: unknown) => thrown)
    expect(String(failure)).toContain('/osv')
    expect(String(failure)).not.toContain('hunter2')
  })
})
