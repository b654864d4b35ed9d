import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { ANALYSER_VERSION } from '../../src/domain/inventory/analyser-version.ts'
import type { FoundPackage, Inventory, PackageType } from '../../src/domain/inventory/package.ts'
import type { Repository } from '../../src/domain/repository.ts'
import { BUILT_IN } from '../../src/services/scanning/scan-engine.ts'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { addImage, addRepository, REGISTRY } from '../suites/metadata-store-records.ts'
import { type OsvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { createServices, type Services } from '../support/service-fixture.ts'

const IMAGES = 12
const ROUNDS = 8
const LAYER = `sha256:${'1'.repeat(64)}` as Digest

let advisories: SqliteAdvisoryStore
let directory: RecordDirectory
/** Both know the same advisories and the same images; the second forgets each time what it has compared before. */
let following: Services
let thorough: Services

beforeEach(async () => {
  advisories = SqliteAdvisoryStore.inMemory()
  directory = new RecordDirectory()
  following = await createServices({ advisories })
  thorough = await createServices({ advisories })
})
afterEach(async () => {
  directory[Symbol.dispose]()
  await following.close()
  await thorough.close()
  await advisories.close()
})

/** Numbers that look random and are the same in every run with the same seed. */
function randomOf(seed: number) {
  let state = seed
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const below = (count: number) => Math.floor(next() * count)
  return {
    below,
    pick: <T>(list: readonly [T, ...T[]]): T => list[below(list.length)] ?? list[0],
    is: () => next() < 0.5,
  }
}
type Random = ReturnType<typeof randomOf>

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'odd"name', 'Zope.Interface'] as const
const ECOSYSTEMS = { deb: 'Debian:12', npm: 'npm', pypi: 'PyPI' } as const
const VECTORS = [
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  'CVSS:3.1/AV:L/AC:H/PR:L/UI:R/S:U/C:L/I:N/A:N',
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H',
] as const

function packageOf(random: Random): FoundPackage {
  const type = random.pick<PackageType & keyof typeof ECOSYSTEMS>(['deb', 'npm', 'pypi'])
  const name = random.pick(NAMES)
  const common = {
    type,
    name,
    version: `${random.below(6)}.0`,
    layerDigest: LAYER,
    licences: [],
    purl: `pkg:${type}/x`,
  }
  if (type !== 'deb') return { ...common, filePath: `app/${random.below(3)}/${name}` }
  return { ...common, ...(random.is() ? { sourceName: random.pick(NAMES) } : {}), arch: random.pick(['amd64', 'i386']) }
}

function inventoryOf(random: Random): Inventory {
  const packages = [
    ...new Map(
      Array.from({ length: 30 }, () => packageOf(random)).map((found) => [
        JSON.stringify([found.type, found.name, found.version, found.arch, found.filePath]),
        found,
      ]),
    ).values(),
  ]
  return { analyserVersion: ANALYSER_VERSION, os: { id: 'debian', idLike: [], versionId: '12' }, packages, notes: [] }
}

/** Every version of a record differs from the one before in what findings say of the flaw, never in words alone. */
function recordOf(random: Random, n: number, at: Date): OsvRecord {
  const type = random.pick(['deb', 'npm', 'pypi'] as const)
  const flaws = Array.from({ length: 1 + random.below(3) }, () => `CVE-2026-${1000 + random.below(15)}`)
  const fixed = `${1 + random.below(5)}.${at.getTime()}`
  return {
    id: type === 'deb' ? `DEBIAN-CVE-2026-${n}` : `GHSA-${n}`,
    modified: at.toISOString(),
    ...(type === 'deb' ? { upstream: flaws } : { aliases: flaws }),
    ...(random.below(6) === 0 ? { withdrawn: at.toISOString() } : {}),
    ...(random.is() ? { severity: [{ type: 'CVSS_V3', score: random.pick(VECTORS) }] } : {}),
    summary: `Summary of ${at.toISOString()}`,
    details: `Details "package":{"name":"a"} of ${n}, ${at.toISOString()}`,
    references: [{ type: random.is() ? 'EVIDENCE' : 'WEB', url: `https://example.com/${n}` }],
    affected: Array.from({ length: 1 + random.below(2) }, () => ({
      package: { ecosystem: ECOSYSTEMS[type], name: random.pick(NAMES) },
      ranges: [
        { type: 'ECOSYSTEM', events: [{ introduced: '0' }, random.is() ? { fixed } : { last_affected: fixed }] },
      ],
    })),
  }
}

