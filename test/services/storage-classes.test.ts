import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import type { StatusFilter } from '../../src/domain/image.ts'
import { parseTag } from '../../src/domain/names.ts'
import { Activations } from '../../src/services/images/activations.ts'
import { type StorageClass, StorageClasses } from '../../src/services/images/storage-classes.ts'
import { PushReplication } from '../../src/services/replication/push-replication.ts'
import { plain } from '../suites/blob-bytes.ts'
import {
  ACTIVATION_MS,
  admin,
  createServices,
  indexOf,
  manifestOf,
  OCI_MANIFEST,
  pushImage,
  pushLayer,
  refTo,
  type Services,
  stranger,
} from '../support/service-fixture.ts'

const ref = refTo('team/app')
const other = refTo('team/other')
let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  await services.repositories.create(admin, other)
})
afterEach(() => services.close())

const withCode = (code: string) => expect.objectContaining({ code })
const update = (digest: Digest, target: StorageClass) => services.storageClasses.update(admin, ref, { digest }, target)
const archive = (digest: Digest) => update(digest, 'ARCHIVE')
const restore = (digest: Digest) => update(digest, 'STANDARD')
const describeOne = async (digest: Digest) => (await services.imageLists.describeMany(admin, ref, [{ digest }]))[0]
const statusOf = async (digest: Digest) => (await describeOne(digest))?.status
const listed = async (status: StatusFilter) =>
  (await services.imageLists.describe(admin, ref, { status }, { limit: 100 })).items.map(({ digest }) => digest)
const pull = (digest: Digest) => services.images.pull(admin, ref, { digest })
const pushIndex = async (children: readonly Digest[], ...tags: string[]) =>
  (await services.images.push(admin, ref, { manifest: indexOf(children), tags: tags.map(parseTag) })).image.digest

/** Pushes an image that refers to `subject`. */
async function pushReferrer(subject: Digest, name = 'referrer'): Promise<Digest> {
  const config = await pushLayer(services, ref, `config of ${name}`)
  const manifest = manifestOf(config, [], { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 } })
  return (await services.images.push(admin, ref, { manifest, tags: [] })).image.digest
}

describe('an archived image', () => {
  test('cannot be pulled by digest or tag, one by one or in a batch', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    expect(await archive(digest)).toMatchObject({ status: 'ARCHIVED', image: { digest } })
    await expect(pull(digest)).rejects.toEqual(withCode('image-archived'))
    const byTag = services.images.stat(admin, ref, { tag: parseTag('v1') })
    await expect(byTag).rejects.toThrow("imageTag:'v1'} in the repository with name 'team/app' in the registry")
    const { images, failures } = await services.imageBatches.get(admin, ref, [{ digest }, { tag: 'v1' }])
    expect(images).toEqual([])
    expect(failures.map(({ code }) => code)).toEqual(['ImageInaccessible', 'ImageInaccessible'])
  })

  test('is listed with its tags where its status is asked for, and nowhere else', async () => {
    const [a, b] = [await pushImage(services, ref, 'a', 'v1'), await pushImage(services, ref, 'b', 'v2')]
    await archive(a)
    expect(await listed('ACTIVE')).toEqual([b])
    expect(await listed('ARCHIVED')).toEqual([a])
    expect(await listed('ANY')).toEqual([a, b].sort())
    expect(await services.imageLists.listTags(admin, ref, undefined, 10)).toMatchObject({ tags: ['v2'] } as object)
    const ids = await services.imageLists.listIds(admin, ref, { status: 'ARCHIVED' }, { limit: 10 })
    expect(ids.items).toEqual([{ digest: a, tag: parseTag('v1') }])
    expect((await describeOne(a))?.tags).toEqual([parseTag('v1')])
  })

  test('knows when it was archived, and when it was restored', async () => {
    const digest = await pushImage(services, ref, 'a')
    const archivedAt = services.clock.now()
    await archive(digest)
    services.clock.advance(1000)
    await restore(digest)
    expect(await describeOne(digest)).toMatchObject({ archivedAt, activatedAt: undefined })
    services.clock.advance(ACTIVATION_MS)
    const activatedAt = services.clock.now()
    services.clock.advance(5000)
    expect(await describeOne(digest)).toMatchObject({ archivedAt, activatedAt })
  })

  test('is deleted like any other', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    await archive(digest)
    const { deleted } = await services.imageDeletion.deleteMany(admin, ref, [{ tag: 'v1' }])
    expect(deleted).toEqual([{ digest, tag: parseTag('v1') }])
    expect(await listed('ANY')).toEqual([])
  })

  test('keeps a repository from being deleted without force', async () => {
    await archive(await pushImage(services, ref, 'a'))
    await expect(services.repositories.delete(admin, ref, false)).rejects.toEqual(withCode('repository-not-empty'))
  })

  test('keeps its tags from others where tags are immutable', async () => {
    await archive(await pushImage(services, ref, 'a', 'v1'))
    await services.repositories.putMutability(admin, ref, { mode: 'IMMUTABLE' })
    await expect(pushImage(services, ref, 'b', 'v1')).rejects.toEqual(withCode('tag-immutable'))
  })
})

