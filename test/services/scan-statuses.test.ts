import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Digest } from '../../src/domain/digest.ts'
import { GENEROUS_QUOTAS } from '../../src/domain/quotas.ts'
import type { ScanConfiguration } from '../../src/domain/scanning/configuration.ts'
import type { ScanStatus } from '../../src/domain/scanning/status.ts'
import { type OsvRecord, osvRecord, RecordDirectory, zipOf } from '../support/advisory-data.ts'
import {
  alpine,
  DEBIAN_FILES,
  debian,
  dpkgStatus,
  type Files,
  pushBytes,
  pushFiles,
} from '../support/scannable-images.ts'
import {
  ADVISORY_AGE_MS,
  admin,
  createServices,
  indexOf,
  manifestOf,
  pushLayer,
  refTo,
  registry,
  type ServiceOptions,
  type Services,
} from '../support/service-fixture.ts'

const ref = refTo('app')
const HOUR_MS = 3_600_000
const CONTINUOUS: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] }
const ON_PUSH: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'SCAN_ON_PUSH', filters: ['*'] }] }
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

async function importNow(...records: readonly OsvRecord[]): Promise<void> {
  const at = services.clock.now()
  for (const record of records) directory.put({ ...record, modified: at.toISOString() })
  await services.advisories.import({ from: directory.path, at })
}

const configure = (configuration: ScanConfiguration) => services.scanConfigurations.put(admin, registry, configuration)
const openssl = osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '3.0.10-1'], { upstream: ['CVE-2026-1'] })
const lodash = osvRecord('GHSA-aaaa-bbbb-cccc', ['npm', 'lodash', '4.17.21'], { aliases: ['CVE-2026-3'] })
const vulnerable = debian(['openssl', '3.0.9-1'])
const LODASH: Files = { 'app/node_modules/lodash/package.json': '{"name":"lodash","version":"4.17.20"}' }

async function seen(digest: Digest) {
  const { state, result } = await services.scanFindings.describe(admin, ref, { digest }, { limit: 100 })
  return { ...state, findings: result?.findings.map(({ finding }) => finding.id) }
}

async function scanned(...layers: readonly (Files | Uint8Array)[]) {
  const digest = await pushFiles(services, ref, layers)
  await services.scanJobs.scanNow()
  return await seen(digest)
}

async function pushIndex(...children: readonly Digest[]): Promise<Digest> {
  return (await services.images.push(admin, ref, { manifest: indexOf(children), tags: [] })).image.digest
}

/** With the media type of a layer in place of the usual one. */
async function pushWithLayerType(mediaType: string): Promise<Digest> {
  const config = await pushLayer(services, ref, '{"architecture":"amd64","os":"linux"}')
  const layer = await pushBytes(services, ref, new TextEncoder().encode('sealed'))
  const manifest = manifestOf(config, [], { layers: [{ mediaType, digest: layer, size: 6 }] })
  return (await services.images.push(admin, ref, { manifest, tags: [] })).image.digest
}

describe('every status is reached, with its text', () => {
  const reached: Readonly<
    Record<ScanStatus, () => Promise<{ readonly status: string; readonly description?: string | undefined }>>
  > = {
    IN_PROGRESS: async () => seen(await pushFiles(services, ref, [vulnerable])),
    COMPLETE: async () => {
      await importNow(openssl)
      return await scanned(vulnerable)
    },
    FAILED: () => scanned({ app: 'a program' }),
    UNSUPPORTED_IMAGE: async () => {
      const digest = await pushWithLayerType('application/vnd.oci.image.layer.v1.tar+gzip+encrypted')
      await services.scanJobs.scanNow()
      return await seen(digest)
    },
    ACTIVE: async () => {
      await importNow(openssl)
      await configure(CONTINUOUS)
      return await scanned(vulnerable)
    },
    PENDING: async () => {
      await configure(CONTINUOUS)
      return await seen(await pushFiles(services, ref, [vulnerable]))
    },
    SCAN_ELIGIBILITY_EXPIRED: async () => {
      await services.close()
      await open({ scanDurations: { sincePushMs: HOUR_MS, sincePullMs: 0 } })
      await importNow(openssl)
      await configure(CONTINUOUS)
      const digest = await pushFiles(services, ref, [vulnerable])
      await services.scanJobs.scanNow()
      services.clock.advance(2 * HOUR_MS)
      return await seen(digest)
    },
    FINDINGS_UNAVAILABLE: async () => {
      await configure(CONTINUOUS)
      return await scanned(vulnerable)
    },
    LIMIT_EXCEEDED: async () => {
      await services.close()
      await open({ quotas: { ...GENEROUS_QUOTAS, basicScansPerDay: 1 } })
      await importNow(openssl)
      await scanned(vulnerable)
      return await scanned(debian(['bash', '5.2']))
    },
    IMAGE_ARCHIVED: async () => {
      await importNow(openssl)
      const digest = await pushFiles(services, ref, [vulnerable])
      await services.scanJobs.scanNow()
      await services.storageClasses.update(admin, ref, { digest }, 'ARCHIVE')
      return await seen(digest)
    },
  }
  const TEXTS: Readonly<Record<ScanStatus, string | undefined>> = {
    IN_PROGRESS: undefined,
    COMPLETE: 'The scan was completed successfully.',
    FAILED: 'UnsupportedImageError: The operating system and/or package manager are not supported.',
    UNSUPPORTED_IMAGE:
      "Layers of the media type 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted' cannot be analysed",
    ACTIVE: 'Continuous scan is selected for image.',
    PENDING: 'The image is waiting for its first scan.',
    SCAN_ELIGIBILITY_EXPIRED: 'The duration of continuous scans of the image has passed.',
    FINDINGS_UNAVAILABLE: 'No advisories for Debian:12 have been imported.',
    LIMIT_EXCEEDED: 'The scan quota per image has been exceeded. Wait and try again.',
    IMAGE_ARCHIVED: 'The image is archived.',
  }
  for (const [status, reach] of Object.entries(reached))
    test(status, async () => {
      const { status: actual, description } = await reach()
      expect({ status: actual, description }).toEqual({ status, description: TEXTS[status as ScanStatus] })
    })
})

