import { expect, test } from 'bun:test'
import { parseTag, type Registry } from '../../src/domain/names.ts'
import { addImage, addRepository, OTHER_REGISTRY, REGISTRY, refOf, type StoreOf } from './metadata-store-records.ts'

const AT = new Date(1_000_000)
const LATER = new Date(2_000_000)
const FAILURE = { code: 'AccessDenied', reason: 'no' }

export function replicationCases(store: StoreOf): void {
  const request = (imageId: number, to: Registry, ...tags: string[]) =>
    store().transact((tx) => tx.replications.request(imageId, to, tags.map(parseTag), AT))
  const end = (id: number, revision: number, failure?: typeof FAILURE) =>
    store().transact((tx) => tx.replications.end(id, revision, AT, failure))
  const due = (to: Registry, now = AT) => store().view.replications.listDue(to, now, 10)

  test("a registry's configuration comes back as it was put, is replaced, and removed by one without rules", async () => {
    const { view } = store()
    const first = {
      rules: [{ destinations: [OTHER_REGISTRY], repositoryPrefixes: ['prod'] }, { destinations: [OTHER_REGISTRY] }],
    }
    expect(await view.replications.findConfiguration(REGISTRY)).toBeUndefined()
    await store().transact((tx) => tx.replications.putConfiguration(REGISTRY, first))
    expect(await view.replications.findConfiguration(REGISTRY)).toEqual(first)
    expect(await view.replications.findConfiguration(OTHER_REGISTRY)).toBeUndefined()
    await store().transact((tx) => tx.replications.putConfiguration(REGISTRY, { rules: [] }))
    expect(await view.replications.findConfiguration(REGISTRY)).toBeUndefined()
  })

  test('a copy is due until it has ended; what is asked for meanwhile is added, and does not end with it', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const image = await addImage(store(), repositoryId, 1)
    await request(image.id, OTHER_REGISTRY, 'v1')
    const [first] = await due(OTHER_REGISTRY)
    expect(first).toMatchObject({ ref: refOf('app'), destination: OTHER_REGISTRY, tags: ['v1'], attempts: 0 })
    expect(first?.image).toEqual({
      id: image.id,
      repositoryId,
      digest: image.digest,
      mediaType: image.mediaType,
    })
    const { id = 0, revision = 0 } = first ?? {}
    await request(image.id, OTHER_REGISTRY, 'v2', 'v1')
    expect(await end(id, revision)).toBe(false)
    const [second] = await due(OTHER_REGISTRY)
    expect(second).toMatchObject({ id, tags: ['v1', 'v2'], requestedAt: AT })
    expect(await end(id, second?.revision ?? 0)).toBe(true)
    expect(await due(OTHER_REGISTRY)).toEqual([])
    expect(await store().view.replications.listOfImage(image.id)).toEqual([
      { destination: OTHER_REGISTRY, status: 'COMPLETE', failure: undefined },
    ])
    await request(image.id, OTHER_REGISTRY, 'v3')
    expect(await due(OTHER_REGISTRY)).toMatchObject([{ id, tags: ['v3'] }])
  })

  test('a copy that is postponed waits, and counts its attempts', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const image = await addImage(store(), repositoryId, 1)
    await request(image.id, OTHER_REGISTRY)
    const [{ id = 0 } = {}] = await due(OTHER_REGISTRY)
    expect(await store().view.replications.dueDestinations(AT)).toEqual([OTHER_REGISTRY])
    await store().transact((tx) => tx.replications.postpone(id, LATER, FAILURE))
    expect([await due(OTHER_REGISTRY), await store().view.replications.dueDestinations(AT)]).toEqual([[], []])
    expect(await due(OTHER_REGISTRY, LATER)).toMatchObject([{ id, attempts: 1 }])
    expect(await store().view.replications.listOfImage(image.id)).toMatchObject([
      { status: 'IN_PROGRESS', failure: FAILURE },
    ])
  })

  test('what has failed is asked for again, and only that', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const [one, two] = [await addImage(store(), repositoryId, 1), await addImage(store(), repositoryId, 2)]
    await request(one.id, OTHER_REGISTRY, 'v1')
    await request(two.id, OTHER_REGISTRY)
    const [first] = await due(OTHER_REGISTRY)
    await end(first?.id ?? 0, first?.revision ?? 0, FAILURE)
    expect(await store().view.replications.lags()).toEqual([
      { destination: OTHER_REGISTRY, pendingCount: 1, oldestRequestedAt: AT, failedCount: 1 },
    ])
    expect(await store().view.replications.listUnfinished({ limit: 10 })).toMatchObject([
      { digest: one.digest, tags: ['v1'], replication: { status: 'FAILED', failure: FAILURE } },
      { digest: two.digest, replication: { status: 'IN_PROGRESS' } },
    ])
    const again = (imageId: number) => store().transact((tx) => tx.replications.requestFailed(imageId, [], LATER))
    expect([await again(one.id), await again(two.id), await again(one.id)]).toEqual([1, 0, 0])
    expect(await due(OTHER_REGISTRY, LATER)).toHaveLength(2)
  })

  test('copies go with their image, and with a deleted repository', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const images = [await addImage(store(), repositoryId, 1), await addImage(store(), repositoryId, 2)]
    for (const { id } of images) await request(id, OTHER_REGISTRY)
    await store().transact((tx) => tx.images.delete(images[0]?.id ?? 0, AT))
    expect(await due(OTHER_REGISTRY)).toHaveLength(1)
    await store().transact((tx) => tx.repositories.delete(repositoryId))
    expect([await due(OTHER_REGISTRY), await store().view.replications.dueDestinations(AT)]).toEqual([[], []])
    expect(await store().view.replications.lags()).toEqual([])
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
    expect(await store().view.replications.listOfImage(images[1]?.id ?? 0)).toEqual([])
  })
}
