import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import type { ScanConfiguration } from '../../src/domain/scanning/configuration.ts'
import type { ScanView } from '../../src/services/scanning/scan-findings.ts'
import { type OsvRecord, osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { alpine, DEBIAN_FILES, debian, dpkgStatus, pushBytes, pushFiles } from '../support/scannable-images.ts'
import {
  ADVISORY_AGE_MS,
  admin,
  createServices,
  indexOf,
  manifestOf,
  OCI_MANIFEST,
  pushLayer,
  refTo,
  registry,
  type ServiceOptions,
  type Services,
} from '../support/service-fixture.ts'

const ref = refTo('app')
const HOUR_MS = 3_600_000
let services: Services
let directory: RecordDirectory

async function open(options: ServiceOptions = {}): Promise<void> {
  services = await createServices(options)
  await services.repositories.create(admin, ref, { isScannedOnPush: true })
}

beforeEach(async () => {
  directory = new RecordDirectory()
  await open()
})
afterEach(async () => {
  await services.close()
  directory[Symbol.dispose]()
})

/** Records are as new as the clock says. */
async function importNow(...records: readonly OsvRecord[]): Promise<void> {
  const at = services.clock.now()
  for (const record of records) directory.put({ ...record, modified: at.toISOString() })
  await services.advisories.import({ from: directory.path, at })
}

const openssl = osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '3.0.10-1'], {
  upstream: ['CVE-2026-1'],
  details: 'A flaw of openssl.',
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
})
const zlib = osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1:1.2.14'], { upstream: ['CVE-2026-2'] })
const lodash = osvRecord('GHSA-aaaa-bbbb-cccc', ['npm', 'lodash', '4.17.21'], { aliases: ['CVE-2026-3'] })

const vulnerable = debian(['libssl3', '3.0.9-1', 'openssl'], ['openssl', '3.0.9-1'], ['bash', '5.2'])
const LODASH = { 'app/node_modules/lodash/package.json': '{"name":"lodash","version":"4.17.20"}' }

const describeScan = (digest: Digest, limit = 100, token?: string): Promise<ScanView> =>
  services.scanFindings.describe(admin, ref, { digest }, { limit, token })

async function stateOf(digest: Digest) {
  const { state, result } = await describeScan(digest)
  const findings = result?.findings.map(({ finding }) => `${finding.package.name} ${finding.id}`)
  return { ...state, findings, counts: result?.counts }
}

const configure = (configuration: ScanConfiguration) => services.scanConfigurations.put(admin, registry, configuration)
const CONTINUOUS: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] }
const ENHANCED_ON_PUSH: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'SCAN_ON_PUSH', filters: ['*'] }] }

