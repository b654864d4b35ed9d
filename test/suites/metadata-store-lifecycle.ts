import { expect, test } from 'bun:test'
import type { LifecycleRun } from '../../src/domain/lifecycle/run.ts'
import { parseTag } from '../../src/domain/names.ts'
import type { LifecyclePreviewResult } from '../../src/stores/lifecycle.ts'
import { addImage, addRepository, digestOf, minute, type StoreOf, turnPages } from './metadata-store-records.ts'

const run: LifecycleRun = {
  startedAt: minute(5),
  endedAt: minute(6),
  imageCount: 9,
  expiredCount: 1,
  transitionedCount: 0,
  followedCount: 0,
  changedCount: 0,
  failedCount: 1,
  actions: [{ digest: digestOf(1), tags: ['v1'], action: 'expire', rulePriority: 1 }],
  failures: [{ digest: digestOf(2), tags: [], action: 'expire', rulePriority: 1, code: 'a', reason: 'b' }],
}

export const previewResult = (position: number, tags: readonly string[] = []): LifecyclePreviewResult => ({
  position,
  digest: digestOf(position),
  tags: tags.map(parseTag),
  pushedAt: minute(position),
  storageClass: 'standard',
  action: position % 2 === 0 ? 'expire' : 'transition',
  rulePriority: 7,
})

