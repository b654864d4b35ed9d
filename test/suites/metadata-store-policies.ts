import { expect, test } from 'bun:test'
import { addRepository, OTHER_REGISTRY, REGISTRY, refOf, type StoreOf } from './metadata-store-records.ts'

export function policyCases(store: StoreOf): void {
  const none = { text: undefined, scope: undefined, hasRepositoryPolicies: false }

  test("a repository's policy comes back as it was given, is replaced and removed", async () => {
    const repository = await addRepository(store(), 'app')
    await addRepository(store(), 'other')
    const { view } = store()
    expect(await view.policies.ofRepository(refOf('app'))).toBeUndefined()
    await store().transact((tx) => tx.policies.putOfRepository(repository, '{"a": 1}'))
    await store().transact((tx) => tx.policies.putOfRepository(repository, '{"b":\n2}'))
    expect(await view.policies.ofRepository(refOf('app'))).toBe('{"b":\n2}')
    expect(await view.policies.ofRepository(refOf('other'))).toBeUndefined()
    expect(await view.policies.ofRepository(refOf('app', OTHER_REGISTRY))).toBeUndefined()
    expect(await view.policies.ofRegistry(REGISTRY)).toEqual({ ...none, hasRepositoryPolicies: true })
    expect(await view.policies.ofRegistry(OTHER_REGISTRY)).toEqual(none)
    expect(await store().transact((tx) => tx.policies.deleteOfRepository(repository.id))).toBe('{"b":\n2}')
    expect(await store().transact((tx) => tx.policies.deleteOfRepository(repository.id))).toBeUndefined()
    expect(await view.policies.ofRegistry(REGISTRY)).toEqual(none)
  })

  test("a registry's policy likewise", async () => {
    const { view } = store()
    expect(await view.policies.ofRegistry(REGISTRY)).toEqual(none)
    await store().transact((tx) => tx.policies.putOfRegistry(REGISTRY, 'one'))
    await store().transact((tx) => tx.policies.putOfRegistry(REGISTRY, 'two'))
    expect(await view.policies.ofRegistry(REGISTRY)).toEqual({ ...none, text: 'two' })
    expect(await view.policies.ofRegistry(OTHER_REGISTRY)).toEqual(none)
    expect(await store().transact((tx) => tx.policies.deleteOfRegistry(REGISTRY))).toBe('two')
    expect(await store().transact((tx) => tx.policies.deleteOfRegistry(REGISTRY))).toBeUndefined()
  })

  test('a deleted repository takes its policy along', async () => {
    const repository = await addRepository(store(), 'app')
    await store().transact((tx) => tx.policies.putOfRepository(repository, 'text'))
    await store().transact((tx) => tx.repositories.delete(repository.id))
    await addRepository(store(), 'app')
    expect(await store().view.policies.ofRepository(refOf('app'))).toBeUndefined()
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
    expect(await store().view.policies.ofRegistry(REGISTRY)).toEqual(none)
  })

  test('the revision changes with every committed change of who may do what, and with nothing else', async () => {
    const revisions: number[] = [store().policyRevision]
    const note = () => revisions.push(store().policyRevision)
    const repository = await addRepository(store(), 'app')
    note()
    await store().transact((tx) => tx.policies.putOfRepository(repository, 'text'))
    note()
    await store()
      .transact(async (tx) => {
        await tx.policies.putOfRegistry(REGISTRY, 'text')
        throw new Error('undone')
      })
      .catch(() => undefined)
    note()
    await store().transact((tx) => tx.policies.putOfRegistry(REGISTRY, 'text'))
    note()
    await store().transact((tx) => tx.repositories.delete(repository.id))
    note()
    const [first = 0] = revisions
    expect(revisions.map((revision) => revision - first)).toEqual([0, 0, 1, 1, 2, 3])
  })
}
