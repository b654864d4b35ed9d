import { expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import type { ImageFilter, ImageStatus } from '../../src/domain/image.ts'
import { parseTag, type Tag } from '../../src/domain/names.ts'
import type { ListedImage, ListedImageKey, Page } from '../../src/stores/metadata.ts'
import { plain } from './blob-bytes.ts'
import {
  addBlob,
  addImage,
  addRepository,
  digestOf,
  minute,
  newImage,
  refOf,
  type StoreOf,
  turnPages,
} from './metadata-store-records.ts'

const COUNT = 24
const STATUSES = ['ACTIVE', 'ARCHIVED', 'ACTIVATING'] as const
const FILTERS: readonly Required<ImageFilter>[] = (['ANY', ...STATUSES] as const).flatMap((status) =>
  (['ANY', 'TAGGED', 'UNTAGGED'] as const).map((tagStatus) => ({ status, tagStatus })),
)

export function archiveCases(store: StoreOf): void {
  const images = () => store().view.images
  const setStatus = (id: number, status: ImageStatus, at: number) =>
    store().transact((tx) => tx.images.setStatus(id, status, minute(at)))
  const numbers = Array.from({ length: COUNT }, (_, n) => n)
  const statusOf = (n: number): ImageStatus => STATUSES[n % 3] ?? 'ACTIVE'
  const isTagged = (n: number) => n % 2 === 0
  const isShown = ({ status, tagStatus }: Required<ImageFilter>, n: number) =>
    (status === 'ANY' || status === statusOf(n)) && (tagStatus === 'ANY' || (tagStatus === 'TAGGED') === isTagged(n))

  /** Images of every status, every second one tagged, all of one subject; and a neighbour that must never show. */
  const seed = async (): Promise<number> => {
    const { id } = await addRepository(store(), 'app')
    await addImage(store(), (await addRepository(store(), 'other')).id, 0, { tags: ['v0'] })
    await store().transact(async (tx) => {
      for (const n of numbers) {
        const artifactType = n % 4 === 0 ? 'sbom' : 'signature'
        const image = await tx.images.insert(newImage(id, n, { subject: digestOf('subject'), artifactType }))
        // A tag takes the status of its image, whichever comes first.
        if (n % 4 === 0) await tx.images.putTag(id, parseTag(`v${n}`), image.id, minute(1))
        if (statusOf(n) !== 'ACTIVE') await tx.images.setStatus(image.id, statusOf(n), minute(2))
        if (n % 4 === 2) await tx.images.putTag(id, parseTag(`v${n}`), image.id, minute(3))
      }
    })
    return id
  }
  const digests = (filter: Required<ImageFilter>) =>
    numbers
      .filter((n) => isShown(filter, n))
      .map(digestOf)
      .sort()

  test('an image keeps its status, and when it was archived and restored', async () => {
    const { id } = await addRepository(store(), 'app')
    const image = await addImage(store(), id, 1, { tags: ['v1'] })
    const expectStatus = async (facts: object) => {
      const moments = { archivedAt: undefined, activatedAt: undefined, activatesAt: undefined, ...facts }
      expect(await images().find(id, { tag: parseTag('v1') })).toEqual({ ...image, ...moments })
      expect((await images().resolve(refOf('app'), image))?.found?.image).toMatchObject(facts)
      expect((await images().findMany(id, [image.digest]))[0]).toMatchObject(facts)
    }
    await expectStatus({ status: 'ACTIVE' })
    await setStatus(image.id, 'ARCHIVED', 1)
    await expectStatus({ status: 'ARCHIVED', archivedAt: minute(1) })
    await setStatus(image.id, 'ACTIVATING', 3)
    await expectStatus({ status: 'ACTIVATING', archivedAt: minute(1), activatesAt: minute(3) })
    await setStatus(image.id, 'ACTIVE', 2)
    await expectStatus({ status: 'ACTIVE', archivedAt: minute(1), activatedAt: minute(2) })
    await setStatus(image.id, 'ARCHIVED', 4)
    await expectStatus({ status: 'ARCHIVED', archivedAt: minute(4), activatedAt: minute(2) })
    await setStatus(image.id + 100, 'ARCHIVED', 5)
  })

  test('images are listed by status and tag status alike', async () => {
    const id = await seed()
    for (const filter of FILTERS)
      for (const limit of [1, 5, 100]) {
        const turn = (page: Page<Digest>) => images().list(id, filter, page)
        const listed = await turnPages(limit, turn, ({ digest }) => digest)
        expect(listed.map(({ digest }) => digest)).toEqual(digests(filter))
        for (const image of listed) expect(image.tags).toEqual(await images().tagsOf(image.id))
      }
    expect(await images().list(id, {}, { limit: 100 })).toHaveLength(COUNT)
  })

  test('ids are listed by status and tag status alike', async () => {
    const id = await seed()
    const keyOf = ({ tag, digest }: ListedImage): ListedImageKey => (tag === undefined ? { untagged: digest } : { tag })
    for (const filter of FILTERS) {
      const tagged = numbers
        .filter((n) => isTagged(n) && isShown(filter, n))
        .map((n) => ({ digest: digestOf(n), tag: parseTag(`v${n}`) }))
        .sort((a, b) => (a.tag < b.tag ? -1 : 1))
      const untagged = filter.tagStatus === 'TAGGED' ? [] : digests({ ...filter, tagStatus: 'UNTAGGED' })
      for (const limit of [1, 5, 100]) {
        const listed = await turnPages(limit, (page) => images().listIds(id, filter, page), keyOf)
        expect(listed).toEqual([...tagged, ...untagged.map((digest) => ({ digest }))])
      }
    }
  })

  test('tags are those of active images', async () => {
    const id = await seed()
    const tags = numbers
      .filter((n) => isTagged(n) && statusOf(n) === 'ACTIVE')
      .map((n) => parseTag(`v${n}`))
      .sort()
    const listed = await turnPages(
      3,
      (page: Page<Tag>) => images().listTags(id, page),
      (tag) => tag,
    )
    expect(listed).toEqual(tags)
    // A tag that moves takes the status of the image it comes to.
    const [archived, active] = [1, 3].map(digestOf)
    const to = async (digest: Digest | undefined) => {
      const image = digest && (await images().find(id, { digest }))
      if (image !== undefined) await store().transact((tx) => tx.images.putTag(id, parseTag('a'), image.id, minute(4)))
      return (await images().listTags(id, { limit: 1 }))[0]
    }
    expect(await to(active)).toBe(parseTag('a'))
    expect(await to(archived)).toBe(parseTag('v0'))
  })

  test('referrers are listed by status and type alike', async () => {
    const id = await seed()
    for (const status of ['ANY', ...STATUSES] as const)
      for (const artifactTypes of [[], ['sbom'], ['none', 'signature', 'sbom']]) {
        const turn = (page: Page<Digest>) =>
          images().listReferrers(id, digestOf('subject'), { status, artifactTypes }, page)
        const listed = await turnPages(4, turn, ({ digest }) => digest)
        const isOfType = (n: number) => artifactTypes.length !== 1 || n % 4 === 0
        const expected = numbers.filter((n) => isOfType(n) && isShown({ status, tagStatus: 'ANY' }, n))
        expect(listed.map(({ digest }) => digest)).toEqual(expected.map(digestOf).sort())
      }
  })

  test('restorations end in the order of their times, in every repository, in steps', async () => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    const restored = [
      await addImage(store(), id, 1),
      await addImage(store(), other.id, 1),
      await addImage(store(), id, 2),
    ]
    for (const [n, image] of restored.entries()) await setStatus(image.id, 'ACTIVATING', 10 + n)
    const end = (at: number, limit: number) => store().transact((tx) => tx.images.activateDue(minute(at), limit))
    expect(await images().isActivationDue(minute(9))).toBe(false)
    expect(await end(9, 10)).toBe(0)
    expect(await images().isActivationDue(minute(10))).toBe(true)
    expect(await end(11, 1)).toBe(1)
    expect(await end(11, 10)).toBe(1)
    expect(await images().isActivationDue(minute(11))).toBe(false)
    const [first, , third] = restored
    expect(first && (await images().find(id, first))).toMatchObject({ status: 'ACTIVE', activatedAt: minute(10) })
    expect(third && (await images().find(id, third))).toMatchObject({ status: 'ACTIVATING' })
  })

  test('an index knows its children, and a child the indexes that are not archived', async () => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    const child = await addImage(store(), id, 'child')
    await addImage(store(), other.id, 'child')
    const listed = { children: [child.digest, digestOf('absent')] }
    const [a, b] = [await addImage(store(), id, 'a', listed), await addImage(store(), id, 'b', listed)]
    expect((await images().childrenOf(id, a.digest)).map(({ digest }) => digest)).toEqual([child.digest])
    expect(await images().childrenOf(id, child.digest)).toEqual([])
    const living = () => images().livingParentsOf(id, child.digest, 10)
    expect(await living()).toEqual([a.digest, b.digest].sort())
    expect(await images().livingParentsOf(id, child.digest, 1)).toHaveLength(1)
    expect(await images().livingParentsOf(other.id, child.digest, 1)).toEqual([])
    await setStatus(a.id, 'ARCHIVED', 1)
    expect(await living()).toEqual([b.digest])
    await setStatus(a.id, 'ACTIVATING', 2)
    await setStatus(b.id, 'ARCHIVED', 2)
    expect(await living()).toEqual([a.digest])
    expect(await images().parentsOf(id, child.digest, 10)).toHaveLength(2)
  })

  test('blobs count the archived images among those that need them', async () => {
    const { id } = await addRepository(store(), 'app')
    const layer = digestOf('layer')
    await addBlob(store(), id, layer)
    const blobs = [{ digest: layer, mediaType: 'layer' }]
    const [a, b] = [await addImage(store(), id, 'a', { blobs }), await addImage(store(), id, 'b', { blobs })]
    const expectCounts = async (imageCount: number, archivedImageCount: number) => {
      const counts = { imageCount, archivedImageCount }
      expect(await store().view.blobs.findLinked(id, layer)).toMatchObject(counts)
      expect((await store().view.blobs.resolve(refOf('app'), layer))?.blob).toMatchObject(counts)
    }
    await expectCounts(2, 0)
    for (const status of ['ARCHIVED', 'ACTIVATING', 'ARCHIVED'] as const) {
      await setStatus(a.id, status, 1)
      await expectCounts(2, 1)
    }
    await setStatus(b.id, 'ACTIVATING', 1)
    await expectCounts(2, 2)
    expect(await store().transact((tx) => tx.images.activateDue(minute(1), 10))).toBe(1)
    await expectCounts(2, 1)
    // A link that comes back counts anew.
    await store().transact(async (tx) => {
      await tx.blobs.lose(plain(layer), minute(9))
      await tx.blobs.forget(plain(layer))
    })
    await addBlob(store(), id, layer, minute(10))
    await expectCounts(2, 1)
    await store().transact((tx) => tx.images.delete(a.id, minute(11)))
    await expectCounts(1, 0)
  })
}
