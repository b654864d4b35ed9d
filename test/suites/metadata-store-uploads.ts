import { expect, test } from 'bun:test'
import type { Upload } from '../../src/domain/upload.ts'
import { addRepository, minute, type StoreOf } from './metadata-store-records.ts'

export function uploadCases(store: StoreOf): void {
  const newUpload = (repositoryId: number, id: string, minutes = 1): Upload => ({
    id,
    repositoryId,
    key: `key-${id}`,
    startedAt: minute(minutes),
    touchedAt: minute(minutes),
  })

  test('an upload comes back, in its repository only', async () => {
    const { id } = await addRepository(store(), 'app')
    const upload = { ...newUpload(id, 'u1'), lastPartBytes: 5 }
    await store().transact((tx) => tx.uploads.insert(upload), { durability: 'relaxed' })
    expect(await store().view.uploads.find(id, 'u1')).toEqual(upload)
    expect(await store().view.uploads.find(id, 'u2')).toBeUndefined()
    expect(await store().view.uploads.find(id + 1, 'u1')).toBeUndefined()
    expect(await store().view.uploads.hasKey('key-u1')).toBe(true)
    expect(await store().view.uploads.hasKey('key-u2')).toBe(false)
  })

  test('a touch moves the moment, and counts a part when there is one', async () => {
    const { id } = await addRepository(store(), 'app')
    await store().transact((tx) => tx.uploads.insert(newUpload(id, 'u1')))
    const untouched = await store().view.uploads.find(id, 'u1')
    expect([untouched?.lastPartBytes, untouched?.partCount]).toEqual([undefined, undefined])
    await store().transact((tx) => tx.uploads.touch('u1', minute(2), 0))
    expect(await store().view.uploads.find(id, 'u1')).toMatchObject({
      touchedAt: minute(2),
      lastPartBytes: 0,
      partCount: 1,
    })
    await store().transact((tx) => tx.uploads.touch('u1', minute(3), undefined))
    expect(await store().view.uploads.find(id, 'u1')).toMatchObject({
      touchedAt: minute(3),
      lastPartBytes: 0,
      partCount: 1,
    })
  })

  test('only uploads untouched since a moment are stale, the oldest first', async () => {
    const { id } = await addRepository(store(), 'app')
    await store().transact(async (tx) => {
      for (const minutes of [3, 1, 2, 4]) await tx.uploads.insert(newUpload(id, `u${minutes}`, minutes))
    })
    const stale = async (minutes: number, limit: number) =>
      (await store().view.uploads.listStale(minute(minutes), limit)).map((upload) => upload.id)
    expect(await stale(3, 10)).toEqual(['u1', 'u2'])
    expect(await stale(10, 3)).toEqual(['u1', 'u2', 'u3'])
    expect(await store().view.uploads.countStale(minute(3))).toBe(2)
    await store().transact((tx) => tx.uploads.touch('u1', minute(9), 1))
    expect(await stale(3, 10)).toEqual(['u2'])
  })

  test('an upload is deleted once', async () => {
    const { id } = await addRepository(store(), 'app')
    await store().transact((tx) => tx.uploads.insert(newUpload(id, 'u1')))
    expect(await store().transact((tx) => tx.uploads.delete('u1'))).toBe(true)
    expect(await store().transact((tx) => tx.uploads.delete('u1'))).toBe(false)
    expect(await store().view.uploads.find(id, 'u1')).toBeUndefined()
  })

  test('an upload cannot belong to a repository that is gone', async () => {
    await expect(store().transact((tx) => tx.uploads.insert(newUpload(999, 'u1')))).rejects.toThrow()
  })
}
