import { expect, test } from 'bun:test'
import { plain } from './blob-bytes.ts'
import {
  addBlob,
  addImage,
  addRepository,
  digestOf,
  minute,
  REGISTRY,
  refOf,
  type StoreOf,
} from './metadata-store-records.ts'

export function purgeCases(store: StoreOf): void {
  const purge = (limit: number) => store().transact((tx) => tx.repositories.purgeDeleted(limit))

  test('nothing is purged while nothing is deleted', async () => {
    const { id } = await addRepository(store(), 'app')
    await addImage(store(), id, 1)
    expect(await purge(10)).toBe(0)
    expect(await store().view.images.count(id)).toBe(1)
  })

  test('what a deleted repository held goes in steps, and others keep theirs', async () => {
    const gone = await addRepository(store(), 'gone')
    const kept = await addRepository(store(), 'kept')
    const [shared, own] = [digestOf('shared'), digestOf('own')]
    for (const [id, digest] of [
      [gone.id, shared],
      [gone.id, own],
      [kept.id, shared],
    ] as const)
      await addBlob(store(), id, digest)
    const blobs = [shared, own].map((digest) => ({ digest, mediaType: 'layer' }))
    for (let n = 0; n < 7; n++) await addImage(store(), gone.id, `gone-${n}`, { tags: [`v${n}`], blobs })
    await addImage(store(), gone.id, 'index', { children: [digestOf('gone-0'), digestOf('gone-1')] })
    await addImage(store(), kept.id, 'gone-0', { tags: ['v0'], blobs: blobs.slice(0, 1) })
    const upload = { repositoryId: gone.id, startedAt: minute(1), touchedAt: minute(1) }
    await store().transact((tx) => tx.uploads.insert({ id: 'u1', key: 'k1', ...upload }))
    await store().transact((tx) => tx.repositories.putResourceTags(gone.id, [{ key: 'a', value: 'b' }]))

    await store().transact((tx) => tx.repositories.delete(gone.id))
    const steps: number[] = []
    for (;;) {
      const done = await purge(3)
      if (done === 0) break
      expect(done).toBeLessThanOrEqual(3)
      steps.push(done)
    }
    // 8 images, 2 links, 1 upload, 1 record
    expect(steps.reduce((sum, step) => sum + step, 0)).toBe(12)
    expect(await store().view.images.list(gone.id, {}, { limit: 10 })).toEqual([])
    expect(await store().view.images.listTags(gone.id, { limit: 10 })).toEqual([])
    expect(await store().view.uploads.hasKey('k1')).toBe(false)
    expect(await store().view.repositories.listResourceTags(gone.id)).toEqual([])
    expect(await store().view.blobs.findLinked(gone.id, shared)).toBeUndefined()

    expect(await store().view.repositories.count(REGISTRY)).toBe(1)
    expect(await store().view.images.listTags(kept.id, { limit: 10 })).toHaveLength(1)
    expect(await store().view.blobs.findLinked(kept.id, shared)).toMatchObject({ imageCount: 1 })
    expect(await store().view.blobs.list({ limit: 10 })).toEqual(
      [
        { ...plain(shared), sizeBytes: 100, linkCount: 1 },
        { ...plain(own), sizeBytes: 100, linkCount: 0 },
      ].sort((a, b) => (a.digest < b.digest ? -1 : 1)),
    )
    expect(await store().view.blobs.listDead(minute(5), 10)).toEqual([{ ...plain(own), sizeBytes: 100 }])
  })

  test('a name that was deleted, made anew and deleted again is purged twice', async () => {
    for (let round = 0; round < 2; round++) {
      const { id } = await addRepository(store(), 'app')
      await addImage(store(), id, round)
      await store().transact((tx) => tx.repositories.delete(id))
    }
    const { id } = await addRepository(store(), 'app')
    expect(await purge(100)).toBe(4)
    expect(await purge(100)).toBe(0)
    expect(await store().view.repositories.find(refOf('app'))).toMatchObject({ id })
  })

  test('a claim of a blob outlives the repository that linked it', async () => {
    const { id } = await addRepository(store(), 'app')
    const digest = digestOf('layer')
    await addBlob(store(), id, digest, minute(1))
    await store().transact((tx) => tx.repositories.delete(id))
    await store().transact((tx) => tx.blobs.claim(plain(digest), minute(60)))
    await purge(100)
    expect(await store().view.blobs.listDead(minute(60), 10)).toEqual([])
    expect(await store().view.blobs.listDead(minute(61), 10)).toHaveLength(1)
  })
}
