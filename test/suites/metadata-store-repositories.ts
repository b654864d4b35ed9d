import { expect, test } from 'bun:test'
import { parseRepositoryName, type RepositoryName } from '../../src/domain/names.ts'
import type { Page } from '../../src/stores/metadata.ts'
import {
  addImage,
  addRepository,
  expectCode,
  minute,
  newRepository,
  OTHER_REGISTRY,
  REGISTRY,
  refOf,
  type StoreOf,
  turnPages,
} from './metadata-store-records.ts'

export function repositoryCases(store: StoreOf): void {
  test('a repository comes back as it went in', async () => {
    const given = {
      ...newRepository('team/app'),
      createdAt: minute(7),
      mutability: { mode: 'IMMUTABLE_WITH_EXCLUSION', exclusionFilters: ['dev-*', 'latest'] },
      isScannedOnPush: true,
    } as const
    const inserted = await store().transact((tx) => tx.repositories.insert(given))
    expect(inserted).toEqual({ ...given, id: inserted.id })
    expect(await store().view.repositories.find(refOf('team/app'))).toEqual(inserted)
    expect(await store().view.repositories.find(refOf('team/ap'))).toBeUndefined()
    expect(await store().view.repositories.find(refOf('team/app', OTHER_REGISTRY))).toBeUndefined()
  })

  test('a name is taken once in a registry, and once in another', async () => {
    await addRepository(store(), 'app')
    await expectCode(addRepository(store(), 'app'), 'repository-exists')
    await addRepository(store(), 'app', OTHER_REGISTRY)
    expect(await store().view.repositories.count(REGISTRY)).toBe(1)
  })

  test('of two who insert the same name at once, one succeeds', async () => {
    const outcomes = await Promise.allSettled([addRepository(store(), 'app'), addRepository(store(), 'app')])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
    await expectCode(Promise.reject((outcomes[1] as PromiseRejectedResult).reason), 'repository-exists')
  })

  test('lists go by name in the order of code points, page by page', async () => {
    const names = ['zz', 'a-b', 'a/b', 'a.b', 'a0', 'aa', 'a_b', '00']
    for (const name of names) await addRepository(store(), name)
    await addRepository(store(), 'elsewhere', OTHER_REGISTRY)
    for (const limit of [1, 3, 8, 100]) {
      const listed = await turnPages(
        limit,
        (page: Page<RepositoryName>) => store().view.repositories.list(REGISTRY, page),
        ({ name }) => name,
      )
      expect(listed.map(({ name }): string => name)).toEqual([...names].sort())
    }
    expect(await store().view.repositories.count(REGISTRY)).toBe(8)
    const behind = { after: parseRepositoryName('a1'), limit: 10 }
    expect((await store().view.repositories.list(REGISTRY, behind)).map(({ name }): string => name)).toEqual([
      'a_b',
      'aa',
      'zz',
    ])
  })

  test('the mutability changes', async () => {
    const { id } = await addRepository(store(), 'app')
    const mutability = { mode: 'MUTABLE_WITH_EXCLUSION', exclusionFilters: ['v*'] } as const
    await store().transact((tx) => tx.repositories.setMutability(id, mutability))
    expect(await store().view.repositories.find(refOf('app'))).toMatchObject({ id, mutability })
  })

  test('a deleted repository is out of sight at once, and its name free', async () => {
    const first = await addRepository(store(), 'app')
    await addImage(store(), first.id, 1, { tags: ['v1'] })
    await store().transact((tx) => tx.repositories.delete(first.id))
    expect(await store().view.repositories.find(refOf('app'))).toBeUndefined()
    expect(await store().view.repositories.list(REGISTRY, { limit: 10 })).toEqual([])
    expect(await store().view.repositories.count(REGISTRY)).toBe(0)
    const second = await addRepository(store(), 'app')
    expect(second.id).not.toBe(first.id)
    expect(await store().view.images.count(second.id)).toBe(0)
    await store().transact((tx) => tx.repositories.delete(second.id))
    expect(await store().view.repositories.count(REGISTRY)).toBe(0)
  })

  test('resource tags are added, overwritten, removed and listed by key', async () => {
    const { id } = await addRepository(store(), 'app')
    const other = await addRepository(store(), 'other')
    await store().transact((tx) =>
      tx.repositories.putResourceTags(id, [
        { key: 'team', value: 'red' },
        { key: 'Stage', value: 'prod' },
        { key: 'cost', value: '' },
      ]),
    )
    await store().transact((tx) => tx.repositories.putResourceTags(id, [{ key: 'team', value: 'blue' }]))
    await store().transact((tx) => tx.repositories.deleteResourceTags(id, ['cost', 'unknown']))
    expect(await store().view.repositories.listResourceTags(id)).toEqual([
      { key: 'Stage', value: 'prod' },
      { key: 'team', value: 'blue' },
    ])
    expect(await store().view.repositories.listResourceTags(other.id)).toEqual([])
  })
}
