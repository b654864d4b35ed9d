import { afterEach, describe, expect, test } from 'bun:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { parseDigest } from '../../src/domain/digest.ts'
import { INVENTORY_LIMITS, type InventoryLimits } from '../../src/domain/inventory/limits.ts'
import type { ImageLayer } from '../../src/services/scanning/layer-analyser.ts'
import { AnalysisWorkers } from '../../src/workers/analysis-workers.ts'
import { tarOf } from '../support/tar-builder.ts'

const WORKER = new URL('../../src/workers/analysis-worker.ts', import.meta.url).href
const MISBEHAVING = new URL('./misbehaving-worker.ts', import.meta.url).href
const OCI = 'application/vnd.oci.image.layer.v1.tar+gzip'
const never = new AbortController().signal
const digest = parseDigest(`sha256:${'a'.repeat(64)}`)

const open: AnalysisWorkers[] = []
afterEach(() => {
  for (const workers of open.splice(0)) workers.close()
})

function workersOf(workerUrl: string, limits: Partial<InventoryLimits> = {}, count = 1): AnalysisWorkers {
  const workers = new AnalysisWorkers({ workerUrl, count, limits: { ...INVENTORY_LIMITS, ...limits } })
  open.push(workers)
  return workers
}

const layerOf = (bytes: Uint8Array<ArrayBuffer>, mediaType = OCI): ImageLayer => ({
  digest,
  mediaType,
  open: () => new Blob([bytes]).stream(),
})

const status = 'Package: bash\nStatus: install ok installed\nVersion: 5.2\nArchitecture: amd64\n\n'
const archive = tarOf([
  { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' },
  { path: 'var/lib/dpkg/status', content: status },
])

async function namesIn(workers: AnalysisWorkers, layer: ImageLayer): Promise<readonly string[]> {
  const facts = await workers.analyse(layer, new Map(), never)
  const { inventory } = await workers.merge([{ digest, facts }], never)
  return inventory.packages.map(({ name, version }) => `${name} ${version}`)
}

const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'nothing thrown',
    (error) => error?.code ?? String(error),
  )

describe('a layer is read in a worker', () => {
  const packed = [
    ['gzip', new Uint8Array(gzipSync(archive))],
    [
      'gzip in several members',
      new Uint8Array([...gzipSync(archive.subarray(0, 700)), ...gzipSync(archive.subarray(700))]),
    ],
    ['zstd', new Uint8Array(zstdCompressSync(archive))],
    ['nothing', archive],
  ] as const
  for (const [how, bytes] of packed)
    test(`packed with ${how}`, async () =>
      expect(await namesIn(workersOf(WORKER), layerOf(bytes))).toEqual(['bash 5.2']))

  test('in thousands of tiny pieces', async () => {
    const bytes = new Uint8Array(gzipSync(archive))
    const stream = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          for (let at = 0; at < bytes.length; at++) controller.enqueue(bytes.subarray(at, at + 1))
          controller.close()
        },
      })
    expect(await namesIn(workersOf(WORKER), { digest, mediaType: OCI, open: stream })).toEqual(['bash 5.2'])
  })

  test('many at a time, by as many workers as there are', async () => {
    const workers = workersOf(WORKER, {}, 2)
    const layer = layerOf(new Uint8Array(gzipSync(archive)))
    const all = await Promise.all(Array.from({ length: 8 }, () => namesIn(workers, layer)))
    expect(all).toEqual(Array.from({ length: 8 }, () => ['bash 5.2']))
  })
})

