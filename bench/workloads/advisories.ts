import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDigest } from '../../src/domain/digest.ts'
import { ANALYSER_VERSION } from '../../src/domain/inventory/analyser-version.ts'
import type { FoundPackage, Inventory, OperatingSystem } from '../../src/domain/inventory/package.ts'
import { BUILT_IN } from '../../src/services/scanning/scan-engine.ts'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { addImage, addRepository, REGISTRY } from '../../test/suites/metadata-store-records.ts'
import { zipOf } from '../../test/support/advisory-data.ts'
import { createServices, type Services } from '../../test/support/service-fixture.ts'
import { type Bench, interleave, type Workload } from '../bench.ts'
import { readMemory, resetPeak } from '../process-memory.ts'
import { sha256 } from '../registry-client.ts'
import { atMost, type Row } from '../row.ts'

const ECOSYSTEMS = ['Debian:12', 'npm', 'PyPI', 'Go', 'Maven', 'Alpine:v3.20'] as const
const PACKAGES_OF_EACH = 20_000
const PACKAGES_OF_IMAGE = 150
const RECORDS_CHANGED = 100
const IMAGES_AT_ONCE = 100
const AT = new Date('2026-03-02T08:00:00Z')
const DEBIAN: OperatingSystem = { id: 'debian', idLike: [], versionId: '12' }

/**
 * The import of very many advisories into an empty store, again without a change, and what follows a change of a hundred of
 * them in a registry of very many images. Nobody else compares again with only the images that a change concerns.
 */
export const advisories: Workload = {
  name: 'advisories',
  async run(bench) {
    const directory = join(bench.directory, 'advisories')
    const [records, images] = bench.quick ? [6_000, 200] : [300_000, 10_000]
    try {
      await writeBucket(join(directory, 'osv'), records)
      return [...(await measureImport(bench, directory, records)), ...(await measureRematch(bench, directory, images))]
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  },
}

async function measureImport(bench: Bench, directory: string, records: number): Promise<readonly Row[]> {
  const samples = await interleave(bench, 'import of advisories', [{ name: 'Ecru' }], async () => {
    const store = SqliteAdvisoryStore.inMemory()
    try {
      const before = readMemory(process.pid).residentBytes
      resetPeak(process.pid)
      const first = await store.import({ from: join(directory, 'osv'), at: AT })
      const peak = readMemory(process.pid).peakBytes - before
      const again = await store.import({ from: join(directory, 'osv'), at: AT })
      return { first: first.durationMs, again: again.durationMs, peak: peak / 2 ** 20 }
    } finally {
      await store.close()
    }
  })
  const title = `import of ${records.toLocaleString('en')} advisories`
  return [
    { title, unit: 'ms', better: 'lower', samples: samples('first') },
    { title: `${title}, nothing has changed`, unit: 'ms', better: 'lower', samples: samples('again') },
    { title: `${title}, memory it takes at most`, unit: 'MB', better: 'lower', samples: samples('peak') },
  ]
}

async function measureRematch(bench: Bench, directory: string, count: number): Promise<readonly Row[]> {
  const store = SqliteAdvisoryStore.inMemory()
  const services = await createServices({ advisories: store })
  try {
    await store.import({ from: join(directory, 'osv'), at: AT })
    await seedScans(services, count)
    const began = performance.now()
    await compareAgain(services, count)
    bench.note(
      `comparing all ${count} images with a first set of advisories took ${Math.round(performance.now() - began)} ms`,
    )
    const samples = await interleave(bench, 'comparing again', [{ name: 'Ecru' }], async (_, round) => {
      const delta = join(directory, `delta-${round}.zip`)
      const changed = Array.from({ length: RECORDS_CHANGED }, (_, n) => recordOf(n * ECOSYSTEMS.length, `9.${round}`))
      await writeFile(delta, zipOf(Object.fromEntries(changed)))
      await store.import({ from: delta, at: new Date(AT.getTime() + (round + 1) * 1000) })
      const began = performance.now()
      const due = await services.rematching.find()
      const found = performance.now() - began
      await compareAgain(services, due?.imageIds.length ?? 0)
      return { found, ms: performance.now() - began }
    })
    const title = `${RECORDS_CHANGED} advisories change, ${count.toLocaleString('en')} images`
    return [
      { title: `${title}: which are concerned`, unit: 'ms', better: 'lower', samples: samples('found') },
      {
        title: `${title}: the findings of all of them are up to date`,
        unit: 'ms',
        better: 'lower',
        samples: samples('ms'),
        budgets: [atMost(60_000, 'ms')],
      },
    ]
  } finally {
    await services.close()
    await store.close()
  }
}

/** Images under continuous scanning whose inventory is known, as their scans would have left them. */
async function seedScans({ metadata, rematching, keptFindings }: Services, count: number): Promise<void> {
  const repository = await addRepository(metadata, 'bench')
  const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] as const
  await metadata.transact((tx) => tx.scans.putConfiguration(REGISTRY, { type: 'ENHANCED', rules }, false))
  const nothing = { engine: BUILT_IN, completedAt: AT, coverage: [], findingCount: 0, counts: {} }
  for (let from = 0; from < count; from += IMAGES_AT_ONCE) {
    const until = Math.min(count, from + IMAGES_AT_ONCE)
    const added: number[] = []
    for (let n = from; n < until; n++) added.push((await addImage(metadata, repository.id, n)).id)
    await metadata.transact(
      async (tx) => {
        for (const [at, imageId] of added.entries()) {
          const inventory = inventoryOf(from + at)
          await tx.scans.request(imageId, REGISTRY, 'ENHANCED', AT, AT)
          const scan = await tx.scans.find(imageId, 'ENHANCED')
          await tx.scans.finish(scan?.id ?? 0, nothing)
          await tx.scans.putInventory(
            imageId,
            ANALYSER_VERSION,
            await keptFindings.sealInventory(repository, imageId, inventory),
          )
          await tx.packageIndex.put(imageId, await rematching.keysOf(repository, inventory))
        }
      },
      { durability: 'relaxed' },
    )
  }
}

