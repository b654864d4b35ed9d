import { expect, test } from 'bun:test'
import type { Suppression } from '../../src/domain/advisories/suppressions.ts'
import type { IndexedPackage } from '../../src/stores/package-index.ts'
import {
  addImage,
  addRepository,
  minute,
  OTHER_REGISTRY,
  REGISTRY,
  refOf,
  type StoreOf,
} from './metadata-store-records.ts'

export const packages: readonly IndexedPackage[] = [
  { ecosystem: 'Debian:12', name: 'openssl' },
  { ecosystem: 'Debian:12', name: 'zlib' },
  { ecosystem: 'npm', name: 'qs' },
]
const [openssl, zlib, qs] = packages as readonly [IndexedPackage, IndexedPackage, IndexedPackage]

export const suppression: Suppression = {
  id: 's1',
  vulnerability: 'CVE-2026-1',
  reason: 'Not reachable',
  createdBy: 'arn:aws:iam::123456789012:root',
  createdAt: minute(1),
}

export function packageIndexCases(store: StoreOf): void {
  const addImages = async () => {
    const { id } = await addRepository(store(), 'app')
    return [(await addImage(store(), id, 1)).id, (await addImage(store(), id, 2)).id] as const
  }
  const put = (imageId: number, held: readonly IndexedPackage[]) =>
    store().transact((tx) => tx.packageIndex.put(imageId, held))
  const imagesWith = async (...held: readonly IndexedPackage[]) =>
    (await store().view.packageIndex.imagesWith(held)).toSorted((a, b) => a - b)

  test('the images that hold any of some packages are found, each once, and no others', async () => {
    const [first, second] = await addImages()
    await put(first, [openssl, zlib, zlib])
    await put(second, [zlib, qs])
    expect(await imagesWith(openssl)).toEqual([first])
    expect(await imagesWith(zlib, openssl, qs)).toEqual([first, second])
    expect(await imagesWith({ ecosystem: 'Debian:11', name: 'zlib' })).toEqual([])
    expect(await imagesWith()).toEqual([])
    expect(await store().view.packageIndex.listImages({ limit: 10 })).toEqual([first, second])
    expect(await store().view.packageIndex.listImages({ after: first, limit: 10 })).toEqual([second])
  })

  test('what an image holds is replaced, also by more than one statement takes', async () => {
    const [first] = await addImages()
    const many = Array.from({ length: 1_300 }, (_, at) => ({ ecosystem: 'npm', name: `p${at}` }))
    await put(first, [openssl])
    await put(first, many)
    expect(await imagesWith(openssl)).toEqual([])
    expect(await imagesWith(...many.slice(1_200))).toEqual([first])
    await put(first, [])
    expect(await imagesWith(...many)).toEqual([])
  })

  test('the index forgets an image that goes, and one of a deleted repository', async () => {
    const [first, second] = await addImages()
    await put(first, [zlib])
    await put(second, [zlib])
    await store().transact((tx) => tx.images.delete(first, minute(2)))
    expect(await imagesWith(zlib)).toEqual([second])
    const repository = await store().view.repositories.find(refOf('app'))
    await store().transact((tx) => tx.repositories.delete(repository?.id ?? 0))
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(100))) > 0);
    expect(await imagesWith(zlib)).toEqual([])
  })

  test('how far images were compared is remembered', async () => {
    expect(await store().view.packageIndex.findRevision()).toBeUndefined()
    await store().transact((tx) => tx.packageIndex.putRevision(1_795_227_318_082))
    await store().transact((tx) => tx.packageIndex.putRevision(1_795_227_318_083))
    expect(await store().view.packageIndex.findRevision()).toBe(1_795_227_318_083)
  })

  test('rules come back as they were put, are replaced and removed, and belong to one registry', async () => {
    const narrow = { ...suppression, id: 's0', repositoryName: 'app', packageName: 'zlib', expiresAt: minute(9) }
    await store().transact(async (tx) => {
      await tx.suppressions.put(REGISTRY, suppression)
      await tx.suppressions.put(REGISTRY, { ...narrow, reason: 'before' })
      await tx.suppressions.put(REGISTRY, narrow)
    })
    expect(await store().view.suppressions.list(REGISTRY)).toEqual([narrow, suppression])
    expect(await store().view.suppressions.list(OTHER_REGISTRY)).toEqual([])
    expect(await store().transact((tx) => tx.suppressions.delete(REGISTRY, 's0'))).toBe(true)
    expect(await store().transact((tx) => tx.suppressions.delete(REGISTRY, 's0'))).toBe(false)
    expect(await store().view.suppressions.list(REGISTRY)).toEqual([suppression])
  })
}