describe('what cannot be read says so, and the worker goes on', () => {
  const cases: readonly (readonly [string, ImageLayer, Partial<InventoryLimits>, string])[] = [
    ['gzip that is cut off', layerOf(new Uint8Array(gzipSync(archive).subarray(0, 60))), {}, 'layer-unreadable'],
    [
      'zstd that is cut off',
      layerOf(new Uint8Array(zstdCompressSync(archive).subarray(0, 60))),
      {},
      'layer-unreadable',
    ],
    ['a tar that is cut off', layerOf(archive.subarray(0, 600)), {}, 'layer-unreadable'],
    ['bytes of no meaning', layerOf(new Uint8Array(4096).fill(65)), {}, 'layer-unreadable'],
    [
      'too many bytes',
      layerOf(new Uint8Array(gzipSync(new Uint8Array(8 << 20)))),
      { layerBytes: 1 << 20 },
      'layer-too-large',
    ],
    ['too many entries', layerOf(archive), { layerEntries: 1 }, 'layer-too-large'],
    [
      'a type that nobody knows',
      layerOf(archive, 'application/vnd.cncf.helm.chart.content.v1.tar+gzip'),
      {},
      'layer-type-unsupported',
    ],
    [
      'a package database that cannot be read',
      layerOf(tarOf([{ path: 'var/lib/rpm/Packages', content: 'no' }])),
      {},
      'layer-unreadable',
    ],
  ]
  for (const [what, layer, limits, code] of cases)
    test(what, async () => {
      const workers = workersOf(WORKER, limits)
      expect(await codeOf(namesIn(workers, layer))).toBe(code)
      const empty = layerOf(tarOf([]))
      expect(await namesIn(workers, empty)).toEqual([])
    })

  test('a failure of the source passes as it is', async () => {
    const workers = workersOf(WORKER)
    const failing = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error('the disk died')),
    })
    const layer = { digest, mediaType: OCI, open: () => failing }
    expect(await codeOf(workers.analyse(layer, new Map(), never))).toBe('Error: the disk died')
    expect(await namesIn(workers, layerOf(archive))).toEqual(['bash 5.2'])
  })
})

describe('a worker that does not do its work is replaced', () => {
  const endless = (mediaType: string): ImageLayer => ({
    digest,
    mediaType,
    open: () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(65_536)) }),
  })
  for (const [how, code] of [
    ['dies', 'analysis-crashed'],
    ['throws', 'analysis-crashed'],
    ['hangs', 'analysis-timed-out'],
    ['is-silent', 'analysis-timed-out'],
  ] as const)
    test(`one that ${how}`, async () => {
      const workers = workersOf(MISBEHAVING, { silenceMs: 1_000 })
      expect(await codeOf(workers.analyse(endless(how), new Map(), never))).toBe(code)
      expect([...(await workers.analyse(endless('answers'), new Map(), never))]).toEqual([7])
    })

  test('one whose layer takes too long', async () => {
    const workers = workersOf(WORKER, { layerMs: 100 })
    const stalled = { digest, mediaType: OCI, open: () => new ReadableStream<Uint8Array>() }
    expect(await codeOf(workers.analyse(stalled, new Map(), never))).toBe('analysis-timed-out')
  })

  test('one whose caller gives up', async () => {
    const workers = workersOf(WORKER)
    const giveUp = new AbortController()
    const work = codeOf(workers.analyse(endless(OCI), new Map(), giveUp.signal))
    giveUp.abort(new Error('no longer needed'))
    expect(await work).toBe('Error: no longer needed')
    expect(await namesIn(workers, layerOf(archive))).toEqual(['bash 5.2'])
  })

  test('whoever waits for a worker can give up too', async () => {
    const workers = workersOf(MISBEHAVING, { silenceMs: 1_000 })
    const first = codeOf(workers.analyse(endless('is-silent'), new Map(), never))
    const giveUp = new AbortController()
    const second = codeOf(workers.analyse(endless('answers'), new Map(), giveUp.signal))
    giveUp.abort(new Error('no longer needed'))
    expect(await second).toBe('Error: no longer needed')
    expect(await first).toBe('analysis-timed-out')
  })
})

describe('beside traffic', () => {
  /** Comes so slowly that there is a question before each of its pieces. */
  const slowLayer: ImageLayer = {
    digest,
    mediaType: OCI,
    open: () =>
      new ReadableStream<Uint8Array>({
        async start(controller) {
          for (let at = 0; at < archive.length; at += 1024) {
            await Bun.sleep(25)
            controller.enqueue(archive.slice(at, at + 1024))
          }
          controller.close()
        },
      }),
  }

  test('a layer is read whole, with pauses while clients are served', async () => {
    for (const isServing of [true, false]) {
      let asked = 0
      const isBusy = () => {
        asked++
        return isServing
      }
      const workers = new AnalysisWorkers({ workerUrl: WORKER, isBusy })
      open.push(workers)
      expect(await namesIn(workers, slowLayer)).toEqual(['bash 5.2'])
      expect(asked).toBeGreaterThan(0)
    }
  })

  test('pauses take no more than their part of the time that a layer may take', async () => {
    let asked = 0
    const workers = new AnalysisWorkers({
      workerUrl: WORKER,
      limits: { ...INVENTORY_LIMITS, layerMs: 0 },
      isBusy: () => ++asked > 0,
    })
    open.push(workers)
    expect(await codeOf(workers.analyse(slowLayer, new Map(), never))).toBe('analysis-timed-out')
    expect(asked).toBe(0)
  })
})