describe('a basic scan', () => {
  test('of a push finds each flaw once for its source package', async () => {
    await importNow(openssl, zlib, lodash)
    const digest = await pushFiles(services, ref, [vulnerable, LODASH], 'v1')
    expect(await stateOf(digest)).toMatchObject({ status: 'IN_PROGRESS', findings: undefined })
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 1, failed: 0 })
    expect(await stateOf(digest)).toEqual({
      status: 'COMPLETE',
      description: 'The scan was completed successfully.',
      findings: ['libssl3 CVE-2026-1'],
      counts: { CRITICAL: 1 },
    })
  })

  test('of an image without flaws is complete and empty, with the age of the data', async () => {
    await importNow(openssl)
    const digest = await pushFiles(services, ref, [debian(['bash', '5.2'])])
    await services.scanJobs.scanNow()
    const { state, result } = await describeScan(digest)
    expect(state.status).toBe('COMPLETE')
    expect(result).toMatchObject({ counts: {}, findings: [], sourceUpdatedAt: services.clock.now() })
  })

  test('without advisories fails and says so; it is done once there are some', async () => {
    const digest = await pushFiles(services, ref, [vulnerable])
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toEqual({
      status: 'FAILED',
      description: 'No advisories for Debian:12 have been imported.',
      findings: undefined,
      counts: undefined,
    })
    await importNow(openssl)
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 0, compared: 1 })
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE', findings: ['libssl3 CVE-2026-1'] })
  })

  test('with advisories that are too old fails, showing what is known; fresh ones mend it, though they say the same', async () => {
    await importNow(openssl)
    services.clock.advance(ADVISORY_AGE_MS + HOUR_MS)
    const digest = await pushFiles(services, ref, [vulnerable])
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({
      status: 'FAILED',
      description: expect.stringContaining('which is too old'),
      findings: ['libssl3 CVE-2026-1'],
    })
    await importNow(openssl)
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE', findings: ['libssl3 CVE-2026-1'] })
  })

  test('is a snapshot: later advisories do not change it', async () => {
    await importNow(openssl)
    const digest = await pushFiles(services, ref, [debian(['zlib1g', '1:1.2.13', 'zlib'])])
    await services.scanJobs.scanNow()
    await importNow(zlib)
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 0 })
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE', findings: [] })
  })

  test('of an image from scratch says that its system is not supported', async () => {
    await importNow(openssl)
    const digest = await pushFiles(services, ref, [{ app: 'a program' }])
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({
      status: 'FAILED',
      description: 'UnsupportedImageError: The operating system and/or package manager are not supported.',
    })
  })

  test('of Alpine looks at the origin of a package', async () => {
    const flaw = osvRecord('ALPINE-CVE-2026-7', ['Alpine:v3.18', 'openssl', '3.1.3-r0'], { upstream: ['CVE-2026-7'] })
    await importNow(flaw)
    const digest = await pushFiles(services, ref, [alpine(['libcrypto3', '3.1.2-r0', 'openssl'])])
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE', findings: ['libcrypto3 CVE-2026-7'] })
  })

  test('is not done where nobody asks for it, and once a day at the most', async () => {
    await importNow(openssl)
    await services.repositories.putScanning(admin, ref, false)
    const digest = await pushFiles(services, ref, [vulnerable])
    await expect(stateOf(digest)).rejects.toThrow('Image scan does not exist')
    await services.imageScans.start(admin, ref, { digest })
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE' })
    await expect(services.imageScans.start(admin, ref, { digest })).rejects.toThrow(
      'The scan quota per image has been exceeded. Wait and try again.',
    )
    services.clock.advance(24 * HOUR_MS)
    await services.imageScans.start(admin, ref, { digest })
    expect(await stateOf(digest)).toMatchObject({ status: 'IN_PROGRESS' })
  })

  test('is by the rules of the registry too', async () => {
    await importNow(openssl)
    await services.repositories.putScanning(admin, ref, false)
    await configure({ type: 'BASIC', rules: [{ frequency: 'SCAN_ON_PUSH', filters: ['ap'] }] })
    const digest = await pushFiles(services, ref, [vulnerable])
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE' })
  })
})

describe('an index', () => {
  test('is scanned by the images that it lists', async () => {
    await importNow(openssl, zlib)
    const one = await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])])
    const two = await pushFiles(services, ref, [debian(['zlib1g', '1:1.2.13', 'zlib'], ['openssl', '3.0.9-1'])])
    const { image } = await services.images.push(admin, ref, { manifest: indexOf([one, two]), tags: [] })
    expect(await stateOf(image.digest)).toMatchObject({ status: 'IN_PROGRESS' })
    await services.scanJobs.scanNow()
    expect(await stateOf(image.digest)).toMatchObject({
      status: 'COMPLETE',
      findings: ['openssl CVE-2026-1', 'zlib1g CVE-2026-2'],
      counts: { CRITICAL: 1, UNDEFINED: 1 },
    })
    services.clock.advance(24 * HOUR_MS)
    expect(await services.imageScans.start(admin, ref, { digest: image.digest })).toBe(image.digest)
    expect(await stateOf(two)).toMatchObject({ status: 'IN_PROGRESS' })
  })

  test('is as bad as the worst of them', async () => {
    await importNow(openssl)
    const one = await pushFiles(services, ref, [vulnerable])
    const two = await pushFiles(services, ref, [{ app: 'scratch' }])
    const { image } = await services.images.push(admin, ref, { manifest: indexOf([one, two]), tags: [] })
    await services.scanJobs.scanNow()
    expect(await stateOf(image.digest)).toMatchObject({ status: 'FAILED', findings: ['libssl3 CVE-2026-1'] })
  })
})