describe('what was not compared never looks clean', () => {
  const isClean = ({ status }: { readonly status: string }) => status === 'COMPLETE' || status === 'ACTIVE'

  test('advisories of nothing: an empty directory, an empty archive, an empty file', async () => {
    const empty = join(directory.path, 'osv/Debian')
    mkdirSync(empty, { recursive: true })
    const attempts: (() => Promise<unknown>)[] = [
      () => services.advisories.import({ from: empty, at: services.clock.now() }),
      () => services.advisories.import({ from: directory.putText('all.zip', zipOf({})), at: services.clock.now() }),
      () => services.advisories.import({ from: directory.putText('nothing.json', ''), at: services.clock.now() }),
      () => importNow(lodash),
    ]
    for (const attempt of attempts) {
      await attempt().catch(() => {})
      for (const configuration of [{ type: 'BASIC', rules: [] }, ON_PUSH, CONTINUOUS] as const) {
        await configure(configuration)
        expect(isClean(await scanned(debian(['bash', `${services.clock.now().getTime()}`])))).toBe(false)
        services.clock.advance(1)
      }
    }
  })

  test('the operating system is one thing and its packages another', async () => {
    await importNow(openssl, osvRecord('ALPINE-CVE-2026-7', ['Alpine:v3.18', 'openssl', '3.1.3-r0']))
    const { 'etc/os-release': alpineRelease = '' } = alpine()
    const mixed = { 'etc/os-release': alpineRelease, 'var/lib/dpkg/status': dpkgStatus(['openssl', '3.0.9-1']) }
    expect(await scanned(mixed)).toMatchObject({
      status: 'FAILED',
      description: 'No database of advisories is known for deb packages of Alpine Linux v3.18.',
    })
  })

  test.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('a distribution called %s', async (id) => {
    await importNow(openssl)
    await configure(ON_PUSH)
    const files = { 'etc/os-release': `ID=${id}\nVERSION_ID=1\n`, 'var/lib/dpkg/status': dpkgStatus(['bash', '5.2']) }
    expect(await scanned(files)).toMatchObject({
      status: 'FAILED',
      description: `No database of advisories is known for ${id.toLowerCase()} 1.`,
    })
  })

  test('half of the layers cannot be read', async () => {
    await importNow(openssl)
    await configure(ON_PUSH)
    const damaged = Bun.gzipSync(new Uint8Array(4096).fill(65)).subarray(0, 20)
    expect(await scanned(vulnerable, damaged)).toMatchObject({
      status: 'FAILED',
      description: expect.stringContaining('The layer cannot be read'),
      findings: undefined,
    })
  })

  test('a distribution without any package: neither type of scan concludes anything', async () => {
    await importNow(openssl)
    for (const configuration of [{ type: 'BASIC', rules: [] }, ON_PUSH, CONTINUOUS] as const) {
      await configure(configuration)
      for (const files of [
        DEBIAN_FILES,
        { ...DEBIAN_FILES, 'var/lib/dpkg/status': '' },
        { ...DEBIAN_FILES, 'var/lib/dpkg/status': 'no database at all' },
        { ...DEBIAN_FILES, 'var/lib/rpm/Packages': '' },
      ]) {
        const nonce = { [`etc/${services.clock.now().getTime()}`]: '' }
        expect(await scanned({ ...files, ...nonce })).toMatchObject({
          status: 'FAILED',
          description: expect.stringContaining('UnsupportedImageError'),
        })
        services.clock.advance(1)
      }
    }
  })

  test('a distribution without its database beside packages of a language is said to be so', async () => {
    await importNow(openssl, lodash)
    await configure(CONTINUOUS)
    expect(await scanned(DEBIAN_FILES, LODASH)).toMatchObject({
      status: 'ACTIVE',
      description: expect.stringContaining('The operating system has no package database that is known'),
      findings: ['CVE-2026-3'],
    })
  })

  test('a language without data, beside packages with data', async () => {
    await importNow(openssl)
    await configure(ON_PUSH)
    expect(await scanned(vulnerable, LODASH)).toMatchObject({
      status: 'FAILED',
      description: 'No advisories for npm have been imported.',
      findings: ['CVE-2026-1'],
    })
  })

  test('a release past its end of life is said to be so, by the clock', async () => {
    const old = osvRecord('DEBIAN-CVE-2019-1', ['Debian:11', 'openssl', '1.1'], { upstream: ['CVE-2019-1'] })
    await importNow(old)
    const bullseye = {
      'etc/os-release': 'ID=debian\nVERSION_ID="11"\n',
      'var/lib/dpkg/status': dpkgStatus(['bash', '5.1']),
    }
    const digest = await pushFiles(services, ref, [bullseye])
    await services.scanJobs.scanNow()
    expect(await seen(digest)).toMatchObject({ description: 'The scan was completed successfully.' })
    services.clock.advance(Date.parse('2026-09-01T00:00:00Z') - services.clock.now().getTime())
    expect(await seen(digest)).toMatchObject({
      status: 'COMPLETE',
      description:
        'The scan was completed successfully. DEBIAN_11 is past its end of life of 2026-08-31: flaws that were found since then may be missing.',
    })
  })

  test('data that has grown old', async () => {
    await importNow(openssl)
    await configure(CONTINUOUS)
    const digest = await pushFiles(services, ref, [debian(['bash', '5.2'])])
    await services.scanJobs.scanNow()
    expect(await seen(digest)).toMatchObject({ status: 'ACTIVE' })
    services.clock.advance(ADVISORY_AGE_MS + HOUR_MS)
    expect(await seen(digest)).toMatchObject({ status: 'FINDINGS_UNAVAILABLE' })
  })
})

