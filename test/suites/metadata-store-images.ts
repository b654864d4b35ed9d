import { expect, test } from 'bun:test'
import { parseTag, type Tag } from '../../src/domain/names.ts'
import { plain } from './blob-bytes.ts'
import {
  addBlob,
  addImage,
  addRepository,
  digestOf,
  minute,
  newImage,
  OTHER_REGISTRY,
  refOf,
  type StoreOf,
} from './metadata-store-records.ts'

export function imageCases(store: StoreOf): void {
  const images = () => store().view.images
  const v1 = parseTag('v1')

  test('an image comes back as it went in, by digest and by tag', async () => {
    const { id } = await addRepository(store(), 'app')
    const given = newImage(id, 1, {
      artifactMediaType: 'application/vnd.oci.image.config.v1+json',
      artifactType: 'application/spdx+json',
      annotations: { 'org.example': 'ä \u{1f600}' },
      subject: digestOf('subject'),
      sizeBytes: 2 ** 40,
      pulledAt: minute(3),
    })
    const { manifest, vault: ___, blobs: _, children: __, ...facts } = given
    const image = await store().transact((tx) => tx.images.insert(given))
    await store().transact((tx) => tx.images.putTag(id, v1, image.id, minute(1)))
    expect(image).toEqual({ ...facts, id: image.id, status: 'ACTIVE' })
    expect(await images().find(id, { digest: given.digest })).toEqual(image)
    expect(await images().find(id, { tag: v1 })).toEqual(image)
    for (const reference of [{ digest: given.digest }, { tag: v1 }]) {
      const resolved = await images().resolve(refOf('app'), reference)
      expect(resolved?.repository).toMatchObject({ id, name: 'app' } as object)
      expect(resolved?.found?.image).toEqual(image)
      expect(resolved?.found?.body).toEqual(manifest)
    }
  })

  test('absent: no repository, no image, an image of another repository', async () => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    await addImage(store(), other.id, 1, { tags: ['v1'] })
    expect(await images().resolve(refOf('nowhere'), { tag: v1 })).toBeUndefined()
    expect(await images().resolve(refOf('other', OTHER_REGISTRY), { tag: v1 })).toBeUndefined()
    for (const reference of [{ digest: digestOf(1) }, { tag: v1 }]) {
      expect(await images().find(id, reference)).toBeUndefined()
      const resolved = await images().resolve(refOf('app'), reference)
      expect(resolved?.repository.id).toBe(id)
      expect(resolved?.found).toBeUndefined()
    }
  })

  test('the same digest lives in two repositories, each with its own record', async () => {
    const [first, second] = [await addRepository(store(), 'first'), await addRepository(store(), 'second')]
    const a = await addImage(store(), first.id, 1, { tags: ['v1'] })
    const b = await addImage(store(), second.id, 1)
    expect(a.id).not.toBe(b.id)
    await store().transact((tx) => tx.images.delete(a.id, minute(2)))
    expect(await images().find(second.id, { digest: digestOf(1) })).toEqual(b)
    expect(await images().find(first.id, { digest: digestOf(1) })).toBeUndefined()
  })

  test('a digest cannot be recorded twice in a repository', async () => {
    const { id } = await addRepository(store(), 'app')
    await addImage(store(), id, 1)
    await expect(addImage(store(), id, 1)).rejects.toThrow()
    expect(await images().count(id)).toBe(1)
  })

  test('a manifest of 4 MiB comes back whole', async () => {
    const { id } = await addRepository(store(), 'app')
    const manifest = new Uint8Array(4 * 1024 * 1024).map((_, index) => index % 251)
    await addImage(store(), id, 1, { manifest })
    const resolved = await images().resolve(refOf('app'), { digest: digestOf(1) })
    expect(Buffer.compare(resolved?.found?.body ?? new Uint8Array(), manifest)).toBe(0)
  })

  test('a tag moves, and images know their tags and how many', async () => {
    const { id } = await addRepository(store(), 'app')
    const a = await addImage(store(), id, 1, { tags: ['v1', 'latest', 'V0'] })
    const b = await addImage(store(), id, 2)
    expect(await images().tagsOf(a.id)).toEqual(['V0', 'latest', 'v1'] as Tag[])
    expect(await images().countTags(a.id)).toBe(3)
    await store().transact((tx) => tx.images.putTag(id, parseTag('latest'), b.id, minute(2)))
    await store().transact((tx) => tx.images.putTag(id, parseTag('latest'), b.id, minute(3)))
    expect(await images().tagsOf(a.id)).toEqual(['V0', 'v1'] as Tag[])
    expect(await images().countTags(a.id)).toBe(2)
    expect(await images().countTags(b.id)).toBe(1)
    expect((await images().find(id, { tag: parseTag('latest') }))?.id).toBe(b.id)
  })

  test('a deleted tag leaves its image, untagged when it was the last', async () => {
    const { id } = await addRepository(store(), 'app')
    const { digest } = await addImage(store(), id, 1, { tags: ['v1'] })
    await store().transact((tx) => tx.images.deleteTag(id, v1))
    await store().transact((tx) => tx.images.deleteTag(id, v1))
    expect(await images().find(id, { tag: v1 })).toBeUndefined()
    expect((await images().list(id, { tagStatus: 'UNTAGGED' }, { limit: 10 })).map((image) => image.digest)).toEqual([
      digest,
    ])
    expect(await images().list(id, { tagStatus: 'TAGGED' }, { limit: 10 })).toEqual([])
  })

  test('a deleted image takes its tags, manifest and references along', async () => {
    const { id } = await addRepository(store(), 'app')
    const child = await addImage(store(), id, 'child', { tags: ['child'] })
    const index = await addImage(store(), id, 'index', { children: [child.digest], tags: ['a', 'b'] })
    expect(await images().parentsOf(id, child.digest, 10)).toEqual([index.digest])
    await store().transact((tx) => tx.images.delete(index.id, minute(2)))
    await store().transact((tx) => tx.images.delete(index.id, minute(2)))
    expect(await images().find(id, { digest: index.digest })).toBeUndefined()
    expect(await images().parentsOf(id, child.digest, 10)).toEqual([])
    expect(await images().listTags(id, { limit: 10 })).toEqual(['child'] as Tag[])
    expect(await images().count(id)).toBe(1)
    await addImage(store(), id, 'index', { tags: ['a'] })
    expect(await images().count(id)).toBe(2)
  })

  test('parents of a child are listed in order, up to a limit, in their repository', async () => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    const child = digestOf('child')
    const parents = [1, 2, 3, 4].map(digestOf)
    for (const n of [1, 2, 3, 4]) await addImage(store(), id, n, { children: [child, digestOf(`c${n}`)] })
    await addImage(store(), other.id, 5, { children: [child] })
    expect(await images().parentsOf(id, child, 10)).toEqual(parents.sort())
    expect(await images().parentsOf(id, child, 2)).toEqual(parents.sort().slice(0, 2))
    expect(await images().parentsOf(id, digestOf('nobody'), 2)).toEqual([])
  })

  test('sizes of those that are there', async () => {
    const { id } = await addRepository(store(), 'app')
    await addImage(store(), id, 1, { sizeBytes: 11 })
    await addImage(store(), id, 2, { sizeBytes: 22 })
    expect(await images().sizesOf(id, [])).toEqual(new Map())
    expect(await images().sizesOf(id, [1, 2, 3].map(digestOf))).toEqual(
      new Map([
        [digestOf(1), 11],
        [digestOf(2), 22],
      ]),
    )
  })

  test('many are found by one look, also more than fit into one list', async () => {
    const { id } = await addRepository(store(), 'app')
    await store().transact(async (tx) => {
      for (let n = 0; n < 700; n++) {
        const image = await tx.images.insert(newImage(id, n))
        if (n % 3 === 0) await tx.images.putTag(id, parseTag(`v${n}`), image.id, minute(1))
      }
    })
    const asked = Array.from({ length: 1300 }, (_, n) => digestOf(n))
    const found = await images().findMany(id, asked)
    expect(new Set(found.map(({ digest }) => digest))).toEqual(new Set(asked.slice(0, 700)))
    expect(found).toHaveLength(700)
    expect(found.find(({ digest }) => digest === digestOf(300))?.tags).toEqual(['v300'] as Tag[])
    expect(found.find(({ digest }) => digest === digestOf(301))?.tags).toEqual([])
    expect(await images().findMany(id, [])).toEqual([])
    expect(await images().findMany(id, [digestOf('none')])).toEqual([])
    expect((await images().sizesOf(id, asked)).size).toBe(700)
  })

  test('the newest pull is kept', async () => {
    const { id } = await addRepository(store(), 'app')
    const [a, b] = [await addImage(store(), id, 1), await addImage(store(), id, 2)]
    const record = (pulls: [number, Date][]) =>
      store().transact((tx) => tx.images.recordPulls(new Map(pulls)), { durability: 'relaxed' })
    await record([[a.id, minute(5)]])
    await record([
      [a.id, minute(4)],
      [b.id, minute(6)],
      [999, minute(6)],
    ])
    expect((await images().find(id, a))?.pulledAt).toEqual(minute(5))
    expect((await images().find(id, b))?.pulledAt).toEqual(minute(6))
  })

  test('blobs count the images that need them', async () => {
    const { id } = await addRepository(store(), 'app')
    const [config, layer, unheld] = [digestOf('config'), digestOf('layer'), digestOf('foreign')]
    for (const digest of [config, layer]) await addBlob(store(), id, digest, minute(1))
    const linked = (digest: typeof layer) => store().view.blobs.findLinked(id, digest)
    expect(await linked(layer)).toMatchObject({ digest: layer, sizeBytes: 100, imageCount: 0 })
    const needs = [
      { digest: config, mediaType: 'config' },
      { digest: layer, mediaType: 'layer' },
      { digest: unheld, mediaType: 'layer' },
    ]
    const a = await addImage(store(), id, 1, { blobs: needs })
    const b = await addImage(store(), id, 2, { blobs: needs.slice(1).map((need) => ({ ...need, mediaType: 'other' })) })
    expect(await linked(config)).toMatchObject({ imageCount: 1, mediaType: 'config' })
    expect(await linked(layer)).toMatchObject({ imageCount: 2, mediaType: 'layer' })
    expect(await linked(unheld)).toBeUndefined()
    await store().transact((tx) => tx.images.delete(a.id, minute(10)))
    expect(await linked(config)).toMatchObject({ imageCount: 0 })
    expect(await linked(layer)).toMatchObject({ imageCount: 1 })
    expect(await store().view.blobs.listUnusedLinks(minute(10), 10)).toEqual([])
    expect(await store().view.blobs.listUnusedLinks(minute(11), 10)).toEqual([{ repositoryId: id, digest: config }])
    await store().transact((tx) => tx.images.delete(b.id, minute(12)))
    expect(await store().view.blobs.listUnusedLinks(minute(13), 10)).toHaveLength(2)
  })

  test('an image of very many layers is recorded', async () => {
    const { id } = await addRepository(store(), 'app')
    const blobs = Array.from({ length: 1300 }, (_, n) => ({ digest: digestOf(`l${n}`), mediaType: `type-${n % 3}` }))
    await store().transact(async (tx) => {
      for (const { digest } of blobs) {
        await tx.blobs.claim(plain(digest), minute(1))
        await tx.blobs.link(id, plain(digest), 1, minute(1))
      }
    })
    const image = await addImage(store(), id, 1, { blobs, children: blobs.map(({ digest }) => digest) })
    const linked = await store().view.blobs.findLinkedMany(
      id,
      blobs.map(({ digest }) => digest),
    )
    expect(linked.size).toBe(1300)
    for (const { digest, mediaType } of blobs) expect(linked.get(digest)).toMatchObject({ imageCount: 1, mediaType })
    await store().transact((tx) => tx.images.delete(image.id, minute(2)))
    expect(await store().view.blobs.listUnusedLinks(minute(3), 2000)).toHaveLength(1300)
  })
}
