import { expect, test } from 'bun:test'
import { parseDigest } from '../../src/domain/digest.ts'
import { parseRegion, parseTag, type Registry } from '../../src/domain/names.ts'
import { repositoryKey } from '../../src/stores/replication-deletions.ts'
import { addImage, addRepository, OTHER_REGISTRY, REGISTRY, refOf, type StoreOf } from './metadata-store-records.ts'

const AT = new Date(1_000_000)
const LATER = new Date(2_000_000)
const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`)
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
    expect(await store().view.replications.pendingDestinations()).toEqual([OTHER_REGISTRY])
    await store().transact((tx) => tx.replications.postpone(id, LATER, FAILURE))
    expect(await due(OTHER_REGISTRY)).toEqual([])
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
      {
        ...{ destination: OTHER_REGISTRY, pendingCount: 1, oldestRequestedAt: AT, failedCount: 1 },
        ...{ pendingDeletionCount: 0, failedDeletionCount: 0 },
      },
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
    expect(await due(OTHER_REGISTRY)).toEqual([])
    expect(await store().view.replications.lags()).toEqual([])
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
    expect(await store().view.replications.listOfImage(images[1]?.id ?? 0)).toEqual([])
  })

  test('a copy that failed keeps the tags that it was asked for, and one that nobody wants any more is forgotten', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const image = await addImage(store(), repositoryId, 1)
    await request(image.id, OTHER_REGISTRY, 'v1')
    const [first] = await due(OTHER_REGISTRY)
    await end(first?.id ?? 0, first?.revision ?? 0, FAILURE)
    await request(image.id, OTHER_REGISTRY, 'v2')
    const [second] = await due(OTHER_REGISTRY)
    expect(second?.tags.map(String)).toEqual(['v1', 'v2'])
    const withdraw = (revision: number) => store().transact((tx) => tx.replications.withdraw(second?.id ?? 0, revision))
    await withdraw(1)
    expect(await due(OTHER_REGISTRY)).toHaveLength(1)
    await withdraw(second?.revision ?? 0)
    expect(await store().view.replications.listOfImage(image.id)).toEqual([])
  })

  test('repositories in which something goes on are left out, and what was put off further than ever is due', async () => {
    const [one, two] = [await addRepository(store(), 'one'), await addRepository(store(), 'two')]
    for (const { id } of [one, two]) await request((await addImage(store(), id, 1)).id, OTHER_REGISTRY)
    const view = store().view.replications
    const skipped = [repositoryKey(refOf('one'))]
    const [pending, ...others] = await view.listDue(OTHER_REGISTRY, AT, 10, skipped)
    expect([pending?.ref.name, others]).toEqual([refOf('two').name, []])
    const farAway = new Date(AT.getTime() + 30 * 24 * 3_600_000)
    await store().transact((tx) => tx.replications.postpone(pending?.id ?? 0, farAway, FAILURE))
    expect(await view.listDue(OTHER_REGISTRY, AT, 10, skipped)).toHaveLength(1)
  })

  test('destinations are found however many copies are pending for each, and those of deletions', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const third = { ...OTHER_REGISTRY, region: parseRegion('zz-south-9') }
    for (const seed of [1, 2, 3]) {
      const { id } = await addImage(store(), repositoryId, seed)
      for (const place of [OTHER_REGISTRY, third]) await request(id, place)
    }
    const fourth = { ...OTHER_REGISTRY, region: parseRegion('aa-south-9') }
    await store().transact((tx) =>
      tx.replicationDeletions.request({ ref: refOf('app'), destination: fourth, tags: [] }, AT),
    )
    expect(await store().view.replications.pendingDestinations()).toEqual([OTHER_REGISTRY, third, fourth])
  })

  test('a deletion is due until it is dropped or fails, and is asked for again', async () => {
    const wanted = { ref: refOf('app'), destination: OTHER_REGISTRY, digest: DIGEST, tags: [parseTag('v1')] }
    await store().transact((tx) => tx.replicationDeletions.request(wanted, AT))
    await store().transact((tx) =>
      tx.replicationDeletions.request({ ref: refOf('other'), destination: OTHER_REGISTRY, tags: [] }, AT),
    )
    const { view } = store()
    const dueNow = (skipped: readonly string[] = [], now = AT) =>
      view.replicationDeletions.listDue(OTHER_REGISTRY, now, 10, skipped)
    const [first, second] = await dueNow()
    expect(first).toMatchObject({ ...wanted, attempts: 0, requestedAt: AT })
    expect(second?.digest).toBeUndefined()
    expect((await dueNow([repositoryKey(refOf('app'))])).map(({ id }) => id)).toEqual([second?.id ?? 0])
    const id = first?.id ?? 0
    await store().transact((tx) => tx.replicationDeletions.postpone(id, LATER, FAILURE))
    expect(await dueNow()).toHaveLength(1)
    expect((await dueNow([], LATER))[0]).toMatchObject({ id, attempts: 1 })
    await store().transact((tx) => tx.replicationDeletions.fail(id, AT, FAILURE))
    expect(await dueNow([], LATER)).toHaveLength(1)
    expect(await view.replications.lags()).toMatchObject([{ pendingDeletionCount: 1, failedDeletionCount: 1 }])
    await store().transact((tx) => tx.replicationDeletions.retry(id, LATER))
    expect(await dueNow([], LATER)).toHaveLength(2)
    await store().transact((tx) => tx.replicationDeletions.drop(second?.id ?? 0))
    await store().transact((tx) => tx.replicationDeletions.fail(id, AT, FAILURE))
    await store().transact((tx) => tx.replicationDeletions.prune(AT))
    expect(await view.replicationDeletions.listUnfinished({ limit: 10 })).toMatchObject([{ id, status: 'FAILED' }])
    await store().transact((tx) => tx.replicationDeletions.prune(LATER))
    expect(await view.replicationDeletions.listUnfinished({ limit: 10 })).toEqual([])
  })

  test('an image has the origins that were added, each once, until they are removed or it is the registry’s own', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const { id } = await addImage(store(), repositoryId, 1)
    const origins = () => store().view.imageOrigins.list(id)
    const add = (origin: Registry) => store().transact((tx) => tx.imageOrigins.add(id, origin))
    for (const origin of [OTHER_REGISTRY, OTHER_REGISTRY, REGISTRY]) await add(origin)
    expect(await origins()).toHaveLength(2)
    await store().transact((tx) => tx.imageOrigins.remove(id, REGISTRY))
    expect(await origins()).toEqual([OTHER_REGISTRY])
    await store().transact((tx) => tx.imageOrigins.clear(id))
    expect(await origins()).toEqual([])
    await add(OTHER_REGISTRY)
    await store().transact((tx) => tx.images.delete(id, AT))
    expect(await origins()).toEqual([])
  })

  test('a transfer is taken up where the last note says, until it is forgotten', async () => {
    const upload = { ref: refOf('app'), destination: OTHER_REGISTRY, digest: DIGEST }
    const find = () => store().view.replicationUploads.find(upload)
    const put = (location: string) => store().transact((tx) => tx.replicationUploads.put(upload, location, AT))
    await put('https://there/1')
    await put('https://there/2')
    expect(await find()).toBe('https://there/2')
    await store().transact((tx) => tx.replicationUploads.delete(upload))
    expect(await find()).toBeUndefined()
    await put('https://there/3')
    await store().transact((tx) => tx.replicationUploads.prune(LATER))
    expect(await find()).toBeUndefined()
  })
}
