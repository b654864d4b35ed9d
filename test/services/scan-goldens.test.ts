import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Digest } from '../../src/domain/digest.ts'
import type { Inventory } from '../../src/domain/inventory/package.ts'
import { endedOn } from '../../src/domain/scanning/end-of-life.ts'
import type { ObservedFinding } from '../../src/domain/scanning/scan.ts'
import type { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { osvRecord, realAdvisories } from '../support/advisory-data.ts'
import { differencesOf, explainedDifferences } from '../support/golden-differences.ts'
import { readGolden } from '../support/golden-inventory.ts'
import { savedLayers } from '../support/saved-image.ts'
import { pushFiles } from '../support/scannable-images.ts'
import { admin, createServices, refTo, registry, type Services } from '../support/service-fixture.ts'

/** Each image with how many findings Trivy has, how many Ecru, and the status of a continuous scan. */
const IMAGES: readonly (readonly [image: string, trivy: number, ecru: number, status: string])[] = [
  // An advisory of AlmaLinux is about many CVEs: 136 advisories are about 265 CVEs in the packages that they name.
  ['almalinux-9.2-sqlite', 136, 265, 'ACTIVE'],
  ['alpine-3.10.4', 20, 20, 'ACTIVE'],
  ['alpine-3.10.4-upgraded', 5, 5, 'ACTIVE'],
  ['centos-bdb-libuuid', 0, 0, 'FINDINGS_UNAVAILABLE'],
  ['debian-12-distroless', 167, 167, 'ACTIVE'],
  ['debian-12.0', 633, 633, 'ACTIVE'],
  // Four records are of flaws that another record has under the same CVE, and one is found only by Ecru.
  ['langs', 255, 252, 'ACTIVE'],
  ['sle15-bci-ndb', 0, 0, 'FINDINGS_UNAVAILABLE'],
]

const NOW = '2026-11-21T00:00:00Z'
/** Nine thousand records are imported first, on whatever machine this is. */
const TIMEOUT_MS = 60_000
const ref = refTo('app')
let advisories: SqliteAdvisoryStore
let services: Services
const digests = new Map<string, Digest>()

beforeAll(async () => {
  advisories = await realAdvisories(new Date(NOW))
  services = await createServices({ advisories })
  services.clock.advance(Date.parse(NOW) - services.clock.now().getTime())
  await services.repositories.create(admin, ref, {})
  await services.scanConfigurations.put(admin, registry, {
    type: 'ENHANCED',
    rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }],
  })
  for (const [image] of IMAGES) {
    const layers = await savedLayers(`test/data/scan-images/${image}.tar.gz`)
    const bytes = layers.map((layer) => layer.bytes)
    digests.set(image, await pushFiles(services, ref, bytes, image))
  }
  expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 6, failed: 2, postponed: 0 })
}, TIMEOUT_MS)

afterAll(async () => {
  await services?.close()
  await advisories?.close()
})

interface Seen {
  readonly status: string
  readonly description: string | undefined
  readonly inventory: Inventory
  readonly findings: readonly ObservedFinding[]
}

/** What the registry says of an image to whoever asks, page by page, and what it keeps of its layers. */
async function seen(image: string): Promise<Seen> {
  const digest = digests.get(image)
  if (digest === undefined) throw new Error(`${image} was not pushed`)
  const findings: ObservedFinding[] = []
  let token: string | undefined
  for (;;) {
    const view = await services.scanFindings.describe(admin, ref, { digest }, { limit: 500, token })
    findings.push(...(view.result?.findings.map(({ finding }) => finding) ?? []))
    token = view.result?.nextToken
    if (token !== undefined) continue
    const { status, description } = view.state
    const inventory = await services.keptFindings.findInventory(services.metadata.view, view.repository, view.image.id)
    if (inventory === undefined) throw new Error(`${image} has no inventory`)
    return { status, description, inventory, findings }
  }
}

test('the images are all those that there are', async () => {
  const files = await Array.fromAsync(new Bun.Glob('*.tar.gz').scan('test/data/scan-images'))
  expect(files.map((file) => file.replace('.tar.gz', '')).sort()).toEqual(IMAGES.map(([image]) => image))
})