describe('a restoration', () => {
  test('takes its time, and has ended then whoever looks first', async () => {
    const digest = await pushImage(services, ref, 'a')
    const looks = [
      async (one: Digest) => (await pull(one)).image,
      (one: Digest) => services.images.stat(admin, ref, { digest: one }),
    ]
    for (const look of looks) {
      await archive(digest)
      expect(await restore(digest)).toMatchObject({ status: 'ACTIVATING' })
      await expect(look(digest)).rejects.toThrow('is being restored from the archive')
      services.clock.advance(ACTIVATION_MS - 1)
      await expect(look(digest)).rejects.toEqual(withCode('image-archived'))
      expect(await listed('ACTIVATING')).toEqual([digest])
      services.clock.advance(1)
      expect((await look(digest)).digest).toBe(digest)
      expect(await listed('ACTIVE')).toEqual([digest])
      expect(await listed('ACTIVATING')).toEqual([])
    }
  })

  test('that takes no time has ended when it is answered', async () => {
    const { metadata, access, clock } = services
    const prompt = new StorageClasses(
      {
        metadata,
        access,
        activations: new Activations(metadata, clock),
        scanning: services.pushScanning,
        replication: new PushReplication(clock, () => undefined),
        clock,
      },
      { activationMs: 0 },
    )
    const digest = await pushImage(services, ref, 'a')
    await archive(digest)
    expect(await prompt.update(admin, ref, { digest }, 'STANDARD')).toMatchObject({ status: 'ACTIVE' })
    expect((await pull(digest)).image).toMatchObject({ status: 'ACTIVE', activatedAt: clock.now() })
  })

  test('that is under way goes on when it is asked for again', async () => {
    const digest = await pushImage(services, ref, 'a')
    await archive(digest)
    await restore(digest)
    services.clock.advance(ACTIVATION_MS / 2)
    expect(await restore(digest)).toMatchObject({ status: 'ACTIVATING' })
    services.clock.advance(ACTIVATION_MS / 2)
    expect(await statusOf(digest)).toBe('ACTIVE')
  })

  test('by a push is there at once, and is a change', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    const { manifest } = await pull(digest)
    for (const before of [() => archive(digest), () => archive(digest).then(() => restore(digest))]) {
      await before()
      const { isChanged } = await services.images.push(admin, ref, { manifest, tags: [parseTag('v1')] })
      expect(isChanged).toBe(true)
      expect((await pull(digest)).image).toMatchObject({ activatedAt: services.clock.now(), activatesAt: undefined })
    }
    const again = await services.images.push(admin, ref, { manifest, tags: [parseTag('v1')] })
    expect(again.isChanged).toBe(false)
  })

  test('by a push works onto the immutable tag that the image carries', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    const { manifest } = await pull(digest)
    await archive(digest)
    await services.repositories.putMutability(admin, ref, { mode: 'IMMUTABLE' })
    await services.images.push(admin, ref, { manifest, tags: [parseTag('v1')] })
    expect(await statusOf(digest)).toBe('ACTIVE')
  })
})

describe('a change of storage class', () => {
  test('is refused into the class that the image has, and while it is being restored', async () => {
    const digest = await pushImage(services, ref, 'a')
    await expect(restore(digest)).rejects.toEqual(withCode('storage-class-refused'))
    await archive(digest)
    await expect(archive(digest)).rejects.toThrow('cannot be updated: its status is ARCHIVED')
    await restore(digest)
    await expect(archive(digest)).rejects.toThrow('cannot be updated: its status is ACTIVATING')
  })

  test('is refused of what is not there, and to strangers', async () => {
    const { update: change } = services.storageClasses
    const by = change.bind(services.storageClasses)
    const digest = await pushImage(services, ref, 'a', 'v1')
    const wrong = { digest: `sha256:${'9'.repeat(64)}` as Digest, tag: parseTag('v1') }
    await expect(by(admin, ref, wrong, 'ARCHIVE')).rejects.toEqual(withCode('image-not-found'))
    await expect(by(admin, ref, {}, 'ARCHIVE')).rejects.toEqual(withCode('invalid-parameter'))
    await expect(by(admin, refTo('nowhere'), { digest }, 'ARCHIVE')).rejects.toEqual(withCode('repository-not-found'))
    await expect(by(stranger, ref, { digest }, 'ARCHIVE')).rejects.toEqual(withCode('access-denied'))
  })
})