async function importDelta(random: Random, at: Date): Promise<void> {
  for (let count = 1 + random.below(3); count > 0; count--) directory.put(recordOf(random, random.below(40), at))
  await advisories.import({ from: directory.path, at })
  if (random.below(3) !== 0) return
  const known = Array.from({ length: random.below(3) }, () => ({
    cveID: `CVE-2026-${1000 + random.below(15)}`,
    dateAdded: '2026-05-02',
  }))
  using kev = new RecordDirectory()
  await advisories.import({ from: kev.putText('kev.json', JSON.stringify({ vulnerabilities: known })), at })
}

async function seed(services: Services, inventories: readonly Inventory[]): Promise<Repository> {
  const { metadata, keptFindings, rematching } = services
  const repository = await addRepository(metadata, 'app')
  const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] as const
  await metadata.transact((tx) => tx.scans.putConfiguration(REGISTRY, { type: 'ENHANCED', rules }, false))
  const at = services.clock.now()
  const nothing = { engine: BUILT_IN, completedAt: at, coverage: [], findingCount: 0, counts: {} }
  for (const [n, inventory] of inventories.entries()) {
    const { id } = await addImage(metadata, repository.id, n + 1)
    const sealed = await keptFindings.sealInventory(repository, id, inventory)
    const keys = await rematching.keysOf(repository, inventory)
    await metadata.transact(async (tx) => {
      await tx.scans.request(id, REGISTRY, 'ENHANCED', at, at)
      await tx.scans.finish((await tx.scans.find(id, 'ENHANCED'))?.id ?? 0, nothing)
      await tx.scans.putInventory(id, ANALYSER_VERSION, sealed)
      await tx.packageIndex.put(id, keys)
    })
  }
  return repository
}

/** What is kept of all images: the text of each finding in its order, the counts, and what they rest on. */
async function keptIn({ metadata, keptFindings }: Services, repository: Repository) {
  const images = await metadata.view.packageIndex.listImages({ limit: 100 })
  const placed = await metadata.view.scans.listOfImages(images)
  return await Promise.all(
    placed.map(async ({ scan: { id, counts, findingCount, failure } }) => {
      const { findings } = await keptFindings.open(metadata.view, repository, id)
      return { counts, findingCount, failure, findings: findings.map((finding) => JSON.stringify(finding)) }
    }),
  )
}

test.each([1, 2, 3])(
  'following changes ends where comparing everything ends (%d)',
  async (number) => {
    const random = randomOf(number)
    const inventories = Array.from({ length: IMAGES }, () => inventoryOf(random))
    const repository = await seed(following, inventories)
    const other = await seed(thorough, inventories)
    for (let n = 0; n < 40; n++) directory.put(recordOf(random, n, following.clock.now()))
    let compared = 0
    for (let round = 0; round < ROUNDS; round++) {
      for (const { clock } of [following, thorough]) clock.advance(60_000)
      await importDelta(random, following.clock.now())
      compared += (await following.scanJobs.scanNow()).compared
      await thorough.metadata.transact((tx) => tx.packageIndex.putRevision(1))
      expect((await thorough.scanJobs.scanNow()).compared).toBeGreaterThanOrEqual(IMAGES)
      const kept = await keptIn(following, repository)
      expect(kept).toEqual(await keptIn(thorough, other))
      expect(kept.map(({ failure }) => failure)).toEqual(kept.map(() => undefined))
      if (round === ROUNDS - 1)
        expect(kept.reduce((sum, { findingCount }) => sum + findingCount, 0)).toBeGreaterThan(20)
    }
    expect(compared).toBeGreaterThan(IMAGES * 2)
  },
  60_000,
)
