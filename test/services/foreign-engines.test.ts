import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { HarborScannerAdapter } from '../../src/clients/scanner-adapter.ts'
import { TrivyCommand } from '../../src/clients/trivy-command.ts'
import type { Digest } from '../../src/domain/digest.ts'
import { parseTag } from '../../src/domain/names.ts'
import { readTrivyReport } from '../../src/domain/scanning/trivy-report.ts'
import { AdapterEngine } from '../../src/services/scanning/adapter-engine.ts'
import type { ScanEngine } from '../../src/services/scanning/scan-engine.ts'
import { TrivyEngine } from '../../src/services/scanning/trivy-engine.ts'
import { osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { findingOf } from '../support/finding.ts'
import { debian, pushFiles } from '../support/scannable-images.ts'
import { admin, createServices, refTo, registry, type Services } from '../support/service-fixture.ts'

const ref = refTo('app')
const LAYER = `sha256:${'a'.repeat(64)}` as Digest
const DAY_MS = 86_400_000
const DEBIAN = { id: 'debian', idLike: [], versionId: '12' }
const OPENSSL = findingOf().package
let directory: string
let services: Services
let engine: ScanEngine
const closing: (() => void)[] = []

/** Services that scan by an engine which is made of them. */
async function open(make: (made: Services) => ScanEngine): Promise<void> {
  services = await createServices({
    scanEngine: () => ({ name: 'foreign', scan: (target, type, signal) => engine.scan(target, type, signal) }),
  })
  engine = make(services)
  await services.repositories.create(admin, ref, { isScannedOnPush: true })
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ecru-engines-'))
})

afterEach(async () => {
  for (const close of closing.splice(0)) close()
  await services.close()
  rmSync(directory, { recursive: true, force: true })
})

const IMAGE = debian(['openssl', '3.0.9-1'], ['libssl3', '3.0.9-1', 'openssl'])

async function scan(files = IMAGE) {
  const digest = await pushFiles(services, ref, [files], 'v1')
  await services.scanJobs.scanNow()
  const { state, result } = await services.scanFindings.describe(admin, ref, { digest }, { limit: 100 })
  const findings = result?.findings.map(({ finding }) => `${finding.id} ${finding.package.name} ${finding.severity}`)
  return { ...state, findings, counts: result?.counts }
}