describe('what cannot be scanned', () => {
  test('artifacts are refused, and not scanned when they are pushed', async () => {
    const config = await pushLayer(services, ref, 'a chart')
    const manifest = new TextEncoder().encode(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        config: { mediaType: 'application/vnd.cncf.helm.config.v1+json', digest: config, size: 7 },
        layers: [],
      }),
    )
    const { image } = await services.images.push(admin, ref, { manifest, tags: [] })
    await expect(services.imageScans.start(admin, ref, { digest: image.digest })).rejects.toThrow(
      'The image type is not supported for scanning',
    )
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 0, failed: 0 })
  })

  test.each([
    ['no archive', new TextEncoder().encode('this is no archive at all')],
    ['a layer that is cut off', Bun.gzipSync(new Uint8Array(4096).fill(65)).subarray(0, 20)],
  ])('%s: the scan fails with the reason, and others go on', async (_, layer) => {
    await importNow(openssl)
    const bad = await pushFiles(services, ref, [layer])
    const good = await pushFiles(services, ref, [vulnerable])
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 1, failed: 1 })
    expect(await stateOf(bad)).toMatchObject({
      status: 'FAILED',
      description: expect.stringContaining('The layer cannot be read'),
      findings: undefined,
    })
    expect(await stateOf(good)).toMatchObject({ status: 'COMPLETE' })
  })

  test('a package database that is none: nothing is concluded', async () => {
    await importNow(openssl)
    const digest = await pushFiles(services, ref, [{ ...DEBIAN_FILES, 'var/lib/rpm/rpmdb.sqlite': 'garbage' }])
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'FAILED' })
  })
})