/** Runs the job as it runs beside traffic, with its pauses. */
async function compareAgain({ scanJobs }: Services, expected: number): Promise<void> {
  const { compared } = await scanJobs.scanNow()
  if (compared !== expected) throw new Error(`${compared} images were compared instead of ${expected}`)
}

/** Archives as OSV has them, but for being packed. */
async function writeBucket(directory: string, records: number): Promise<void> {
  const perEcosystem = Math.floor(records / ECOSYSTEMS.length)
  for (const [place, ecosystem] of ECOSYSTEMS.entries()) {
    const folder = join(directory, ecosystem.split(':')[0] ?? ecosystem)
    await mkdir(folder, { recursive: true })
    const entries = Array.from({ length: perEcosystem }, (_, n) => recordOf(n * ECOSYSTEMS.length + place, '5.0.0'))
    await writeFile(join(folder, 'all.zip'), zipOf(Object.fromEntries(entries)))
  }
}

const WORDS = 'A flaw in the handling of malformed input lets remote attackers read memory or run code. '.repeat(8)

function recordOf(n: number, fixed: string): readonly [name: string, text: string] {
  const ecosystem = ECOSYSTEMS[n % ECOSYSTEMS.length]
  const id = `BENCH-${n}`
  const name = `package-${Math.floor(n / ECOSYSTEMS.length) % PACKAGES_OF_EACH}`
  const record = {
    id,
    modified: '2026-03-01T00:00:00Z',
    aliases: [`CVE-2026-${n}`],
    summary: `A flaw of ${name}`,
    details: WORDS,
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      { package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }] },
    ],
    references: [1, 2, 3].map((at) => ({ type: 'WEB', url: `https://example.com/${id}/${at}` })),
  }
  return [`${id}.json`, JSON.stringify(record)]
}

/** Images share the most of what they hold, and each has some of its own. */
function inventoryOf(image: number): Inventory {
  const layerDigest = parseDigest(sha256(Buffer.from('layer')))
  const packages = Array.from({ length: PACKAGES_OF_IMAGE }, (_, at): FoundPackage => {
    const name = `package-${at < 100 ? at * 50 : (image * 37 + at * 101) % PACKAGES_OF_EACH}`
    return {
      type: 'deb',
      name,
      sourceName: name,
      version: '1.2.3-1',
      layerDigest,
      licences: [],
      purl: `pkg:deb/debian/${name}`,
    }
  })
  return { analyserVersion: ANALYSER_VERSION, os: DEBIAN, packages, notes: [] }
}