const TRIVY_REPORT = {
  SchemaVersion: 2,
  Metadata: { OS: { Family: 'debian', Name: '12.0' } },
  Results: [
    {
      Target: 'image (debian 12.0)',
      Class: 'os-pkgs',
      Type: 'debian',
      Packages: [
        {
          ID: 'libssl3@3.0.9-1',
          Name: 'libssl3',
          Version: '3.0.9-1',
          SrcName: 'openssl',
          SrcVersion: '3.0.9',
          SrcRelease: '1',
        },
      ],
      Vulnerabilities: [
        {
          VulnerabilityID: 'CVE-2026-1',
          PkgID: 'libssl3@3.0.9-1',
          PkgName: 'libssl3',
          PkgIdentifier: { PURL: 'pkg:deb/debian/libssl3@3.0.9-1?distro=debian-12' },
          InstalledVersion: '3.0.9-1',
          FixedVersion: '3.0.10-1, 3.0.11-1',
          Severity: 'HIGH',
          Layer: { Digest: LAYER },
          DataSource: { ID: 'debian', Name: 'Debian Security Tracker' },
          PrimaryURL: 'https://avd.aquasec.com/nvd/cve-2026-1',
          CVSS: { nvd: { V3Vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', V3Score: 9.8 } },
          Title: 'A flaw',
          Description: 'It is bad.',
          References: ['https://example.com'],
          PublishedDate: '2026-01-01T00:00:00Z',
          LastModifiedDate: '2026-01-02T00:00:00Z',
        },
      ],
    },
    {
      Target: 'Node.js',
      Class: 'lang-pkgs',
      Type: 'node-pkg',
      Vulnerabilities: [
        { VulnerabilityID: 'CVE-2026-2', PkgName: 'qs', InstalledVersion: '1.0.0', PkgPath: 'app/qs/package.json' },
      ],
    },
  ],
}

/** A program that does what a script says, `$1` being Trivy's command. */
function program(script: string): string {
  const path = join(directory, 'trivy')
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

function printing(report: unknown, version: object = {}): string {
  writeFileSync(join(directory, 'report.json'), typeof report === 'string' ? report : JSON.stringify(report))
  writeFileSync(join(directory, 'version.json'), JSON.stringify(version))
  return program(`echo "$@" >> ${directory}/calls
if [ "$1" = version ]; then cat ${directory}/version.json; else
  for last; do :; done; ls "$last"/blobs/sha256 | wc -l > ${directory}/blobs; cat "$last/index.json" > ${directory}/index; cat ${directory}/report.json; fi`)
}

const withTrivy = (path: string, timeoutMs = 20_000) =>
  open(
    ({ contents, clock }) =>
      new TrivyEngine(contents, new TrivyCommand({ program: path, timeoutMs }), clock, { ageMsMax: 30 * DAY_MS }),
  )

describe("Trivy's command line", () => {
  test('is given the image, and its findings are ours', async () => {
    await withTrivy(printing(TRIVY_REPORT, { VulnerabilityDB: { UpdatedAt: '2026-03-01T00:00:00Z' } }))
    expect(await scan()).toMatchObject({
      status: 'COMPLETE',
      findings: ['CVE-2026-1 libssl3 HIGH'],
      counts: { HIGH: 1 },
    })
    expect(readFileSync(join(directory, 'calls'), 'utf8')).toStartWith(
      'image --format json --list-all-pkgs --scanners vuln',
    )
    // Configuration, layer and manifest.
    expect(readFileSync(join(directory, 'blobs'), 'utf8').trim()).toBe('3')
    expect(JSON.parse(readFileSync(join(directory, 'index'), 'utf8'))).toMatchObject({
      manifests: [{ size: expect.any(Number) }],
    })
  })

  test.each<[string, () => string, number, string]>([
    ['fails', () => program('echo "FATAL no database" >&2; exit 1'), 20_000, 'it ended with 1: FATAL no database'],
    ['prints no JSON', () => printing('oops'), 20_000, 'it printed no JSON'],
    ['prints something else', () => printing({ SchemaVersion: 1 }), 20_000, 'no report of Trivy'],
    [
      'prints half a finding',
      () => printing({ SchemaVersion: 2, Results: [{ Class: 'os-pkgs', Vulnerabilities: [{}] }] }),
      20_000,
      'no id or no package',
    ],
    ['takes too long', () => program('sleep 600 & sleep 600'), 300, 'it took longer than 0.3 s'],
    ['is not there', () => join(directory, 'nothing'), 20_000, 'it cannot be run'],
    [
      'has an old database',
      () => printing(TRIVY_REPORT, { VulnerabilityDB: { UpdatedAt: '2025-03-01T00:00:00Z' } }),
      20_000,
      'is of 2025-03-01, which is too old',
    ],
  ])('that %s is a scan that failed, with the reason', async (_, path, timeoutMs, reason) => {
    await withTrivy(path(), timeoutMs)
    expect(await scan()).toMatchObject({
      status: 'FAILED',
      description: expect.stringContaining(reason),
      findings: undefined,
    })
  })

  test('that saw nothing has not called the image clean', async () => {
    await withTrivy(printing({ SchemaVersion: 2, Results: null }))
    expect(await scan()).toMatchObject({
      status: 'FAILED',
      description: expect.stringContaining('UnsupportedImageError'),
    })
  })
})

test('what another scanner found is not compared with the advisories of the registry', async () => {
  await withTrivy(printing(TRIVY_REPORT))
  const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] as const
  await services.scanConfigurations.put(admin, registry, { type: 'ENHANCED', rules })
  const found = ['CVE-2026-1 libssl3 HIGH', 'CVE-2026-2 qs UNDEFINED']
  expect(await scan()).toMatchObject({ status: 'ACTIVE', findings: found })
  const { image, repository } = await services.contents.open(ref, { tag: parseTag('v1') })
  const keys = await services.rematching.keysOf(repository, { os: DEBIAN, packages: [OPENSSL] })
  await services.metadata.transact((tx) => tx.packageIndex.put(image.id, keys))
  using records = new RecordDirectory()
  records.put(osvRecord('DEBIAN-CVE-2026-9', ['Debian:12', 'openssl', '3.0.99-1']))
  await services.advisories.import({ from: records.path, at: services.clock.now() })
  expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 0 })
  expect(await services.metadata.view.scans.listUnfinished(services.clock.now(), 10)).toEqual([])
  expect(await scan()).toMatchObject({ findings: found })
})