describe('enhanced scanning', () => {
  test('finds language packages too, and follows the advisories without reading a layer again', async () => {
    await importNow(openssl, lodash)
    await configure(CONTINUOUS)
    const digest = await pushFiles(services, ref, [vulnerable, LODASH], 'v1')
    expect(await stateOf(digest)).toMatchObject({ status: 'PENDING' })
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({
      status: 'ACTIVE',
      description: 'Continuous scan is selected for image.',
      findings: ['libssl3 CVE-2026-1', 'openssl CVE-2026-1', 'lodash CVE-2026-3'],
    })
    const readAgain = () => {
      throw new Error('A layer was read again')
    }
    services.blobs.read = readAgain
    const bash = osvRecord('DEBIAN-CVE-2026-9', ['Debian:12', 'bash', '5.3'], { upstream: ['CVE-2026-9'] })
    services.clock.advance(HOUR_MS)
    await importNow(bash)
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 1 })
    const { result } = await describeScan(digest)
    const found = result?.findings.map(({ finding }) => [finding.id, finding.firstObservedAt.getTime()])
    const now = services.clock.now().getTime()
    expect(found).toContainEqual(['CVE-2026-9', now])
    expect(found).toContainEqual(['CVE-2026-3', now - HOUR_MS])
    await importNow({ ...bash, withdrawn: services.clock.now().toISOString() })
    await services.scanJobs.scanNow()
    expect((await stateOf(digest)).findings).not.toContain('bash CVE-2026-9')
  })

  test('a change concerns the images that hold the package, and no others', async () => {
    await importNow(openssl)
    await configure(CONTINUOUS)
    const one = await pushFiles(services, ref, [debian(['zlib1g', '1:1.2.13', 'zlib'])])
    await pushFiles(services, ref, [debian(['bash', '5.2'])])
    await services.scanJobs.scanNow()
    await importNow(zlib)
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 1 })
    expect(await stateOf(one)).toMatchObject({ findings: ['zlib1g CVE-2026-2'] })
  })

  test('what was not compared with anything is not active', async () => {
    await importNow(openssl)
    await configure(CONTINUOUS)
    const digest = await pushFiles(services, ref, [vulnerable, LODASH])
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({
      status: 'FINDINGS_UNAVAILABLE',
      description: 'No advisories for npm have been imported.',
      findings: ['libssl3 CVE-2026-1', 'openssl CVE-2026-1'],
    })
    await importNow(lodash)
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'ACTIVE' })
    services.clock.advance(ADVISORY_AGE_MS + HOUR_MS)
    expect(await stateOf(digest)).toMatchObject({
      status: 'FINDINGS_UNAVAILABLE',
      description: expect.stringContaining('too old'),
    })
  })

  test('on push ends as complete, and is not followed', async () => {
    await importNow(openssl)
    await configure(ENHANCED_ON_PUSH)
    const digest = await pushFiles(services, ref, [debian(['zlib1g', '1:1.2.13', 'zlib'])])
    await services.scanJobs.scanNow()
    await importNow(zlib)
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE', findings: [] })
    await expect(services.imageScans.start(admin, ref, { digest })).rejects.toThrow('This feature is disabled')
  })

  test('picks up what was pushed in the last 14 days; the other type is out of sight and comes back', async () => {
    await importNow(openssl, zlib)
    const old = await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])])
    services.clock.advance(15 * 24 * HOUR_MS)
    await importNow(openssl, zlib)
    const young = await pushFiles(services, ref, [debian(['zlib1g', '1:1.2.13', 'zlib'])])
    await services.scanJobs.scanNow()
    await configure(CONTINUOUS)
    await expect(stateOf(young)).rejects.toThrow('Image scan does not exist')
    expect(await services.scanJobs.scanNow()).toMatchObject({ selected: 1, scanned: 1 })
    expect(await stateOf(young)).toMatchObject({ status: 'ACTIVE' })
    await expect(stateOf(old)).rejects.toThrow('Image scan does not exist')
    await configure({ type: 'BASIC', rules: [] })
    expect(await stateOf(old)).toMatchObject({ status: 'COMPLETE' })
    expect(await stateOf(young)).toMatchObject({ status: 'COMPLETE' })
  })

  test('ends when the duration has passed since the push and the pull', async () => {
    await services.close()
    await open({ scanDurations: { sincePushMs: 24 * HOUR_MS, sincePullMs: 12 * HOUR_MS } })
    await importNow(openssl)
    await configure(CONTINUOUS)
    const digest = await pushFiles(services, ref, [vulnerable])
    await services.scanJobs.scanNow()
    services.clock.advance(20 * HOUR_MS)
    await services.images.pull(admin, ref, { digest })
    services.clock.advance(10 * HOUR_MS)
    expect(await stateOf(digest)).toMatchObject({ status: 'ACTIVE' })
    services.clock.advance(10 * HOUR_MS)
    expect(await stateOf(digest)).toMatchObject({ status: 'SCAN_ELIGIBILITY_EXPIRED' })
    await importNow(openssl, osvRecord('DEBIAN-CVE-2026-9', ['Debian:12', 'bash', '5.3'], { upstream: ['CVE-2026-9'] }))
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 0 })
  })

  describe('taken up again after advisories have changed', () => {
    const bash = osvRecord('DEBIAN-CVE-2026-9', ['Debian:12', 'bash', '5.3'], { upstream: ['CVE-2026-9'] })
    const none: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['other'] }] }
    const before = ['libssl3 CVE-2026-1', 'openssl CVE-2026-1']
    const both = [...before, 'bash CVE-2026-9']

    test.each([
      ['no rule selected the repository', none],
      ['scans were basic', { type: 'BASIC', rules: [] } satisfies ScanConfiguration],
      ['scans were made on push only', ENHANCED_ON_PUSH],
    ])('shows what has become known while %s', async (_, meanwhile) => {
      await importNow(openssl)
      await configure(CONTINUOUS)
      const digest = await pushFiles(services, ref, [vulnerable])
      await services.scanJobs.scanNow()
      await configure(meanwhile)
      await services.scanJobs.scanNow()
      services.clock.advance(HOUR_MS)
      await importNow(bash)
      await services.scanJobs.scanNow()
      if (meanwhile === ENHANCED_ON_PUSH)
        expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE', findings: before })
      await configure(CONTINUOUS)
      expect(await stateOf(digest)).toMatchObject({
        status: 'FINDINGS_UNAVAILABLE',
        description: 'Advisories have changed that the image has not been compared with yet.',
      })
      await services.scanJobs.scanNow()
      expect(await stateOf(digest)).toMatchObject({ status: 'ACTIVE', findings: both })
    })

    test('shows what has become known while its duration had passed, once it is pulled', async () => {
      await services.close()
      await open({ scanDurations: { sincePushMs: 24 * HOUR_MS, sincePullMs: 12 * HOUR_MS } })
      await importNow(openssl)
      await configure(CONTINUOUS)
      const digest = await pushFiles(services, ref, [vulnerable])
      await services.scanJobs.scanNow()
      services.clock.advance(30 * HOUR_MS)
      await importNow(bash)
      await services.scanJobs.scanNow()
      expect(await stateOf(digest)).toMatchObject({ status: 'SCAN_ELIGIBILITY_EXPIRED' })
      await services.images.pull(admin, ref, { digest })
      expect(await stateOf(digest)).toMatchObject({ status: 'FINDINGS_UNAVAILABLE' })
      services.clock.advance(HOUR_MS)
      expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 1 })
      expect(await stateOf(digest)).toMatchObject({ status: 'ACTIVE', findings: both })
    })
  })

  test('of a repository that no rule selects any more has expired', async () => {
    await importNow(openssl)
    await configure(CONTINUOUS)
    const digest = await pushFiles(services, ref, [vulnerable])
    await services.scanJobs.scanNow()
    await configure({ type: 'ENHANCED', rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['other'] }] })
    expect(await stateOf(digest)).toMatchObject({ status: 'SCAN_ELIGIBILITY_EXPIRED' })
  })
})