describe('an index in the archive', () => {
  test('takes its children along, at any depth, and brings them back', async () => {
    const child = await pushImage(services, ref, 'child', 'child')
    const inner = await pushIndex([child])
    const outer = await pushIndex([inner], 'outer')
    await archive(outer)
    expect(await listed('ARCHIVED')).toEqual([child, inner, outer].sort())
    await restore(outer)
    expect(await listed('ACTIVATING')).toEqual([child, inner, outer].sort())
    services.clock.advance(ACTIVATION_MS)
    expect(await listed('ACTIVE')).toEqual([child, inner, outer].sort())
  })

  test('leaves behind a child that another living index lists', async () => {
    const [shared, own] = [await pushImage(services, ref, 'shared'), await pushImage(services, ref, 'own')]
    const [a, b] = [await pushIndex([shared, own]), await pushIndex([shared])]
    await archive(a)
    expect(await listed('ARCHIVED')).toEqual([a, own].sort())
    await archive(b)
    expect(await listed('ACTIVE')).toEqual([])
  })

  test('must go before its children', async () => {
    const child = await pushImage(services, ref, 'child')
    const index = await pushIndex([child])
    await expect(archive(child)).rejects.toThrow(`Requested image referenced by manifest list: [${index}]`)
    await archive(index)
    await restore(child)
    services.clock.advance(ACTIVATION_MS)
    expect(await listed('ACTIVE')).toEqual([child])
    await archive(child)
  })

  test('brings its children back at once when it is pushed again, or another index lists them', async () => {
    const [a, b] = [await pushImage(services, ref, 'a'), await pushImage(services, ref, 'b')]
    const index = await pushIndex([a, b], 'v1')
    await archive(index)
    const another = await pushIndex([a], 'v2')
    expect(await listed('ACTIVE')).toEqual([a, another].sort())
    await pushIndex([a, b], 'v1')
    expect(await listed('ACTIVE')).toEqual([a, b, another, index].sort())
  })

  test('still keeps its children from being deleted', async () => {
    const child = await pushImage(services, ref, 'child')
    await archive(await pushIndex([child]))
    await expect(services.imageDeletion.delete(admin, ref, { digest: child })).rejects.toEqual(
      withCode('image-referenced'),
    )
  })
})

describe('a referrer', () => {
  test('follows its subject into the archive and back, and so do its own', async () => {
    const subject = await pushImage(services, ref, 'a')
    const sbom = await pushReferrer(subject, 'sbom')
    const signature = await pushReferrer(sbom, 'signature')
    const active = () => services.imageLists.listReferrers(admin, ref, subject, { status: 'ACTIVE' }, { limit: 10 })
    expect((await active()).items.map(({ digest }) => digest)).toEqual([sbom])
    await archive(subject)
    expect(await listed('ARCHIVED')).toEqual([subject, sbom, signature].sort())
    expect((await active()).items).toEqual([])
    await restore(subject)
    services.clock.advance(ACTIVATION_MS)
    expect((await active()).items.map(({ digest }) => digest)).toEqual([sbom])
    expect(await listed('ACTIVE')).toEqual([subject, sbom, signature].sort())
  })

  test('can be archived alone, and stays where a living index lists it', async () => {
    const subject = await pushImage(services, ref, 'a')
    const [one, two] = [await pushReferrer(subject, 'one'), await pushReferrer(subject, 'two')]
    await archive(one)
    expect(await statusOf(subject)).toBe('ACTIVE')
    const index = await pushIndex([two])
    await archive(subject)
    expect(await listed('ACTIVE')).toEqual([two, index].sort())
  })
})

describe('a layer', () => {
  const layerOf = async (digest: Digest) => {
    const { manifest } = await pull(digest)
    return (JSON.parse(new TextDecoder().decode(manifest)) as { layers: [{ digest: Digest }] }).layers[0].digest
  }
  const availability = async (layer: Digest) => (await services.layers.availability(admin, ref, [layer]))[0]?.state

  test('that only archived images need is archived, and cannot be read', async () => {
    const digest = await pushImage(services, ref, 'a')
    const layer = await layerOf(digest)
    const ticket = await services.layers.ticketFor(admin, ref, layer)
    await archive(digest)
    expect(await availability(layer)).toBe('ARCHIVED')
    for (const read of [
      () => services.layers.open(admin, ref, layer),
      () => services.layers.ticketFor(admin, ref, layer),
      () => services.layers.openByTicket(ticket, layer),
    ])
      await expect(read()).rejects.toEqual(withCode('layer-inaccessible'))
    expect(await services.layers.mount(admin, other, layer, ref)).toBe(false)
    // A push need not send it again.
    expect(await services.layers.stat(admin, ref, layer)).toMatchObject({ digest: layer })
    await restore(digest)
    services.clock.advance(ACTIVATION_MS)
    await services.layers.open(admin, ref, layer)
    expect(await availability(layer)).toBe('AVAILABLE')
  })

  test('that an active image needs as well is available', async () => {
    const digest = await pushImage(services, ref, 'a')
    const layer = await layerOf(digest)
    const config = await pushLayer(services, ref, 'another config')
    await services.images.push(admin, ref, { manifest: manifestOf(config, [layer]), tags: [] })
    await archive(digest)
    expect(await availability(layer)).toBe('AVAILABLE')
    await services.layers.open(admin, ref, layer)
  })

  test('is not collected while an archived image needs it', async () => {
    const digest = await pushImage(services, ref, 'a')
    const layer = await layerOf(digest)
    await archive(digest)
    services.clock.advance(365 * 24 * 3_600_000)
    await services.gc.run(new AbortController().signal)
    expect(await services.blobs.find(plain(layer))).toBeDefined()
  })
})