test("Trivy's report is read with all that it says", async () => {
  await open(() => engine)
  const { findings, platform } = readTrivyReport(TRIVY_REPORT, 'ENHANCED', LAYER)
  expect(platform).toBe('DEBIAN_12.0')
  expect(findings).toMatchObject([
    {
      id: 'CVE-2026-1',
      package: { type: 'deb', name: 'libssl3', sourceName: 'openssl', sourceVersion: '3.0.9-1', layerDigest: LAYER },
      fixedVersions: ['3.0.10-1', '3.0.11-1'],
      severity: 'HIGH',
      cvss: [{ version: '3.1', baseScore: 9.8, source: 'NVD' }],
      publishedAt: new Date('2026-01-01T00:00:00Z'),
    },
    {
      id: 'CVE-2026-2',
      package: { type: 'npm', filePath: 'app/qs/package.json' },
      severity: 'UNDEFINED',
      enhancedSeverity: 'UNTRIAGED',
    },
  ])
  expect(readTrivyReport(TRIVY_REPORT, 'BASIC', LAYER).findings).toHaveLength(1)
})

interface Asked {
  readonly path: string
  readonly authorization: string | null
  readonly body: string
}

/** A scanner that speaks Harbor's adapter API: it needs two looks at a report. */
function adapter(answers: { report?: () => Response; scan?: () => Response; updatedAt?: string } = {}) {
  const asked: Asked[] = []
  let looks = 0
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { pathname: path } = new URL(request.url)
      asked.push({ path, authorization: request.headers.get('authorization'), body: await request.text() })
      if (path === '/api/v1/metadata')
        return Response.json({
          scanner: { name: 'Fake' },
          capabilities: [],
          properties: { 'harbor.scanner-adapter/vulnerability-database-updated-at': answers.updatedAt },
        })
      if (path === '/api/v1/scan') return answers.scan?.() ?? Response.json({ id: 'a b' }, { status: 202 })
      if (path !== '/api/v1/scan/a%20b/report') return new Response(null, { status: 404 })
      if (looks++ === 0) return new Response(null, { status: 302, headers: { 'refresh-after': '0', location: path } })
      return answers.report?.() ?? Response.json(REPORT)
    },
  })
  closing.push(() => void server.stop(true))
  return { url: `http://127.0.0.1:${server.port}`, asked }
}

const REPORT = {
  generated_at: '2026-03-01T00:00:00Z',
  scanner: { name: 'Fake' },
  vulnerabilities: [
    {
      id: 'CVE-2026-1',
      package: 'libssl3',
      version: '3.0.9-1',
      fix_version: '3.0.10-1',
      severity: 'Critical',
      links: ['https://example.com/1'],
    },
    { id: 'CVE-2026-2', package: 'unknown', version: '1', severity: 'Negligible' },
  ],
}

const withAdapter = (url: string, timeoutMs = 20_000) => {
  const how = {
    authorization: 'Bearer secret',
    registryUrl: 'https://registry.example.com',
    registryAuthorization: 'Basic abc',
  }
  return open(
    ({ inventories, clock }) =>
      new AdapterEngine(inventories, new HarborScannerAdapter({ url, timeoutMs, ...how }), clock, {
        ageMsMax: 30 * DAY_MS,
      }),
  )
}