describe('the archive', () => {
  test('takes the findings, and a restoration is scanned like a push', async () => {
    await importNow(openssl)
    const digest = await pushFiles(services, ref, [vulnerable], 'v1')
    await services.scanJobs.scanNow()
    await services.storageClasses.update(admin, ref, { digest }, 'ARCHIVE')
    expect(await stateOf(digest)).toMatchObject({ status: 'IMAGE_ARCHIVED', findings: undefined })
    await expect(services.imageScans.start(admin, ref, { digest })).rejects.toThrow('archived')
    await services.storageClasses.update(admin, ref, { digest }, 'STANDARD')
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 0 })
    services.clock.advance(HOUR_MS)
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 1 })
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE', findings: ['libssl3 CVE-2026-1'] })
  })
})

describe('findings come in pages', () => {
  test('without gap or repetition; a position in other findings is refused', async () => {
    const flaws = Array.from({ length: 250 }, (_, n) =>
      osvRecord(`DEBIAN-CVE-2026-${1000 + n}`, ['Debian:12', 'openssl', '3.0.10-1'], {
        upstream: [`CVE-2026-${1000 + n}`],
      }),
    )
    await importNow(...flaws)
    await configure(CONTINUOUS)
    const digest = await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])])
    await services.scanJobs.scanNow()
    const seen: string[] = []
    let token: string | undefined
    do {
      const { result } = await describeScan(digest, 90, token)
      seen.push(...(result?.findings.map(({ finding }) => finding.id) ?? []))
      token = result?.nextToken
    } while (token !== undefined)
    expect(new Set(seen).size).toBe(250)
    expect(seen).toHaveLength(250)
    const { result } = await describeScan(digest, 90)
    await importNow(openssl)
    await services.scanJobs.scanNow()
    await expect(describeScan(digest, 90, result?.nextToken)).rejects.toThrow('have changed')
  })
})

describe('a scan that breaks off', () => {
  test('is done again, and given up when it never ends', async () => {
    await services.close()
    let isBroken = true
    await open({
      scanEngine: (builtIn) => ({
        name: builtIn.name,
        scan: async (...given) => {
          if (isBroken) throw new Error('the scanner is gone')
          return builtIn.scan(...given)
        },
      }),
    })
    await importNow(openssl)
    const digest = await pushFiles(services, ref, [vulnerable])
    expect(await services.scanJobs.scanNow()).toMatchObject({ postponed: 1 })
    expect(await stateOf(digest)).toMatchObject({ status: 'IN_PROGRESS' })
    services.clock.advance(60_000)
    await services.scanJobs.scanNow()
    services.clock.advance(60_000)
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'FAILED', description: expect.stringContaining('Its log') })
    isBroken = false
    await services.imageScans.start(admin, ref, { digest })
    await services.scanJobs.scanNow()
    expect(await stateOf(digest)).toMatchObject({ status: 'COMPLETE' })
  })

  test('is dropped when the image or its repository is gone', async () => {
    const digest = await pushFiles(services, ref, [vulnerable])
    await services.imageDeletion.deleteMany(admin, ref, [{ digest }])
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 0, failed: 0 })
    await pushFiles(services, ref, [debian(['bash', '5.2'])])
    await services.repositories.delete(admin, ref, true)
    expect(await services.scanJobs.scanNow()).toMatchObject({ scanned: 0, failed: 0 })
    await services.gc.run(new AbortController().signal)
  })
})

