import { expect, test } from 'bun:test'
import type { NewAlarm } from '../../src/domain/metrics/alarm.ts'
import type { Series } from '../../src/domain/metrics/series.ts'
import { plain } from './blob-bytes.ts'
import {
  addRepository,
  digestOf,
  minute,
  OTHER_REGISTRY,
  REGISTRY,
  refOf,
  type StoreOf,
} from './metadata-store-records.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const pulls = (subject: string, registry = REGISTRY): Series => ({ registry, metric: 'RepositoryPullCount', subject })

export function metricCases(store: StoreOf): void {
  const add = (series: Series, at: Date, amount: number) =>
    store().transact((tx) => tx.metrics.add(series, MINUTE_MS, at, amount))
  const counts = async (series: Series, periodMsMax = HOUR_MS) =>
    (await store().view.metrics.listCounts(series, minute(0), minute(10_000), periodMsMax)).map(({ at, amount }) => [
      (at.getTime() - minute(0).getTime()) / MINUTE_MS,
      amount,
    ])

  test('counts of one period are added up, and each series has its own', async () => {
    await add(pulls('a'), minute(1), 2)
    await add(pulls('a'), minute(1), 3)
    await add(pulls('a'), minute(0), 1)
    await add(pulls('b'), minute(1), 7)
    await add(pulls('a', OTHER_REGISTRY), minute(1), 9)
    expect(await counts(pulls('a'))).toEqual([
      [0, 1],
      [1, 5],
    ])
    const { metrics } = store().view
    expect(await metrics.listCounts(pulls('a'), minute(1), minute(2), MINUTE_MS)).toEqual([
      { at: minute(1), amount: 5 },
    ])
    expect(await metrics.listCounts(pulls('a'), minute(0), minute(1), MINUTE_MS)).toHaveLength(1)
  })

  test('series are listed in order, page by page, as long as they were counted in', async () => {
    const calls: Series = { registry: REGISTRY, metric: 'CallCount', subject: 'PutImage' }
    await add(pulls('b'), minute(5), 1)
    await add(pulls('a'), minute(9), 1)
    await add(pulls('a'), minute(2), 1)
    await add(calls, minute(7), 1)
    const { metrics } = store().view
    expect(await metrics.listSeries(REGISTRY, minute(0), { limit: 10 })).toEqual([calls, pulls('a'), pulls('b')])
    expect(await metrics.listSeries(REGISTRY, minute(0), { after: calls, limit: 1 })).toEqual([pulls('a')])
    expect(await metrics.listSeries(REGISTRY, minute(6), { limit: 10 })).toEqual([calls, pulls('a')])
    expect(await metrics.listSeries(OTHER_REGISTRY, minute(0), { limit: 10 })).toEqual([])
  })

  test('old counts are summed up in longer periods, and forgotten at last', async () => {
    for (const at of [0, 1, 59, 60, 61, 500]) await add(pulls('a'), minute(at), 1)
    const sumUp = (limit: number) => store().transact((tx) => tx.metrics.sumUp(MINUTE_MS, HOUR_MS, minute(120), limit))
    expect([await sumUp(3), await sumUp(3), await sumUp(3)]).toEqual([3, 2, 0])
    expect(await counts(pulls('a'))).toEqual([
      [0, 3],
      [60, 2],
      [500, 1],
    ])
    expect(await counts(pulls('a'), MINUTE_MS)).toEqual([[500, 1]])
    const forget = (before: Date, periodMs: number) => store().transact((tx) => tx.metrics.forget(periodMs, before, 10))
    expect(await forget(minute(60), HOUR_MS)).toBe(1)
    expect(await counts(pulls('a'))).toEqual([
      [60, 2],
      [500, 1],
    ])
    expect(await store().view.metrics.listSeries(REGISTRY, minute(0), { limit: 10 })).toHaveLength(1)
    await forget(minute(1000), HOUR_MS)
    expect(await store().view.metrics.listSeries(REGISTRY, minute(0), { limit: 10 })).toEqual([])
  })

  const alarm = (name: string, given: Partial<NewAlarm> = {}): NewAlarm => ({
    registry: REGISTRY,
    name,
    definition: {
      actionsEnabled: true,
      namespace: 'AWS/ECR',
      metricName: 'RepositoryPullCount',
      dimensions: [{ name: 'RepositoryName', value: 'app' }],
      statistic: 'Sum',
      periodSeconds: 60,
      evaluationPeriods: 1,
      threshold: 5,
      comparison: 'GreaterThanThreshold',
    },
    configuredAt: minute(1),
    state: { value: 'INSUFFICIENT_DATA', reason: 'new', updatedAt: minute(1), changedAt: minute(1) },
    tags: [{ key: 'team', value: 'a' }],
    ...given,
  })

  test('an alarm comes back as it was put, and keeps state and tags when it is put again', async () => {
    const first = alarm('first')
    await store().transact((tx) => tx.alarms.put(first))
    expect(await store().view.alarms.find(REGISTRY, 'first')).toEqual(first)
    const changed = { ...first, definition: { ...first.definition, threshold: 9 }, configuredAt: minute(2) }
    await store().transact((tx) =>
      tx.alarms.put({ ...changed, tags: [], state: { ...first.state, value: 'OK', updatedAt: minute(2) } }),
    )
    expect(await store().view.alarms.find(REGISTRY, 'first')).toEqual(changed)
    expect(await store().view.alarms.find(OTHER_REGISTRY, 'first')).toBeUndefined()
    await store().transact((tx) => tx.alarms.putTags(REGISTRY, 'first', [{ key: 'b', value: '' }]))
    expect((await store().view.alarms.find(REGISTRY, 'first'))?.tags).toEqual([{ key: 'b', value: '' }])
    await store().transact((tx) => tx.alarms.delete(REGISTRY, 'first'))
    expect(await store().view.alarms.count(REGISTRY)).toBe(0)
  })

  test('the state of an alarm changes only while it is as it was seen', async () => {
    const seen = alarm('a')
    await store().transact((tx) => tx.alarms.put(seen))
    const ok = { value: 'OK', reason: 'fine', reasonData: '{}', updatedAt: minute(3), changedAt: minute(3) } as const
    expect(await store().transact((tx) => tx.alarms.setState(seen, ok))).toBe(true)
    expect(await store().transact((tx) => tx.alarms.setState(seen, ok))).toBe(false)
    const now = await store().view.alarms.find(REGISTRY, 'a')
    expect(now?.state).toEqual(ok)
    await store().transact((tx) => tx.alarms.put(alarm('a', { configuredAt: minute(4) })))
    expect(await store().transact((tx) => tx.alarms.setState(now ?? seen, ok))).toBe(false)
  })

  test('alarms are listed by name, and all of them by place', async () => {
    for (const name of ['b', 'a', 'c']) await store().transact((tx) => tx.alarms.put(alarm(name)))
    await store().transact((tx) => tx.alarms.put(alarm('a', { registry: OTHER_REGISTRY })))
    const { alarms } = store().view
    const names = async (list: Promise<readonly NewAlarm[]>) => (await list).map(({ name }) => name)
    expect(await names(alarms.list(REGISTRY, { limit: 2 }))).toEqual(['a', 'b'])
    expect(await names(alarms.list(REGISTRY, { after: 'b', limit: 2 }))).toEqual(['c'])
    expect(await alarms.count(REGISTRY)).toBe(3)
    const all = await alarms.listAll({ limit: 3 })
    expect(await names(Promise.resolve(all))).toEqual(['a', 'b', 'c'])
    expect(await names(alarms.listAll({ after: all.at(-1), limit: 3 }))).toEqual(['a'])
  })

  test('sums tell what repositories hold by themselves and together, step by step', async () => {
    const one = await addRepository(store(), 'one')
    const two = await addRepository(store(), 'two')
    await store().transact(async (tx) => {
      for (const [digest, sizeBytes, holders] of [
        ['shared', 100, [one.id, two.id]],
        ['own', 10, [one.id]],
      ] as const)
        for (const id of holders) {
          await tx.blobs.claim(plain(digestOf(digest)), minute(1))
          await tx.blobs.link(id, plain(digestOf(digest)), sizeBytes, minute(1))
        }
    })
    const { figures } = store().view
    expect((await figures.listRepositories(0, 10)).map(({ id, ref }) => [id, ref])).toEqual([
      [one.id, refOf('one')],
      [two.id, refOf('two')],
    ])
    const sums = new Map<number, number[]>()
    for (let after = { repositoryId: 0, digest: '' }, steps = 0; steps < 9; steps++) {
      const { sums: found, next } = await figures.sumLinks(after, 1)
      for (const { repositoryId, blobCount, sizeBytes, ownBytes, shareBytes } of found) {
        const [a = 0, b = 0, c = 0, d = 0] = sums.get(repositoryId) ?? []
        sums.set(repositoryId, [a + blobCount, b + sizeBytes, c + ownBytes, d + shareBytes])
      }
      if (next === undefined) break
      after = next
    }
    expect(sums.get(one.id)).toEqual([2, 110, 10, 60])
    expect(sums.get(two.id)).toEqual([1, 100, 0, 50])
    const first = await figures.sumBlobs(undefined, 1)
    const second = await figures.sumBlobs(first.next, 5)
    expect([first.blobCount + second.blobCount, first.sizeBytes + second.sizeBytes]).toEqual([2, 110])
    expect(second.next).toBeUndefined()
    expect(await figures.queueDepths()).toEqual({
      uploads: 0,
      deadBlobs: 0,
      signings: 0,
      lifecyclePreviews: 0,
      scans: 0,
      replications: 0,
      replicationDeletions: 0,
      events: 0,
      eventDeadLetters: 0,
    })
  })
}