describe('an index', () => {
  test('of which one image cannot be scanned is not clean, and shows what the other has', async () => {
    await importNow(openssl)
    const good = await pushFiles(services, ref, [vulnerable])
    const sealed = await pushWithLayerType('application/vnd.oci.image.layer.v1.tar+encrypted')
    const index = await pushIndex(good, sealed)
    await services.scanJobs.scanNow()
    expect(await seen(index)).toMatchObject({ status: 'UNSUPPORTED_IMAGE', findings: ['CVE-2026-1'] })
  })

  test('of which one image was never scanned is not clean', async () => {
    await importNow(openssl)
    await services.repositories.putScanning(admin, ref, false)
    const never = await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'], ['bash', '5.2'])])
    await services.repositories.putScanning(admin, ref, true)
    const clean = await pushFiles(services, ref, [debian(['bash', '5.2'])])
    const index = await pushIndex(clean, never)
    await services.scanJobs.scanNow()
    expect(await seen(clean)).toMatchObject({ status: 'COMPLETE' })
    expect(await seen(index)).toMatchObject({
      status: 'FAILED',
      description: `The image ${never} of the index has not been scanned.`,
    })
    services.clock.advance(24 * HOUR_MS)
    await services.imageScans.start(admin, ref, { digest: index })
    await services.scanJobs.scanNow()
    expect(await seen(index)).toMatchObject({ status: 'COMPLETE', findings: ['CVE-2026-1'] })
  })

  test('of which one image is older than continuous scanning is not clean', async () => {
    await importNow(openssl)
    const old = await pushFiles(services, ref, [vulnerable])
    services.clock.advance(15 * 24 * HOUR_MS)
    await importNow(openssl)
    await configure(CONTINUOUS)
    const young = await pushFiles(services, ref, [debian(['bash', '5.2'])])
    const index = await pushIndex(old, young)
    await services.scanJobs.scanNow()
    expect(await seen(young)).toMatchObject({ status: 'ACTIVE' })
    expect(await seen(index)).toMatchObject({ status: 'FINDINGS_UNAVAILABLE' })
  })

  test('with attestations beside its images is as clean as they are', async () => {
    await importNow(openssl)
    const image = await pushFiles(services, ref, [debian(['bash', '5.2'])])
    const attestation = await pushWithLayerType('application/vnd.in-toto+json')
    const index = await pushIndex(image, attestation)
    await services.scanJobs.scanNow()
    expect(await seen(index)).toMatchObject({ status: 'COMPLETE', findings: [] })
  })
})