describe('pushed and scanned, an image has the packages and findings that Trivy says, but for what is explained', () => {
  const explained = explainedDifferences()

  test('each difference is explained, once, and of one of the images', () => {
    expect(explained.filter(({ because }) => because.length < 20)).toEqual([])
    const keys = explained.map(({ image, what, of }) => [image, what, of].join('\n'))
    expect(new Set(keys).size).toBe(keys.length)
    const images = new Set(IMAGES.map(([image]) => image))
    expect(explained.filter(({ image }) => !images.has(image))).toEqual([])
  })

  for (const [image, trivy, ecru, status] of IMAGES)
    test(image, async () => {
      const golden = readGolden(image)
      const actual = await seen(image)
      expect(golden.vulnerabilities).toHaveLength(trivy)
      expect(actual.findings).toHaveLength(ecru)
      expect(actual.inventory.notes).toEqual([])
      expect(actual.status).toBe(status)
      const platform = `${actual.inventory.os?.id}_${actual.inventory.os?.versionId}`
      expect(endedOn(platform, new Date(NOW)) !== undefined).toBe(golden.os.EOSL === true)
      const expected = explained.filter((one) => one.image === image).map(({ because: _, ...difference }) => difference)
      const byKey = (a: { what: string; of: string }, b: { what: string; of: string }) =>
        `${a.what} ${a.of}` < `${b.what} ${b.of}` ? -1 : 1
      const differences = differencesOf(image, golden, actual.inventory, actual.findings)
      expect(differences.toSorted(byKey)).toEqual(expected.toSorted(byKey))
    })
})

describe('a delta changes the findings that it is about, and no others', () => {
  const printed = async (): Promise<ReadonlyMap<string, ReadonlySet<string>>> => {
    const all = new Map<string, ReadonlySet<string>>()
    for (const [image] of IMAGES) {
      const { findings } = await seen(image)
      const lines = findings.map(({ id, package: { name, version, filePath }, fixedVersions, severity }) =>
        [id, name, version, filePath ?? '', fixedVersions.join(), severity].join(' '),
      )
      all.set(image, new Set(lines))
    }
    return all
  }

  test('a record that is added, one that changes and one that is withdrawn', async () => {
    const before = await printed()
    services.clock.advance(60_000)
    const modified = services.clock.now().toISOString()
    const records = [
      osvRecord('DEBIAN-CVE-2026-77777', ['Debian:12', 'zlib', '1:1.2.13.dfsg-2'], {
        modified,
        upstream: ['CVE-2026-77777'],
      }),
      // Trivy's golden has it without a fix.
      osvRecord('DEBIAN-CVE-2022-3219', ['Debian:12', 'gnupg2', '2.2.40-1.1+deb12u9'], {
        modified,
        upstream: ['CVE-2022-3219'],
      }),
      osvRecord('GHSA-9c47-m6qq-7p4h', ['npm', 'json5', '2.2.2'], { modified, withdrawn: modified }),
    ]
    const directory = mkdtempSync(join(tmpdir(), 'ecru-delta-'))
    try {
      for (const record of records) writeFileSync(join(directory, `${record.id}.json`), JSON.stringify(record))
      await advisories.import({ from: directory, at: services.clock.now() })
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
    services.blobs.read = () => {
      throw new Error('A layer was read again')
    }
    await services.scanJobs.scanNow()
    const after = await printed()
    const changes = IMAGES.flatMap(([image]) => {
      const [was, is] = [before.get(image) ?? new Set<string>(), after.get(image) ?? new Set<string>()]
      return [
        ...[...was].filter((line) => !is.has(line)).map((line) => `${image}: - ${line}`),
        ...[...is].filter((line) => !was.has(line)).map((line) => `${image}: + ${line}`),
      ]
    })
    expect(changes.sort()).toEqual([
      'debian-12-distroless: + CVE-2026-77777 zlib1g 1:1.2.13.dfsg-1  1:1.2.13.dfsg-2 UNDEFINED',
      'debian-12.0: + CVE-2022-3219 gpgv 2.2.40-1.1  2.2.40-1.1+deb12u9 UNDEFINED',
      'debian-12.0: + CVE-2026-77777 zlib1g 1:1.2.13.dfsg-1  1:1.2.13.dfsg-2 UNDEFINED',
      'debian-12.0: - CVE-2022-3219 gpgv 2.2.40-1.1   INFORMATIONAL',
      'langs: - CVE-2022-46175 json5 2.2.0 app/node_modules/json5/package.json 2.2.2 HIGH',
    ])
  })
})