describe("a scanner behind Harbor's adapter API", () => {
  test('is told where the image is, and its findings are ours', async () => {
    const { url, asked } = adapter({ updatedAt: '2026-03-01T00:00:00Z' })
    await withAdapter(`${url}/`)
    expect(await scan()).toMatchObject({
      status: 'COMPLETE',
      findings: ['CVE-2026-1 libssl3 CRITICAL', 'CVE-2026-2 unknown INFORMATIONAL'],
    })
    expect(asked.map(({ path }) => path)).toEqual([
      '/api/v1/scan',
      '/api/v1/scan/a%20b/report',
      '/api/v1/scan/a%20b/report',
      '/api/v1/metadata',
    ])
    expect(asked.every(({ authorization }) => authorization === 'Bearer secret')).toBe(true)
    expect(JSON.parse(asked[0]?.body ?? '')).toMatchObject({
      registry: { url: 'https://registry.example.com', authorization: 'Basic abc' },
      artifact: { repository: 'app', digest: expect.stringMatching(/^sha256:/) },
    })
  })

  const error = (status: number) => () => Response.json({ error: { message: 'no database' } }, { status })
  test.each<[string, Parameters<typeof adapter>[0], number, string]>([
    ['refuses', { scan: error(422) }, 20_000, 'it answered 422: no database'],
    ['fails', { report: error(500) }, 20_000, 'it answered 500: no database'],
    ['answers no JSON', { report: () => new Response('oops') }, 20_000, 'it answered no JSON'],
    ['answers something else', { report: () => Response.json({ ok: true }) }, 20_000, 'no list of vulnerabilities'],
    ['gives no id', { scan: () => Response.json({}, { status: 202 }) }, 20_000, 'no id for the scan'],
    ['never ends', { report: () => new Response(null, { status: 302 }) }, 300, 'it took longer than 0.3 s'],
    ['has an old database', { updatedAt: '2025-01-01T00:00:00Z' }, 20_000, 'is of 2025-01-01, which is too old'],
  ])('that %s is a scan that failed, with the reason', async (_, answers, timeoutMs, reason) => {
    await withAdapter(adapter(answers).url, timeoutMs)
    const outcome = await scan()
    expect(JSON.stringify(outcome)).not.toContain('secret')
    expect(outcome).toMatchObject({
      status: 'FAILED',
      description: expect.stringContaining(reason),
      findings: undefined,
    })
  })

  test('that finds nothing in an image that we cannot read either has not called it clean', async () => {
    await withAdapter(adapter({ report: () => Response.json({ vulnerabilities: [] }) }).url)
    expect(await scan({ 'etc/hostname': 'x' })).toMatchObject({ status: 'FAILED' })
  })

  test('that cannot be reached is a scan that failed', async () => {
    await withAdapter('http://127.0.0.1:1', 500)
    expect(await scan()).toMatchObject({
      status: 'FAILED',
      description: expect.stringContaining('could not scan the image'),
    })
  })
})

describe('continuous scanning by another scanner', () => {
  const DAY_MS = 24 * 3_600_000
  const scanNow = () => services.scanJobs.scanNow()
  const configure = (frequency: 'CONTINUOUS_SCAN' | 'SCAN_ON_PUSH') =>
    services.scanConfigurations.put(admin, registry, { type: 'ENHANCED', rules: [{ frequency, filters: ['*'] }] })

  test('scans again when a scan is a day old, and shows what is found by then', async () => {
    const harmless = TRIVY_REPORT.Results.map((result) => ({ ...result, Vulnerabilities: [] }))
    await withTrivy(printing({ ...TRIVY_REPORT, Results: harmless }))
    await configure('CONTINUOUS_SCAN')
    expect(await scan()).toMatchObject({ findings: [] })
    services.clock.advance(DAY_MS - 1)
    expect(await scanNow()).toMatchObject({ renewed: 0, scanned: 0 })
    printing(TRIVY_REPORT)
    services.clock.advance(3_600_000)
    expect(await scanNow()).toMatchObject({ renewed: 1, scanned: 1 })
    const { image } = await services.contents.open(ref, { tag: parseTag('v1') })
    expect(await services.metadata.view.scans.find(image.id, 'ENHANCED')).toMatchObject({ findingCount: 2 })
    services.clock.advance(3_600_000)
    expect(await scanNow()).toMatchObject({ renewed: 0, scanned: 0 })
  })

  test('says that a scanner fails by now, and shows no findings of yesterday as if they were of today', async () => {
    await withTrivy(printing(TRIVY_REPORT))
    await configure('CONTINUOUS_SCAN')
    await scan()
    program('echo broken >&2; exit 1')
    services.clock.advance(DAY_MS + 1)
    expect(await scanNow()).toMatchObject({ renewed: 1, failed: 1 })
    const { image } = await services.contents.open(ref, { tag: parseTag('v1') })
    const view = await services.scanFindings.describe(admin, ref, { digest: image.digest }, { limit: 10 })
    expect(view).toMatchObject({ state: { status: 'FAILED' } })
    expect(view.result).toBeUndefined()
  })

  test('is only for repositories that are scanned continuously', async () => {
    await withTrivy(printing(TRIVY_REPORT))
    await configure('SCAN_ON_PUSH')
    await scan()
    services.clock.advance(2 * DAY_MS)
    expect(await scanNow()).toMatchObject({ renewed: 0, scanned: 0 })
  })
})
