import { expect, test } from 'bun:test'
import { type BlobAddress, PLAIN, SERVER_VAULT, vaultOf } from '../../src/domain/vault.ts'
import type { Page } from '../../src/stores/metadata.ts'
import { plain } from './blob-bytes.ts'
import {
  addBlob,
  addImage,
  addRepository,
  digestOf,
  expectCode,
  minute,
  newRepository,
  OTHER_REGISTRY,
  REGISTRY,
  refOf,
  type StoreOf,
  turnPages,
} from './metadata-store-records.ts'

export function blobCases(store: StoreOf): void {
  const blobs = () => store().view.blobs
  const digest = digestOf('layer')
  const claim = (minutes: number) => store().transact((tx) => tx.blobs.claim(plain(digest), minute(minutes)))
  const link = (repositoryId: number, minutes: number) =>
    store().transact((tx) => tx.blobs.link(repositoryId, plain(digest), 100, minute(minutes)))
  const mark = (minutes: number) => store().transact((tx) => tx.blobs.mark(plain(digest), minute(minutes)))
  const dead = async (minutes: number) => (await blobs().listDead(minute(minutes), 10)).map((one) => one.digest)

  test('a linked blob is found in its repository only', async () => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    expect(await addBlob(store(), id, digest)).toBe(true)
    const linked = { ...plain(digest), sizeBytes: 100, imageCount: 0, archivedImageCount: 0 }
    expect(await blobs().findLinked(id, digest)).toEqual(linked)
    expect(await blobs().findLinked(other.id, digest)).toBeUndefined()
    expect((await blobs().resolve(refOf('app'), digest))?.repository.id).toBe(id)
    expect((await blobs().resolve(refOf('app'), digest))?.blob).toEqual(linked)
    expect((await blobs().resolve(refOf('other'), digest))?.repository.id).toBe(other.id)
    expect((await blobs().resolve(refOf('other'), digest))?.blob).toBeUndefined()
    expect(await blobs().resolve(refOf('nowhere'), digest)).toBeUndefined()
    expect(await blobs().findLinkedMany(id, [digest, digestOf('none')])).toEqual(new Map([[digest, linked]]))
    expect(await blobs().findLinkedMany(id, [])).toEqual(new Map())
  })

  test('a holder is a living repository of the same registry', async () => {
    const other = await addRepository(store(), 'app', OTHER_REGISTRY)
    await addBlob(store(), other.id, digest)
    expect(await blobs().findHolder(REGISTRY, digest, { type: 'AES256' })).toBeUndefined()
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest)
    expect((await blobs().findHolder(REGISTRY, digest, { type: 'AES256' }))?.repository.id).toBe(id)
    expect((await blobs().findHolder(REGISTRY, digest, { type: 'AES256' }))?.blob).toMatchObject({
      digest,
      sizeBytes: 100,
    })
    await store().transact((tx) => tx.repositories.delete(id))
    expect(await blobs().findHolder(REGISTRY, digest, { type: 'AES256' })).toBeUndefined()
    expect(await blobs().resolve(refOf('app'), digest)).toBeUndefined()
  })

  test('linking again says so and begins the grace period anew', async () => {
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest, minute(1))
    expect(await blobs().listUnusedLinks(minute(2), 10)).toEqual([{ repositoryId: id, digest }])
    expect(await link(id, 5)).toBe(false)
    expect(await blobs().listUnusedLinks(minute(5), 10)).toEqual([])
    expect(await blobs().list({ limit: 10 })).toEqual([{ ...plain(digest), sizeBytes: 100, linkCount: 1 }])
  })

  test('linking again does not make a needed link unused', async () => {
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest, minute(1))
    await addImage(store(), id, 1, { blobs: [{ digest, mediaType: 'layer' }] })
    expect(await link(id, 5)).toBe(false)
    expect(await blobs().listUnusedLinks(minute(9), 10)).toEqual([])
  })

  test('a link is removed only while no image needs it', async () => {
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest)
    const unlink = () => store().transact((tx) => tx.blobs.unlink(id, digest, minute(4)))
    const image = await addImage(store(), id, 1, { blobs: [{ digest, mediaType: 'layer' }] })
    expect(await unlink()).toBe(false)
    await store().transact((tx) => tx.images.delete(image.id, minute(3)))
    expect(await unlink()).toBe(true)
    expect(await unlink()).toBe(false)
    expect(await blobs().findLinked(id, digest)).toBeUndefined()
    expect(await dead(4)).toEqual([])
    expect(await dead(5)).toEqual([digest])
  })

  test('an unused link goes when it has been unused long enough, and the blob is dead since then', async () => {
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest, minute(3))
    const unlinkUnused = (minutes: number) =>
      store().transact((tx) => tx.blobs.unlinkUnused(id, digest, minute(minutes)))
    expect(await unlinkUnused(3)).toBe(false)
    expect(await unlinkUnused(4)).toBe(true)
    expect(await unlinkUnused(4)).toBe(false)
    expect(await dead(3)).toEqual([])
    expect(await dead(4)).toEqual([digest])
  })

  test('a claim protects a blob that loses its last link', async () => {
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest, minute(1))
    expect(await claim(8)).toBe(true)
    expect(await store().transact((tx) => tx.blobs.unlinkUnused(id, digest, minute(5)))).toBe(true)
    expect(await mark(8)).toBe(false)
    expect(await mark(9)).toBe(true)
  })

  test('claim and mark exclude each other', async () => {
    expect(await claim(1)).toBe(true)
    expect(await blobs().exists(plain(digest))).toBe(true)
    expect(await mark(1)).toBe(false)
    expect(await mark(2)).toBe(true)
    expect(await mark(0)).toBe(true)
    expect(await claim(10)).toBe(false)
    expect(await dead(0)).toEqual([digest])
    await store().transact((tx) => tx.blobs.forget(plain(digest)))
    expect(await blobs().exists(plain(digest))).toBe(false)
    expect(await claim(10)).toBe(true)
  })

  test('of a claim and a mark at once, the first wins', async () => {
    await claim(1)
    expect(await Promise.all([mark(5), claim(6)])).toEqual([true, false])
    await store().transact((tx) => tx.blobs.forget(plain(digest)))
    await claim(1)
    expect(await Promise.all([claim(6), mark(5)])).toEqual([true, false])
  })

  test('link and mark exclude each other', async () => {
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest)
    expect(await mark(1000)).toBe(false)
    await store().transact((tx) => tx.blobs.unlink(id, digest, minute(2)))
    expect(await mark(1000)).toBe(true)
    await expectCode(link(id, 1001), 'blob-not-found')
    expect(await blobs().findLinked(id, digest)).toBeUndefined()
    await store().transact((tx) => tx.blobs.forget(plain(digest)))
    await expectCode(link(id, 1001), 'blob-not-found')
  })

  test('of a link and a mark at once, the first wins', async () => {
    const { id } = await addRepository(store(), 'app')
    await claim(1)
    expect(await Promise.all([link(id, 5), mark(5)])).toEqual([true, false])
  })

  test('only a marked blob is forgotten', async () => {
    await claim(1)
    await store().transact((tx) => tx.blobs.forget(plain(digest)))
    expect(await blobs().exists(plain(digest))).toBe(true)
    await store().transact((tx) => tx.blobs.forget(plain(digestOf('unknown'))))
  })

  test('bytes without a record are adopted once, dead since they were stored', async () => {
    const adopt = () => store().transact((tx) => tx.blobs.adopt(plain(digest), 7, minute(3)))
    expect(await adopt()).toBe(true)
    expect(await adopt()).toBe(false)
    expect(await dead(3)).toEqual([])
    expect(await blobs().listDead(minute(4), 10)).toEqual([{ ...plain(digest), sizeBytes: 7 }])
    expect(await claim(5)).toBe(true)
    expect(await dead(4)).toEqual([])
  })

  test('a lost blob loses its links, stays marked until it is forgotten, and comes back to the images that need it', async () => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    for (const repositoryId of [id, other.id]) await addBlob(store(), repositoryId, digest, minute(1))
    const image = await addImage(store(), id, 1, { blobs: [{ digest, mediaType: 'layer' }] })
    const lose = (minutes: number) => store().transact((tx) => tx.blobs.lose(plain(digest), minute(minutes)))
    await claim(10)
    expect(await lose(9)).toBe(false)
    expect(await blobs().findLinked(id, digest)).toBeDefined()
    expect(await lose(11)).toBe(true)
    expect(await blobs().findLinked(id, digest)).toBeUndefined()
    expect(await blobs().findLinked(other.id, digest)).toBeUndefined()
    expect(await claim(12)).toBe(false)
    await store().transact((tx) => tx.blobs.forget(plain(digest)))
    expect(await lose(20)).toBe(false)

    expect(await claim(13)).toBe(true)
    expect(await link(id, 13)).toBe(true)
    expect(await blobs().findLinked(id, digest)).toMatchObject({ imageCount: 1, mediaType: 'layer' })
    expect(await blobs().listUnusedLinks(minute(100), 10)).toEqual([])
    await store().transact((tx) => tx.images.delete(image.id, minute(14)))
    expect(await blobs().findLinked(id, digest)).toMatchObject({ imageCount: 0 })
  })

  test('marked blobs are listed before dead ones, within the limit', async () => {
    const many = Array.from({ length: 6 }, (_, n) => digestOf(n))
    await store().transact(async (tx) => {
      for (const [n, one] of many.entries()) await tx.blobs.adopt(plain(one), n, minute(n))
      await tx.blobs.mark(plain(digestOf(4)), minute(50))
    })
    const listed = async (limit: number) => (await blobs().listDead(minute(3), limit)).map((one) => one.sizeBytes)
    expect(await listed(10)).toEqual([4, 0, 1, 2])
    expect(await listed(2)).toEqual([4, 0])
    expect(await listed(1)).toEqual([4])
  })

  test('the same content in two vaults lives two lives', async () => {
    const sealed = { vault: SERVER_VAULT, digest }
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    await addBlob(store(), id, digest, minute(1))
    await store().transact(async (tx) => {
      await tx.blobs.claim(sealed, minute(1))
      await tx.blobs.link(other.id, sealed, 100, minute(1))
    })
    expect(await blobs().totals()).toEqual({ blobCount: 2, sizeBytes: 200 })
    expect((await blobs().findLinked(other.id, digest))?.vault).toBe(SERVER_VAULT)
    await store().transact((tx) => tx.blobs.unlink(other.id, digest, minute(2)))
    expect(await blobs().listDead(minute(3), 10)).toEqual([{ ...sealed, sizeBytes: 100 }])
    expect(await store().transact((tx) => tx.blobs.mark(sealed, minute(3)))).toBe(true)
    expect(await store().transact((tx) => tx.blobs.mark(plain(digest), minute(3)))).toBe(false)
    await store().transact((tx) => tx.blobs.forget(sealed))
    expect([await blobs().exists(sealed), await blobs().exists(plain(digest))]).toEqual([false, true])
    expect(await store().transact((tx) => tx.blobs.lose(sealed, minute(9)))).toBe(false)
    expect(await blobs().findLinked(id, digest)).toMatchObject({ vault: PLAIN })
  })

  test('a link follows content that comes anew into another vault', async () => {
    const sealed = { vault: SERVER_VAULT, digest }
    const { id } = await addRepository(store(), 'app')
    await addBlob(store(), id, digest, minute(1))
    await addImage(store(), id, 1, { blobs: [{ digest, mediaType: 'layer' }] })
    const move = () => store().transact((tx) => tx.blobs.link(id, sealed, 100, minute(4)))
    await expectCode(move(), 'blob-not-found')
    expect((await blobs().findLinked(id, digest))?.vault).toBe(PLAIN)
    await store().transact((tx) => tx.blobs.claim(sealed, minute(4)))
    expect(await move()).toBe(false)
    expect(await blobs().findLinked(id, digest)).toMatchObject({ vault: SERVER_VAULT, imageCount: 1 })
    expect(await blobs().listDead(minute(4), 10)).toEqual([])
    expect(await blobs().listDead(minute(5), 10)).toEqual([{ ...plain(digest), sizeBytes: 100 }])
    expect((await blobs().freeable(minute(5))).blobCount).toBe(1)
    await store().transact((tx) => tx.repositories.delete(id))
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
    expect(await blobs().listDead(minute(5), 10)).toHaveLength(2)
  })

  test('a holder is one of the same key', async () => {
    const kmsKeyArn = 'arn:aws:kms:us-east-1:000000000000:key/1'
    const [plainOne, kms] = [
      await addRepository(store(), 'app'),
      { ...newRepository('kms'), encryption: { type: 'KMS', kmsKeyArn } as const },
    ]
    const { id } = await store().transact((tx) => tx.repositories.insert(kms))
    await addBlob(store(), plainOne.id, digest)
    expect(await blobs().findHolder(REGISTRY, digest, kms.encryption)).toBeUndefined()
    const sealed = { vault: vaultOf(kms.encryption, false), digest }
    await store().transact(async (tx) => {
      await tx.blobs.claim(sealed, minute(1))
      await tx.blobs.link(id, sealed, 100, minute(1))
    })
    const holder = await blobs().findHolder(REGISTRY, digest, kms.encryption)
    expect([holder?.repository.id, holder?.blob.vault]).toEqual([id, sealed.vault])
    expect(holder?.repository.encryption).toEqual(kms.encryption)
    expect(await blobs().findHolder(REGISTRY, digest, { type: 'KMS_DSSE', kmsKeyArn })).toBeUndefined()
    expect((await blobs().findHolder(REGISTRY, digest, { type: 'AES256' }))?.repository.id).toBe(plainOne.id)
  })

  test('records are listed by digest, counted and summed', async () => {
    expect(await blobs().totals()).toEqual({ blobCount: 0, sizeBytes: 0 })
    const { id } = await addRepository(store(), 'app')
    const many = Array.from({ length: 7 }, (_, n) => digestOf(n)).sort()
    for (const one of many) await addBlob(store(), id, one)
    for (const limit of [1, 3, 7, 100]) {
      const listed = await turnPages(
        limit,
        (page: Page<BlobAddress>) => blobs().list(page),
        ({ digest, vault }) => ({ digest, vault }),
      )
      expect(listed).toEqual(many.map((one) => ({ ...plain(one), sizeBytes: 100, linkCount: 1 })))
    }
    expect(await blobs().totals()).toEqual({ blobCount: 7, sizeBytes: 700 })
  })

  test('what a sweep could free is counted without freeing it', async () => {
    const [one, two] = [await addRepository(store(), 'one'), await addRepository(store(), 'two')]
    const [needed, unused, shared, fresh] = ['needed', 'unused', 'shared', 'fresh'].map(digestOf) as [
      typeof digest,
      typeof digest,
      typeof digest,
      typeof digest,
    ]
    for (const each of [needed, unused, shared]) await addBlob(store(), one.id, each, minute(1))
    await addBlob(store(), two.id, unused, minute(1))
    await addBlob(store(), two.id, shared, minute(9))
    await addBlob(store(), two.id, fresh, minute(9))
    await addImage(store(), one.id, 1, { blobs: [{ digest: needed, mediaType: 'layer' }] })
    await store().transact((tx) => tx.blobs.adopt(plain(digest), 7, minute(1)))
    expect(await blobs().freeable(minute(5))).toEqual({ linkCount: 3, blobCount: 2, sizeBytes: 107 })
    expect(await blobs().freeable(minute(1))).toEqual({ linkCount: 0, blobCount: 0, sizeBytes: 0 })
  })
}
