import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseTag } from '../../src/domain/names.ts'
import { PLAIN } from '../../src/domain/vault.ts'
import { GarbageCollector, type GcReport } from '../../src/jobs/gc.ts'
import { Gate } from '../../src/lib/gate.ts'
import { plain } from '../suites/blob-bytes.ts'
import {
  admin,
  createServices,
  GRACE_MS,
  manifestOf,
  pushImage,
  pushLayer,
  refTo,
  type Services,
  UPLOAD_EXPIRY_MS,
} from '../support/service-fixture.ts'

const ref = refTo('team/app')
const other = refTo('team/other')
const never = new AbortController().signal
let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  await services.repositories.create(admin, other)
})
afterEach(() => services.close())

const collect = () => services.gc.run(never)
const storedDigests = async () =>
  (await Array.fromAsync(services.blobs.list())).map(({ digest }) => digest as string).sort()
const removeImage = (digest: string) => services.imageDeletion.deleteMany(admin, ref, [{ digest }])

describe('garbage collection', () => {
  test('leaves what images need', async () => {
    const digest = await pushImage(services, ref, 'a', 'latest')
    services.clock.advance(10 * GRACE_MS)
    expect((await collect()).deletedBlobs).toBe(0)
    expect((await services.images.pull(admin, ref, { digest })).image.digest).toBe(digest)
    expect(await storedDigests()).toHaveLength(2)
  })

  test('frees the layers of a deleted image after the grace period, and says how much', async () => {
    const digest = await pushImage(services, ref, 'a')
    services.clock.advance(2 * GRACE_MS)
    await removeImage(digest)
    expect((await collect()).deletedBlobs).toBe(0)
    services.clock.advance(GRACE_MS + 1)
    const foreseen = await services.gc.dryRun()
    const report = await collect()
    const freedBytes = 'config of a'.length + 'layer of a'.length
    expect(report).toMatchObject({ unlinkedLayers: 2, deletedBlobs: 2, freedBytes } satisfies Partial<GcReport>)
    expect(foreseen).toMatchObject({
      isDryRun: true,
      unlinkedLayers: 2,
      deletedBlobs: 2,
      freedBytes,
    } satisfies Partial<GcReport>)
    expect(await storedDigests()).toEqual([])
  })

  test('deletes no blob while somebody holds them all, and does it the next time', async () => {
    const digest = await pushImage(services, ref, 'a')
    await removeImage(digest)
    services.clock.advance(2 * GRACE_MS)
    const { metadata, blobs, uploads, clock } = services
    const deletion = new Gate()
    const settings = { graceMs: GRACE_MS, uploadExpiryMs: UPLOAD_EXPIRY_MS }
    const gc = new GarbageCollector({ metadata, blobs, uploads, clock, deletion }, settings)
    const held = await deletion.hold(() => gc.run(never))
    expect(held).toMatchObject({ unlinkedLayers: 2, deletedBlobs: 0 })
    expect(await storedDigests()).toHaveLength(2)
    expect((await gc.run(never)).deletedBlobs).toBe(2)
  })

  test('keeps a layer that another repository or another image needs', async () => {
    const layer = await pushLayer(services, ref, 'shared')
    const config = await pushLayer(services, ref, 'config')
    const first = await services.images.push(admin, ref, { manifest: manifestOf(config, [layer]), tags: [] })
    await services.images.push(admin, ref, {
      manifest: manifestOf(config, [layer], { annotations: { a: 'b' } }),
      tags: [],
    })
    await services.layers.mount(admin, other, layer, ref)
    await removeImage(first.image.digest)
    services.clock.advance(2 * GRACE_MS)
    const report = await collect()
    expect(report).toMatchObject({ unlinkedLayers: 1, deletedBlobs: 0 })
    expect((await services.layers.stat(admin, ref, layer)).digest).toBe(layer)
  })

  test('frees layers that were pushed and never named by an image', async () => {
    await pushLayer(services, ref, 'loose')
    services.clock.advance(GRACE_MS - 1)
    expect((await collect()).deletedBlobs).toBe(0)
    services.clock.advance(2)
    expect((await collect()).deletedBlobs).toBe(1)
    expect(await storedDigests()).toEqual([])
  })

  test('gives a layer that a client was told of a new grace period', async () => {
    const layer = await pushLayer(services, ref, 'loose')
    services.clock.advance(GRACE_MS - 1)
    await services.layers.stat(admin, ref, layer)
    services.clock.advance(GRACE_MS - 1)
    expect((await collect()).unlinkedLayers).toBe(0)
    await services.layers.availability(admin, ref, [layer])
    services.clock.advance(GRACE_MS - 1)
    expect((await collect()).unlinkedLayers).toBe(0)
    const config = await pushLayer(services, ref, 'config')
    await services.images.push(admin, ref, { manifest: manifestOf(config, [layer]), tags: [] })
  })

  test('purges what a deleted repository held, and not what a new one of its name holds', async () => {
    await pushImage(services, ref, 'a', 'latest')
    await services.repositories.delete(admin, ref, true)
    await services.repositories.create(admin, ref)
    const digest = await pushImage(services, ref, 'b', 'latest')
    services.clock.advance(2 * GRACE_MS)
    expect((await collect()).deletedBlobs).toBe(2)
    expect((await services.images.pull(admin, ref, { tag: parseTag('latest') })).image.digest).toBe(digest)
  })

  test('ends abandoned uploads and their bytes', async () => {
    await services.uploads.start(admin, ref)
    services.clock.advance(UPLOAD_EXPIRY_MS + 1)
    const kept = await services.uploads.start(admin, ref)
    expect((await services.gc.dryRun()).expiredUploads).toBe(1)
    expect((await collect()).expiredUploads).toBe(1)
    expect(await services.uploads.status(admin, ref, kept)).toBe(0)
    expect(await Array.fromAsync(services.blobs.listUploads())).toHaveLength(1)
  })

  test('takes up files that a crash left without a record, after the grace period', async () => {
    const key = await services.blobs.startUpload(PLAIN)
    await services.blobs.append(
      key,
      0,
      (async function* () {
        yield new Uint8Array([1])
      })(),
    )
    await services.blobs.commit(
      key,
      `sha256:${new Bun.CryptoHasher('sha256').update(new Uint8Array([1])).digest('hex')}` as never,
    )
    expect((await collect()).orphanedFiles).toBe(0)
    services.clock.advance(GRACE_MS + 1)
    expect((await services.gc.dryRun()).orphanedFiles).toBe(1)
    expect(await collect()).toMatchObject({ orphanedFiles: 1, deletedBlobs: 1, freedBytes: 1 })
    expect(await storedDigests()).toEqual([])
  })

  test('works beside pushes of the very layers it sweeps', async () => {
    for (let round = 0; round < 20; round++) {
      const digest = await pushImage(services, ref, 'contended')
      await removeImage(digest)
      services.clock.advance(2 * GRACE_MS)
      const [, pushed] = await Promise.allSettled([collect(), pushImage(services, ref, 'contended', 'latest')])
      // A collection may take the layers between their push and the manifest: the push then fails and says why.
      if (pushed.status === 'rejected') {
        expect(pushed.reason).toMatchObject({ code: 'layers-not-found' })
        continue
      }
      const { image } = await services.images.pull(admin, ref, { tag: parseTag('latest') })
      for (const { digest: blob } of await services.metadata.view.blobs.list({ limit: 10 }))
        expect(await services.blobs.find(plain(blob))).toBeDefined()
      await removeImage(image.digest)
    }
  })

  test('can be broken off', async () => {
    await pushLayer(services, ref, 'loose')
    services.clock.advance(2 * GRACE_MS)
    await expect(services.gc.run(AbortSignal.abort(new Error('closing')))).rejects.toThrow('closing')
    expect((await collect()).deletedBlobs).toBe(1)
  })
})
