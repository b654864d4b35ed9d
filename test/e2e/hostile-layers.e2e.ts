import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import {
  DescribeImageScanFindingsCommand,
  type ECRClient,
  PutImageScanningConfigurationCommand,
} from '@aws-sdk/client-ecr'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { gzipOfEntries, gzipOfRepeated, hugeEntry, nestedJar, zstdOfZeros } from '../support/hostile-layers.ts'
import { type BuiltImage, blob, buildImage } from '../support/image-builder.ts'
import { ecrClient, program } from '../support/start-registry.ts'
import { joined, paxOf, type TarFile, tarOf } from '../support/tar-builder.ts'
import { zipOf } from '../support/zip-builder.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
const REPOSITORY = 'hostile/app'
const GZIP = 'application/vnd.oci.image.layer.v1.tar+gzip'
const ZSTD = 'application/vnd.oci.image.layer.v1.tar+zstd'
const PATIENCE_MS = 240_000
/** What the process may take at its most: archives are inflated, and databases held, in memory. */
const RESIDENT_BYTES_MAX = 700 * MIB
/** How long an ordinary request may take while a layer that does harm is being read. */
const ANSWER_MS_MAX = 5_000

const DEBIAN: readonly TarFile[] = [
  { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' },
  {
    path: 'var/lib/dpkg/status',
    content: 'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.9-1\n',
  },
]

const gzipped = (files: readonly TarFile[]) => gzipSync(tarOf(files))
const debianAnd = (...files: readonly TarFile[]) => gzipped([...DEBIAN, ...files])
const zeros = (bytes: number) => new Uint8Array(bytes)
const sqlite = (bytes: number, pageBytes: number) => {
  const file = zeros(bytes)
  file.set(new TextEncoder().encode('SQLite format 3\0'))
  new DataView(file.buffer).setUint16(16, pageBytes)
  file[100] = 5
  return file
}

interface Attack {
  readonly layer: () => Uint8Array
  readonly mediaType?: string
  readonly status: 'FAILED' | 'COMPLETE'
  readonly description: RegExp
}

const FAILED = 'FAILED' as const
const COMPLETE = 'COMPLETE' as const
const DAMAGED = /^The layer cannot be read: /
const TOO_LARGE = /^The layer exceeds what is analysed: /
const UNREADABLE_DATABASE = /^The package database \S+ cannot be read: /
const SUCCEEDED = /^The scan was completed successfully\./
const UNSUPPORTED = /^UnsupportedImageError: /

const ATTACKS: Readonly<Record<string, Attack>> = {
  'two megabytes of zstd that are 70 GiB': {
    layer: () => zstdOfZeros(hugeEntry({ path: 'zeros' }, 70 * GIB), 70 * GIB),
    mediaType: ZSTD,
    status: FAILED,
    description: TOO_LARGE,
  },
  'a package database that unpacks a thousandfold': {
    layer: () => gzipped([{ path: 'var/lib/dpkg/status', content: zeros(200 * MIB) }]),
    status: FAILED,
    description: UNREADABLE_DATABASE,
  },
  'an archive that inflates archives again and again': {
    layer: () => {
      // Each archive unpacks to eight of 100 MiB, of which every one has to be looked into.
      const inner = zipOf([['zeros.class', zeros(100 * MIB)]], 0)
      const content = zipOf(Array.from({ length: 8 }, (_, n) => [`${n}.jar`, inner] as const))
      return debianAnd(...Array.from({ length: 6 }, (_, n) => ({ path: `app${n}.jar`, content })))
    },
    status: FAILED,
    description: TOO_LARGE,
  },
  'archives in archives without end': {
    layer: () => debianAnd({ path: 'app.jar', content: nestedJar(60) }),
    status: FAILED,
    description: TOO_LARGE,
  },
  'an entry of an exbibyte': {
    layer: () => gzipSync(joined([hugeEntry({ path: 'var/lib/dpkg/status' }, 2 ** 52), zeros(4096)])),
    status: FAILED,
    description: DAMAGED,
  },
  'a sparse package database of a pebibyte': {
    layer: () => {
      const sparse = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': String(2 ** 50) }
      return gzipped([
        ...DEBIAN.slice(0, 1),
        paxOf({ ...sparse, 'GNU.sparse.name': 'var/lib/dpkg/status' }),
        { path: 'GNUSparseFile.0/status', content: '1\n0\n1\n' },
      ])
    },
    status: FAILED,
    description: UNREADABLE_DATABASE,
  },
  'a symbolic link out of the image': {
    layer: () =>
      gzipped([
        { path: 'etc/os-release', flag: '2', link: '../../../../../../etc/os-release' },
        { path: 'var/lib/dpkg', flag: '2', link: '/../../../../var/lib/dpkg' },
      ]),
    status: FAILED,
    description: UNSUPPORTED,
  },
  'a hard link out of the image': {
    layer: () => gzipped([{ path: 'var/lib/dpkg/status', flag: '1', link: '../../../var/lib/dpkg/status' }]),
    status: FAILED,
    description: DAMAGED,
  },
  'a path out of the image': {
    layer: () => debianAnd({ path: '../../../../tmp/ecru-escaped', content: 'out' }),
    status: FAILED,
    description: DAMAGED,
  },
  'gzip that is cut off': {
    layer: () =>
      debianAnd({ path: 'noise', content: Buffer.from(crypto.getRandomValues(zeros(60_000))) }).subarray(0, 40_000),
    status: FAILED,
    description: DAMAGED,
  },
  'zstd that is cut off': {
    layer: () => {
      const whole = zstdCompressSync(
        tarOf([...DEBIAN, { path: 'x', content: Buffer.from(crypto.getRandomValues(zeros(60_000))) }]),
      )
      return whole.subarray(0, 40_000)
    },
    mediaType: ZSTD,
    status: FAILED,
    description: DAMAGED,
  },
  'an rpm database of SQLite whose pages lead nowhere': {
    layer: () => gzipped([{ path: 'var/lib/rpm/rpmdb.sqlite', content: sqlite(128 * MIB, 4096) }]),
    status: FAILED,
    description: UNREADABLE_DATABASE,
  },
  'an rpm database of noise': {
    layer: () => gzipped([{ path: 'var/lib/rpm/Packages', content: crypto.getRandomValues(zeros(65_536)) }]),
    status: FAILED,
    description: UNREADABLE_DATABASE,
  },
  'two million entries': {
    layer: () => gzipOfRepeated(2_000_100, { path: 'etc/nothing' }),
    status: FAILED,
    description: TOO_LARGE,
  },
  'a million paths to be remembered': {
    layer: () => gzipOfEntries(1_000_000, (n) => ({ path: `d${n}/.wh.${n}` })),
    status: FAILED,
    description: TOO_LARGE,
  },
  'directories two thousand deep': {
    layer: () => {
      const path = `${'d/'.repeat(1_900)}node_modules/a/package.json`
      return debianAnd(
        paxOf({ path }),
        { path: 'short', content: '{"name":"a","version":"1"}' },
        paxOf({ path: `${'d/'.repeat(1_900)}.wh.x` }),
        { path: 'short' },
      )
    },
    status: COMPLETE,
    description: SUCCEEDED,
  },
  'a document of brackets': {
    layer: () =>
      debianAnd(
        { path: 'a.cdx.json', content: `{"bomFormat":"CycloneDX","components":${'[{"components":'.repeat(200_000)}` },
        { path: 'app/package-lock.json', content: '['.repeat(1_000_000) },
      ),
    status: COMPLETE,
    description: SUCCEEDED,
  },
  'links in a circle, and a thousand one behind the other': {
    layer: () =>
      gzipped([
        ...DEBIAN.slice(0, 1),
        { path: 'var/lib/dpkg', flag: '2', link: 'dpkg' },
        ...Array.from({ length: 1_000 }, (_, n): TarFile => ({ path: `l${n}`, flag: '2', link: `l${n + 1}` })),
      ]),
    status: FAILED,
    description: UNSUPPORTED,
  },
}

describe('layers made to do harm, pushed like others', () => {
  const stage = useStage({ repositories: [REPOSITORY], env: { ECRU_LOG_LEVEL: 'warn' } })
  let ecr: ECRClient
  let processId: number

  beforeAll(async () => {
    ecr = ecrClient(stage.url)
    processId = stage.registry.process.pid
    const flaw = {
      id: 'DEBIAN-CVE-2026-1',
      modified: new Date().toISOString(),
      upstream: ['CVE-2026-1'],
      affected: [
        {
          package: { ecosystem: 'Debian:12', name: 'openssl' },
          ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.10-1' }] }],
        },
      ],
    }
    await Bun.write(join(stage.path('osv'), `${flaw.id}.json`), JSON.stringify(flaw))
    await run([...program(), 'advisories', 'import', stage.path('osv'), '--url', stage.url], {
      env: stage.awsEnvironment,
    })
    const imageScanningConfiguration = { scanOnPush: true }
    await ecr.send(new PutImageScanningConfigurationCommand({ repositoryName: REPOSITORY, imageScanningConfiguration }))
    await push(stage, REPOSITORY, imageOf('good', gzipped(DEBIAN), GZIP), 'good')
  }, PATIENCE_MS)

  afterAll(() => ecr?.destroy())

  async function scanOf(imageTag: string) {
    const { imageScanStatus, imageScanFindings } = await ecr.send(
      new DescribeImageScanFindingsCommand({ repositoryName: REPOSITORY, imageId: { imageTag } }),
    )
    return { ...imageScanStatus, findings: imageScanFindings?.findings?.map(({ name }) => name) }
  }

  /** Asks for other things until the scan is done, and answers with how long the slowest of them took. */
  async function whileScanned(imageTag: string) {
    let slowestMs = 0
    for (;;) {
      const asked = performance.now()
      const pulled = await wire(stage, `${REPOSITORY}/manifests/good`)
      const health = await fetch(`${stage.url}/_ecru/health`)
      expect([pulled.status, health.status]).toEqual([200, 200])
      await pulled.arrayBuffer()
      await health.arrayBuffer()
      const scan = await scanOf(imageTag)
      slowestMs = Math.max(slowestMs, performance.now() - asked)
      if (scan.status !== 'IN_PROGRESS') return { scan, slowestMs }
    }
  }

  for (const [index, [what, { layer, mediaType = GZIP, status, description }]] of Object.entries(ATTACKS).entries())
    test(
      what,
      async () => {
        const tag = `attack-${index}`
        await push(stage, REPOSITORY, imageOf(tag, layer(), mediaType), tag)
        const { scan, slowestMs } = await whileScanned(tag)
        expect(scan).toMatchObject({ status, description: expect.stringMatching(description) })
        expect(scan.findings).toEqual(status === 'COMPLETE' ? ['CVE-2026-1'] : undefined)
        expect(slowestMs).toBeLessThan(ANSWER_MS_MAX)
        expect(stage.registry.process.exitCode).toBeNull()
      },
      PATIENCE_MS,
    )

  test('after all of them the process is the same, within its bound of memory, and scans what is good', async () => {
    expect(stage.registry.process.pid).toBe(processId)
    const peak = peakResidentBytes(processId)
    console.log(`at most ${Math.round(peak / MIB)} MiB in memory`)
    expect(peak).toBeLessThan(RESIDENT_BYTES_MAX)
    await push(stage, REPOSITORY, imageOf('after', gzipped(DEBIAN), GZIP), 'after')
    const { scan } = await whileScanned('after')
    expect(scan).toMatchObject({ status: 'COMPLETE', findings: ['CVE-2026-1'] })
    expect(await Bun.file('/tmp/ecru-escaped').exists()).toBe(false)
  })
})

/** An image with one layer of these very bytes. */
function imageOf(seed: string, bytes: Uint8Array, mediaType: string): BuiltImage {
  const built = buildImage(seed, { layers: [] })
  const layer = { ...blob(mediaType, Buffer.from(bytes)), tar: Buffer.alloc(0) }
  const manifest = JSON.parse(built.manifest.bytes.toString()) as object
  const descriptor = { mediaType, digest: layer.digest, size: layer.bytes.length }
  const document = Buffer.from(JSON.stringify({ ...manifest, layers: [descriptor] }))
  return { ...built, layers: [layer], manifest: blob(built.manifest.mediaType, document) }
}

/** The most that the process and those that it started have had in memory. */
function peakResidentBytes(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  const own = Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? Number.NaN) * 1024
  return [own, ...children.map(peakResidentBytes)].reduce((sum, one) => sum + one, 0)
}
