import { afterEach, expect, test } from 'bun:test'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { ANALYSER_VERSION } from '../../src/domain/inventory/analyser-version.ts'
import { PLAIN } from '../../src/domain/vault.ts'
import { Inventories, type VaultLayer } from '../../src/services/scanning/inventories.ts'
import { AnalysisWorkers } from '../../src/workers/analysis-workers.ts'
import { sha256 } from '../support/image-builder.ts'
import { createServices, type Services } from '../support/service-fixture.ts'
import { type TarFile, tarOf } from '../support/tar-builder.ts'

const WORKER = new URL('../../src/workers/analysis-worker.ts', import.meta.url).href
const never = new AbortController().signal

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Inventories over stores in memory, and layers that count how often they are read. */
async function createInventories() {
  const services: Services = await createServices()
  const workers = new AnalysisWorkers({ workerUrl: WORKER })
  closing.push(() => workers.close(), services.close)
  const reads = new Map<Digest, number>()
  const record = (bytes: Uint8Array<ArrayBuffer>): Promise<VaultLayer> => recorded(services, reads, bytes)
  return {
    metadata: services.metadata,
    inventories: new Inventories(services.metadata, workers, services.clock, services.vaults),
    reads,
    record,
    layer: (...files: readonly TarFile[]) => record(tarOf(files)),
  }
}

async function recorded(
  { metadata, clock }: Services,
  reads: Map<Digest, number>,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<VaultLayer> {
  const digest = parseDigest(sha256(Buffer.from(bytes)))
  await metadata.transact((tx) => tx.blobs.claim({ vault: PLAIN, digest }, clock.now()))
  return {
    digest,
    vault: PLAIN,
    mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    open: () => {
      reads.set(digest, (reads.get(digest) ?? 0) + 1)
      return new Blob([bytes]).stream()
    },
  }
}

const npm = (name: string): TarFile => ({
  path: `app/node_modules/${name}/package.json`,
  content: JSON.stringify({ name, version: '1.0.0' }),
})

test('an image is what its layers leave, and no layer is read twice', async () => {
  const { inventories, layer, reads } = await createInventories()
  const base = await layer(npm('a'), npm('b'))
  const top = await layer({ path: 'app/node_modules/.wh.a' }, npm('c'))
  const names = async (...layers: readonly VaultLayer[]) =>
    (await inventories.inventoryOf(layers, never)).packages.map(({ name }) => name)
  expect(await names(base, top)).toEqual(['b', 'c'])
  expect(await names(base)).toEqual(['a', 'b'])
  expect(await names(top, base)).toEqual(['a', 'b', 'c'])
  expect([...reads.values()]).toEqual([1, 1])
})

test('images that are asked for at the same time share the reading of their layers', async () => {
  const { inventories, layer, reads } = await createInventories()
  const base = await layer(npm('a'))
  await Promise.all(Array.from({ length: 5 }, () => inventories.inventoryOf([base], never)))
  expect([...reads.values()]).toEqual([1])
})

test('a layer that cannot be read fails each time, and what was read before it is kept', async () => {
  const { inventories, layer, record, reads } = await createInventories()
  const good = await layer(npm('a'))
  const bad = await record(new Uint8Array(1024).fill(1))
  for (let time = 0; time < 2; time++)
    await expect(inventories.inventoryOf([good, bad], never)).rejects.toMatchObject({ code: 'layer-unreadable' })
  expect(reads.get(good.digest)).toBe(1)
  expect(reads.get(bad.digest)).toBe(2)
})

test('what another version of the analyser found is not used', async () => {
  const { inventories, layer, metadata, reads } = await createInventories()
  const base = await layer(npm('a'))
  await metadata.transact((tx) => tx.inventories.putFacts(base, ANALYSER_VERSION - 1, Uint8Array.of(1), new Date(0)))
  expect((await inventories.inventoryOf([base], never)).packages).toHaveLength(1)
  expect(reads.get(base.digest)).toBe(1)
})

test('a database that is a link to a file in another layer is found, and not kept as part of the layer', async () => {
  const { inventories, layer } = await createInventories()
  const status = 'Package: bash\nStatus: install ok installed\nVersion: 5\n'
  const base = await layer({ path: 'opt/state', content: status })
  const top = await layer({ path: 'var/lib/dpkg/status', flag: '2', link: '/opt/state' })
  const names = async (...layers: readonly VaultLayer[]) =>
    (await inventories.inventoryOf(layers, never)).packages.map(({ name }) => name)
  expect(await names(base, top)).toEqual(['bash'])
  expect(await names(base)).toEqual([])
})

test('whoever gives up is told so, and the next one is served', async () => {
  const { inventories, layer } = await createInventories()
  const base = await layer(npm('a'))
  const stalled: VaultLayer = { ...base, open: () => new ReadableStream<Uint8Array>() }
  const giveUp = new AbortController()
  const first = inventories.inventoryOf([stalled], giveUp.signal)
  const second = inventories.inventoryOf([base], never)
  giveUp.abort(new Error('no longer needed'))
  await expect(first).rejects.toThrow('no longer needed')
  expect((await second).packages).toHaveLength(1)
})
