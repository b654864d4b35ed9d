import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, megabytesPerSecond, type Workload, withFreshRegistry } from '../bench.ts'
import { writeLayerFile } from '../generated-layer.ts'
import { callEcr, ecru, runEcru } from '../peers/ecru.ts'
import { pushBlob, request } from '../registry-client.ts'
import type { RunningRegistry } from '../registry-peer.ts'
import { atLeastLimit, atMost, type Row } from '../row.ts'
import { withOtherDigest, writeScannableLayer } from '../scannable-layer.ts'
import { download, pushWhole } from '../transfer.ts'

const MIB = 1 << 20
const REPOSITORY = 'bench/scanned'
const PULLED_BYTES = 64 * MIB
const PULLS_ALONE = 40
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const PATIENCE_MS = 120_000

/**
 * An image of 200 MiB that is scanned because it is pushed: the time from the answer to the push until its findings are
 * there, while nothing else happens; and how fast another blob is pulled over and over while such a scan goes on.
 */
export const scans: Workload = {
  name: 'scans',
  async run(bench) {
    const packedMib = bench.quick ? 20 : 200
    const path = join(bench.directory, 'scanned-layer.tar.gz')
    const osv = join(bench.directory, 'scans-osv')
    await writeScannableLayer(path, packedMib)
    const pulled = await writeLayerFile(join(bench.directory, 'pulled-layer'), 'pulled', PULLED_BYTES)
    await writeAdvisories(osv)
    try {
      return await withFreshRegistry(bench, ecru, async (registry) => {
        await runEcru(registry, ['advisories', 'import', osv])
        await registry.createRepository(REPOSITORY)
        await callEcr(registry.url, 'PutImageScanningConfiguration', {
          repositoryName: REPOSITORY,
          imageScanningConfiguration: { scanOnPush: true },
        })
        await pushWhole(registry, REPOSITORY, pulled)
        const pull = `${registry.url}/v2/${REPOSITORY}/blobs/${pulled.digest}`
        return await measure(bench, registry, path, pull, Math.round(Bun.file(path).size / MIB))
      })
    } finally {
      for (const made of [path, pulled.path, osv]) await rm(made, { recursive: true, force: true })
    }
  },
}

async function measure(
  bench: Bench,
  registry: RunningRegistry,
  path: string,
  pull: string,
  packedMib: number,
): Promise<readonly Row[]> {
  const taken = { scan: [] as number[], busyScan: [] as number[], alone: [] as number[], beside: [] as number[] }
  for (let round = 0; round <= bench.repetitions; round++) {
    const scanMs = await scanAfterPush(registry, path, 2 * round, async (isDone) => {
      while (!isDone()) await Bun.sleep(5)
    })
    const alone = await pullWhile(registry, pull, (pulls) => pulls < (bench.quick ? 4 : PULLS_ALONE))
    let beside = 0
    const busyScanMs = await scanAfterPush(registry, path, 2 * round + 1, async (isDone) => {
      beside = await pullWhile(registry, pull, () => !isDone())
    })
    if (round === 0) continue
    taken.scan.push(scanMs)
    taken.busyScan.push(busyScanMs)
    taken.alone.push(alone)
    taken.beside.push(beside)
  }
  const title = `image of ${packedMib} MiB`
  const ofEcru = (samples: readonly number[]) => new Map([['Ecru', samples]])
  return [
    {
      title: `${title}: findings are there after its push`,
      unit: 'ms',
      better: 'lower',
      samples: ofEcru(taken.scan),
      budgets: [atMost(5_000, 'ms')],
    },
    {
      title: `${title}: findings are there, while blobs are pulled without a pause`,
      unit: 'ms',
      better: 'lower',
      samples: ofEcru(taken.busyScan),
    },
    {
      title: `pulls of ${PULLED_BYTES / MIB} MiB while that image is scanned`,
      unit: 'MB/s',
      better: 'higher',
      samples: ofEcru(taken.beside),
      limits: new Map([['without a scan', taken.alone]]),
      budgets: [atLeastLimit(0.8, 'the same without a scan')],
    },
  ]
}

/** Pushes the image anew, with `beside` from the answer on until its scan has ended; answers how long that took. */
async function scanAfterPush(
  registry: RunningRegistry,
  path: string,
  n: number,
  beside: (isDone: () => boolean) => Promise<void>,
): Promise<number> {
  const layer = await withOtherDigest(path, n + 1)
  await pushWhole(registry, REPOSITORY, layer)
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' }, n }))
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: await pushBlob(registry, REPOSITORY, config),
      size: config.byteLength,
    },
    layers: [
      {
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest: layer.digest,
        size: layer.sizeBytes,
      },
    ],
  })
  const target = `/v2/${REPOSITORY}/manifests/scan-${n}`
  await (await request(registry, 'PUT', target, 201, { body: manifest, contentType: MANIFEST_TYPE })).arrayBuffer()
  const began = performance.now()
  let endedMs: number | undefined
  const end = untilScanned(registry.url, `scan-${n}`, began).then((ms) => {
    endedMs = ms
    return ms
  })
  const [ms] = await Promise.all([end, beside(() => endedMs !== undefined)])
  return ms
}

async function untilScanned(url: string, imageTag: string, began: number): Promise<number> {
  while (performance.now() - began < PATIENCE_MS) {
    const answer = (await callEcr(url, 'DescribeImageScanFindings', {
      repositoryName: REPOSITORY,
      imageId: { imageTag },
    })) as { imageScanStatus: { status: string; description: string }; imageScanFindings?: { findings: unknown[] } }
    const { status, description } = answer.imageScanStatus
    if (status === 'COMPLETE' && answer.imageScanFindings?.findings.length !== 1)
      throw new Error('the scan has not found what is there')
    if (status === 'COMPLETE') return performance.now() - began
    if (status !== 'IN_PROGRESS') throw new Error(`the scan has ended as ${status}: ${description}`)
    await Bun.sleep(20)
  }
  throw new Error('the scan has not ended in time')
}

/** Pulls one blob after the other; answers the megabytes a second. */
async function pullWhile(
  { authorization }: RunningRegistry,
  url: string,
  isGoingOn: (pulls: number) => boolean,
): Promise<number> {
  let pulls = 0
  let elapsedMs = 0
  while (isGoingOn(pulls) || pulls === 0) {
    elapsedMs += await download([url], authorization)
    pulls++
  }
  return megabytesPerSecond(pulls * PULLED_BYTES, elapsedMs)
}

/** One flaw of one of the layer's packages, published this minute. */
async function writeAdvisories(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const record = {
    id: 'DEBIAN-CVE-2026-1',
    modified: new Date().toISOString(),
    upstream: ['CVE-2026-1'],
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'p0' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '2.0' }] }],
      },
    ],
  }
  await writeFile(join(directory, `${record.id}.json`), JSON.stringify(record))
}