export function lifecycleCases(store: StoreOf): void {
  const put = (repositoryId: number, policyId: string, due: number) =>
    store().transact((tx) =>
      tx.lifecycle.putPolicy({ repositoryId, policyId, text: `text of ${policyId}`, putAt: minute(0) }, minute(due)),
    )
  const start = (repositoryId: number, text = 'text') =>
    store().transact((tx) =>
      tx.lifecycle.insertPreview({ repositoryId, text, startedAt: minute(1), purgeAt: minute(100) }),
    )
  const due = async (at: number) => {
    const found = await store().view.lifecycle.listDue(minute(at), 10)
    return found.map(({ repository, policy }) => [repository.name as string, policy.policyId])
  }

  test('a policy is put, replaced and deleted', async () => {
    const { id } = await addRepository(store(), 'app')
    expect(await store().view.lifecycle.findPolicy(id)).toBeUndefined()
    await put(id, 'p1', 1)
    await put(id, 'p2', 1)
    const policy = { repositoryId: id, policyId: 'p2', text: 'text of p2', putAt: minute(0) }
    expect(await store().view.lifecycle.findPolicy(id)).toEqual(policy)
    expect(await store().transact((tx) => tx.lifecycle.deletePolicy(id))).toEqual(policy)
    expect(await store().transact((tx) => tx.lifecycle.deletePolicy(id))).toBeUndefined()
    expect(await store().view.lifecycle.findPolicy(id)).toBeUndefined()
  })

  test('policies come due, the most overdue first, and those of deleted repositories never', async () => {
    const [a, b, gone] = [
      await addRepository(store(), 'a-a'),
      await addRepository(store(), 'b-b'),
      await addRepository(store(), 'gone'),
    ]
    await put(a.id, 'pa', 3)
    await put(b.id, 'pb', 2)
    await put(gone.id, 'pg', 1)
    await store().transact((tx) => tx.repositories.delete(gone.id))
    expect(await due(1)).toEqual([])
    expect(await due(2)).toEqual([['b-b', 'pb']])
    expect(await due(3)).toEqual([
      ['b-b', 'pb'],
      ['a-a', 'pa'],
    ])
    const all = await turnPages(
      1,
      (page: { after?: number | undefined; limit: number }) => store().view.lifecycle.listPolicies(page),
      ({ policy }) => policy.repositoryId,
    )
    expect(all.map(({ policy }) => policy.policyId)).toEqual(['pa', 'pb'])
  })

  test('a run is recorded and postpones the next, but not for a policy that has replaced it', async () => {
    const { id } = await addRepository(store(), 'app')
    await put(id, 'p1', 1)
    const policy = { repositoryId: id, policyId: 'p1', text: '', putAt: minute(0) }
    await store().transact((tx) => tx.lifecycle.recordRun(policy, run, minute(60)))
    expect(await store().view.lifecycle.findPolicy(id)).toMatchObject({ lastEvaluatedAt: minute(5), lastRun: run })
    expect(await due(59)).toEqual([])
    await put(id, 'p2', 1)
    await store().transact((tx) => tx.lifecycle.recordRun(policy, run, minute(60)))
    await store().transact((tx) => tx.lifecycle.postpone(policy, minute(60)))
    const replaced = await store().view.lifecycle.findPolicy(id)
    expect([replaced?.lastEvaluatedAt, replaced?.lastRun]).toEqual([undefined, undefined])
    expect(await due(1)).toEqual([['app', 'p2']])
    await store().transact((tx) => tx.lifecycle.postpone({ ...policy, policyId: 'p2' }, minute(60)))
    expect(await due(59)).toEqual([])
  })

  test('images come as light records with their tags, in pages by digest', async () => {
    const { id } = await addRepository(store(), 'app')
    for (let n = 0; n < 5; n++)
      await addImage(store(), id, n, { pushedAt: minute(n), tags: n === 3 ? [] : [`b-${n}`, `a-${n}`] })
    const referrer = await addImage(store(), id, 'referrer', { subject: digestOf(1), tags: [] })
    await store().transact((tx) => tx.images.recordPulls(new Map([[referrer.id, minute(9)]])))
    const images = await turnPages(
      2,
      (page: { after?: ReturnType<typeof digestOf> | undefined; limit: number }) =>
        store().view.lifecycle.listImages(id, page),
      ({ digest }) => digest,
    )
    expect(images.map(({ digest }) => digest)).toEqual([...images.map(({ digest }) => digest)].sort())
    const byDigest = new Map(images.map((image) => [image.digest, image]))
    expect(byDigest.size).toBe(6)
    expect(byDigest.get(digestOf(2))).toMatchObject({
      tags: ['a-2', 'b-2'],
      status: 'ACTIVE',
      pushedAtMs: minute(2).getTime(),
      pulledAtMs: undefined,
      subject: undefined,
    })
    expect(byDigest.get(digestOf(3))?.tags).toEqual([])
    expect(byDigest.get(referrer.digest)).toMatchObject({
      id: referrer.id,
      subject: digestOf(1),
      pulledAtMs: minute(9).getTime(),
    })
  })

  test('the results of a preview come in pages, by tag status, and by digest', async () => {
    const { id } = await addRepository(store(), 'app')
    const preview = await start(id)
    expect(preview).toMatchObject({
      repositoryId: id,
      status: 'IN_PROGRESS',
      counts: { expiring: 0, transitioning: 0 },
    })
    const results = Array.from({ length: 7 }, (_, n) => previewResult(n + 1, n % 3 === 0 ? ['x', 'y'] : []))
    await store().transact((tx) => tx.lifecycle.addPreviewResults(preview.id, results.slice(0, 4)))
    await store().transact((tx) => tx.lifecycle.addPreviewResults(preview.id, results.slice(4)))
    for (const [status, expected] of [
      ['ANY', results],
      ['TAGGED', results.filter(({ tags }) => tags.length > 0)],
      ['UNTAGGED', results.filter(({ tags }) => tags.length === 0)],
    ] as const) {
      const paged = await turnPages(
        2,
        (page: { after?: number | undefined; limit: number }) =>
          store().view.lifecycle.listPreviewResults(preview.id, status, page),
        ({ position }) => position,
      )
      expect(paged).toEqual(expected)
    }
    const asked = [digestOf(5), digestOf(2), digestOf('stranger')]
    const found = await store().view.lifecycle.findPreviewResults(preview.id, asked)
    expect(found.map(({ position }) => position)).toEqual([2, 5])
  })

  test('a preview ends once', async () => {
    const { id } = await addRepository(store(), 'app')
    const preview = await start(id)
    expect(await store().view.lifecycle.listUnfinishedPreviews(10)).toEqual([preview])
    const counts = { expiring: 3, transitioning: 4 }
    await store().transact((tx) => tx.lifecycle.endPreview(preview.id, 'COMPLETE', counts))
    await store().transact((tx) => tx.lifecycle.endPreview(preview.id, 'FAILED', { expiring: 0, transitioning: 0 }))
    expect(await store().view.lifecycle.findPreview(id)).toEqual({ ...preview, status: 'COMPLETE', counts })
    expect(await store().view.lifecycle.listUnfinishedPreviews(10)).toEqual([])
  })

  test('a preview takes the place of another, whose results go in steps', async () => {
    const { id } = await addRepository(store(), 'app')
    const first = await start(id, 'first')
    const results = Array.from({ length: 5 }, (_, n) => previewResult(n + 1))
    await store().transact((tx) => tx.lifecycle.addPreviewResults(first.id, results))
    const second = await start(id, 'second')
    await store().transact((tx) => tx.lifecycle.addPreviewResults(second.id, results))
    expect(await store().view.lifecycle.findPreview(id)).toEqual(second)
    expect(await store().view.lifecycle.listUnfinishedPreviews(10)).toEqual([second])
    const purge = () => store().transact((tx) => tx.lifecycle.purgePreviews(minute(2), 3))
    expect(await store().view.lifecycle.isPurgeDue(minute(2))).toBe(true)
    expect([await purge(), await purge(), await purge(), await purge()]).toEqual([3, 2, 1, 0])
    expect(await store().view.lifecycle.isPurgeDue(minute(2))).toBe(false)
    expect(await store().view.lifecycle.listPreviewResults(second.id, 'ANY', { limit: 10 })).toEqual(results)
    expect(await store().transact((tx) => tx.lifecycle.deletePreviewResults(second.id, 3))).toBe(3)
    expect(await store().view.lifecycle.listPreviewResults(second.id, 'ANY', { limit: 10 })).toEqual(results.slice(3))
  })

  test('the results of a preview go when its time is over; it is known to have expired', async () => {
    const { id } = await addRepository(store(), 'app')
    const preview = await start(id)
    await store().transact((tx) => tx.lifecycle.addPreviewResults(preview.id, [previewResult(1)]))
    const purge = (at: number) => store().transact((tx) => tx.lifecycle.purgePreviews(minute(at), 10))
    expect(await purge(99)).toBe(0)
    expect([await purge(100), await purge(100), await purge(100)]).toEqual([1, 1, 0])
    expect((await store().view.lifecycle.findPreview(id))?.status).toBe('EXPIRED')
    expect(await store().view.lifecycle.listPreviewResults(preview.id, 'ANY', { limit: 10 })).toEqual([])
  })

  test('policy and preview go with the repository', async () => {
    const { id } = await addRepository(store(), 'app')
    await put(id, 'p1', 1)
    const preview = await start(id)
    await store().transact((tx) => tx.lifecycle.addPreviewResults(preview.id, [previewResult(1)]))
    await store().transact((tx) => tx.repositories.delete(id))
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
    expect(await store().view.lifecycle.findPolicy(id)).toBeUndefined()
    expect(await store().view.lifecycle.findPreview(id)).toBeUndefined()
    expect(await store().view.lifecycle.listUnfinishedPreviews(10)).toEqual([])
    while ((await store().transact((tx) => tx.lifecycle.purgePreviews(minute(2), 10))) > 0);
    expect(await store().view.lifecycle.listPreviewResults(preview.id, 'ANY', { limit: 10 })).toEqual([])
  })
}

export function leaseCases(store: StoreOf): void {
  const take = (holder: string, at: number, until: number) =>
    store().transact((tx) => tx.leases.take('job', holder, minute(at), minute(until)))

  test('a lease has one holder until it ends', async () => {
    expect(await take('a', 0, 10)).toBe(true)
    expect(await take('b', 9, 20)).toBe(false)
    expect(await take('b', 10, 20)).toBe(true)
    expect(await take('a', 11, 20)).toBe(false)
  })

  test('its holder prolongs it', async () => {
    await take('a', 0, 10)
    expect(await take('a', 9, 20)).toBe(true)
    expect(await take('b', 11, 20)).toBe(false)
  })

  test('its holder gives it back, and nobody else does', async () => {
    await take('a', 0, 10)
    await store().transact((tx) => tx.leases.release('job', 'b'))
    expect(await take('b', 1, 10)).toBe(false)
    await store().transact((tx) => tx.leases.release('job', 'a'))
    expect(await take('b', 1, 10)).toBe(true)
  })

  test('leases of other jobs are others', async () => {
    await take('a', 0, 10)
    expect(await store().transact((tx) => tx.leases.take('other', 'b', minute(1), minute(2)))).toBe(true)
  })
}
