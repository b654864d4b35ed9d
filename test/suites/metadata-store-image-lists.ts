import { expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { parseTag, type Tag } from '../../src/domain/names.ts'
import type { ListedImage, ListedImageKey, Page } from '../../src/stores/metadata.ts'
import {
  addImage,
  addRepository,
  digestOf,
  minute,
  newImage,
  type StoreOf,
  turnPages,
} from './metadata-store-records.ts'

const COUNT = 25

export function imageListCases(store: StoreOf): void {
  const images = () => store().view.images

  /** Images 0 to 24; every third one is tagged, every sixth one twice; and a neighbour that must never show. */
  const seed = async (): Promise<number> => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    await store().transact(async (tx) => {
      for (const repositoryId of [id, other.id])
        for (let n = 0; n < COUNT; n++) {
          const image = await tx.images.insert(newImage(repositoryId, `${repositoryId}/${n}`))
          if (n % 3 === 0) await tx.images.putTag(repositoryId, parseTag(`v${n}`), image.id, minute(1))
          if (n % 6 === 0) await tx.images.putTag(repositoryId, parseTag(`V${n}`), image.id, minute(1))
        }
    })
    return id
  }
  const digests = (id: number, choose: (n: number) => boolean = () => true) =>
    Array.from({ length: COUNT }, (_, n) => n)
      .filter(choose)
      .map((n) => digestOf(`${id}/${n}`))
      .sort()
  const tagged = (n: number) => n % 3 === 0
  const keyOf = ({ tag, digest }: ListedImage): ListedImageKey => (tag === undefined ? { untagged: digest } : { tag })

  test('images go by digest, by tag status, each with its tags', async () => {
    const id = await seed()
    for (const [status, expected] of [
      ['ANY', digests(id)],
      ['TAGGED', digests(id, tagged)],
      ['UNTAGGED', digests(id, (n) => !tagged(n))],
    ] as const)
      for (const limit of [1, 4, COUNT, 100]) {
        const listed = await turnPages(
          limit,
          (page: Page<Digest>) => images().list(id, { tagStatus: status }, page),
          ({ digest }) => digest,
        )
        expect(listed.map(({ digest }) => digest)).toEqual(expected)
        for (const image of listed) expect(image.tags).toEqual(await images().tagsOf(image.id))
      }
    const twice = (await images().list(id, {}, { limit: 100 })).find(({ digest }) => digest === digestOf(`${id}/6`))
    expect(twice?.tags).toEqual(['V6', 'v6'] as Tag[])
    expect(await images().list(id + 5, {}, { limit: 5 })).toEqual([])
  })

  test('ids go by tag and then by untagged digest', async () => {
    const id = await seed()
    const byTag = Array.from({ length: COUNT }, (_, n) => n)
      .filter(tagged)
      .flatMap((n) => (n % 6 === 0 ? [`v${n}`, `V${n}`] : [`v${n}`]).map((tag) => ({ n, tag: parseTag(tag) })))
      .sort((a, b) => (a.tag < b.tag ? -1 : 1))
      .map(({ n, tag }) => ({ digest: digestOf(`${id}/${n}`), tag }))
    const untagged = digests(id, (n) => !tagged(n)).map((digest) => ({ digest }))
    for (const [status, expected] of [
      ['ANY', [...byTag, ...untagged]],
      ['TAGGED', byTag],
      ['UNTAGGED', untagged],
    ] as const)
      for (const limit of [1, 3, 13, 100]) {
        const listed = await turnPages(limit, (page) => images().listIds(id, { tagStatus: status }, page), keyOf)
        expect(listed).toEqual(expected)
      }
  })

  test('a key of one kind leads on to the other', async () => {
    const id = await seed()
    const untagged = digests(id, (n) => !tagged(n))
    const after = (key: ListedImageKey, status: 'ANY' | 'TAGGED' | 'UNTAGGED') =>
      images().listIds(id, { tagStatus: status }, { after: key, limit: 2 })
    expect((await after({ tag: parseTag('v9') }, 'ANY')).map(({ digest }) => digest)).toEqual(untagged.slice(0, 2))
    expect((await after({ untagged: undefined }, 'ANY')).map(({ digest }) => digest)).toEqual(untagged.slice(0, 2))
    expect((await after({ tag: parseTag('v0') }, 'UNTAGGED')).map(({ digest }) => digest)).toEqual(untagged.slice(0, 2))
    expect(await after({ untagged: undefined }, 'TAGGED')).toEqual([])
  })

  test('tags go by code point, behind keys that need not exist', async () => {
    const { id } = await addRepository(store(), 'app')
    const names = ['1', '10', '2', 'A', 'Z', '_', 'a', 'a-', 'a.', 'aB', 'ab', 'z']
    await addImage(store(), id, 1, { tags: [...names].reverse() })
    for (const limit of [1, 5, 12, 100])
      expect(
        await turnPages(
          limit,
          (page: Page<Tag>) => images().listTags(id, page),
          (tag) => tag,
        ),
      ).toEqual([...names].sort() as Tag[])
    expect(await images().listTags(id, { after: parseTag('Zz'), limit: 2 })).toEqual(['_', 'a'] as Tag[])
    expect(await images().listTags(id, { after: parseTag('zz'), limit: 2 })).toEqual([])
  })

  test('pages go on when the rows they ended at are deleted meanwhile', async () => {
    const id = await seed()
    const seen: string[] = []
    const listed = await turnPages(
      4,
      async (page: Page<Digest>) => {
        const rows = await images().list(id, {}, page)
        seen.push(...rows.map(({ digest }) => digest))
        return rows
      },
      ({ digest }) => digest,
      () =>
        store().transact(async (tx) => {
          for (const image of await tx.images.list(id, {}, { limit: 4 })) await tx.images.delete(image.id, minute(2))
        }),
    )
    expect(listed.map(({ digest }) => digest)).toEqual(digests(id))
    expect(seen).toEqual(digests(id))

    const ids = await seedAgain()
    const tags = await turnPages(
      3,
      (page) => images().listIds(ids, { tagStatus: 'TAGGED' }, page),
      keyOf,
      () =>
        store().transact(async (tx) => {
          for (const tag of await tx.images.listTags(ids, { limit: 3 })) await tx.images.deleteTag(ids, tag)
        }),
    )
    expect(tags).toHaveLength(14)
  })

  const seedAgain = async () => {
    const { id } = await addRepository(store(), 'again')
    for (let n = 0; n < 14; n++) await addImage(store(), id, n, { tags: [`t${n}`] })
    return id
  }

  test('referrers of a subject go by digest, optionally of one type', async () => {
    const { id } = await addRepository(store(), 'app')
    const subject = digestOf('subject')
    for (let n = 0; n < 9; n++)
      await addImage(store(), id, n, {
        subject,
        artifactType: n % 2 === 0 ? 'sbom' : 'signature',
        annotations: { n: `${n}` },
      })
    await addImage(store(), id, 'another', { subject: digestOf('other'), artifactType: 'sbom' })
    await addImage(store(), id, 'plain')
    const numbers = Array.from({ length: 9 }, (_, n) => n)
    const even = numbers.filter((n) => n % 2 === 0)
    for (const [artifactTypes, expected] of [
      [undefined, numbers],
      [[], numbers],
      [['sbom'], even],
      [['none', 'sbom', 'nothing'], even],
      [['none'], []],
    ] as const)
      for (const limit of [1, 2, 100]) {
        const listed = await turnPages(
          limit,
          (page: Page<Digest>) => images().listReferrers(id, subject, { artifactTypes }, page),
          ({ digest }) => digest,
        )
        expect(listed.map(({ digest }) => digest)).toEqual(expected.map(digestOf).sort())
      }
    const [first] = await images().listReferrers(id, subject, {}, { limit: 1 })
    expect(first?.annotations).toEqual({ n: String(numbers.find((n) => digestOf(n) === first?.digest)) })
    expect(await images().listReferrers(id, digestOf('nobody'), {}, { limit: 5 })).toEqual([])
  })
}