test('an encrypted repository is scanned; without its key the scan says why not', async () => {
  await importNow(openssl)
  const locked = refTo('locked')
  await services.repositories.create(admin, locked, { isScannedOnPush: true, encryption: { type: 'KMS' } })
  const digest = await pushFiles(services, locked, [vulnerable])
  await services.scanJobs.scanNow()
  const view = await services.scanFindings.describe(admin, locked, { digest }, { limit: 10 })
  expect(view).toMatchObject({ state: { status: 'COMPLETE' }, result: { counts: { CRITICAL: 1 } } })
})

test('findings that rules set aside are not counted', async () => {
  await importNow(openssl, zlib)
  const digest = await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'], ['zlib1g', '1:1.2.13', 'zlib'])])
  await services.scanJobs.scanNow()
  const now = services.clock.now()
  const rule = { id: 'a', vulnerability: 'CVE-2026-1', reason: 'not reachable', createdBy: 'me', createdAt: now }
  await services.metadata.transact((tx) =>
    tx.suppressions.put(registry, { ...rule, expiresAt: new Date(now.getTime() + HOUR_MS) }),
  )
  expect(await stateOf(digest)).toMatchObject({ findings: ['zlib1g CVE-2026-2'], counts: { UNDEFINED: 1 } })
  services.clock.advance(2 * HOUR_MS)
  expect((await stateOf(digest)).findings).toContain('openssl CVE-2026-1')
})

test('language packages that dpkg owns are not reported twice', async () => {
  const urllib = osvRecord('PYSEC-2026-1', ['PyPI', 'urllib3', '2.0.0'], { aliases: ['CVE-2026-8'] })
  await importNow(openssl, urllib)
  await configure(CONTINUOUS)
  const meta = 'usr/lib/python3/dist-packages/urllib3-1.26.12.dist-info/METADATA'
  const owned = {
    ...DEBIAN_FILES,
    'var/lib/dpkg/status': dpkgStatus(['python3-urllib3', '1.26.12-1', 'python-urllib3']),
    'var/lib/dpkg/info/python3-urllib3.list': `/.\n/usr\n/${meta}\n`,
    [meta]: 'Metadata-Version: 2.1\nName: urllib3\nVersion: 1.26.12\n',
  }
  const digest = await pushFiles(services, ref, [owned])
  await services.scanJobs.scanNow()
  expect(await stateOf(digest)).toMatchObject({ status: 'ACTIVE', findings: [] })
})

test('a manifest whose layers are no file system says that its type is not supported', async () => {
  await importNow(openssl)
  const config = await pushLayer(services, ref, 'config')
  const layer = await pushBytes(services, ref, new TextEncoder().encode('{}'))
  const manifest = manifestOf(config, [], {
    layers: [{ mediaType: 'application/vnd.in-toto+json', digest: layer, size: 2 }],
  })
  const { image } = await services.images.push(admin, ref, { manifest, tags: [] })
  await expect(stateOf(image.digest)).rejects.toThrow('Image scan does not exist')
})

describe('events', () => {
  const told = async () =>
    (await services.metadata.view.outbox.list(0, 100))
      .filter(({ detailType }) => detailType.includes('Scan'))
      .map(({ detailType, detail }) => ({ detailType, detail }))

  test('tell of basic scans, whether they end well or not', async () => {
    const first = await pushFiles(services, ref, [vulnerable], 'v1')
    await services.scanJobs.scanNow()
    await importNow(openssl)
    await services.scanJobs.scanNow()
    await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])], 'v2')
    await services.scanJobs.scanNow()
    expect(await told()).toMatchObject([
      {
        detailType: 'ECR Image Scan',
        detail: { 'scan-status': 'FAILED', 'image-digest': first, 'image-tags': ['v1'] },
      },
      {
        detailType: 'ECR Image Scan',
        detail: { 'scan-status': 'COMPLETE', 'finding-severity-counts': { CRITICAL: 1 } },
      },
    ])
  })

  test('tell of rules of enhanced scanning, and of the first scan of an image by them', async () => {
    await importNow(openssl)
    await configure(CONTINUOUS)
    await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])], 'v1')
    await services.scanJobs.scanNow()
    expect(await told()).toMatchObject([
      {
        detailType: 'ECR Scan Resource Change',
        detail: { repositories: [{ 'repository-name': 'app', 'scan-frequency': 'CONTINUOUS_SCAN' }] },
      },
      { detailType: 'Inspector2 Scan', detail: { 'finding-severity-counts': { CRITICAL: 1, TOTAL: 1 } } },
    ])
  })
})
