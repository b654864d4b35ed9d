import { expect, test } from 'bun:test'
import { type AnyEvent, repositoryAction } from '../../src/domain/events.ts'
import { minute, OTHER_REGISTRY, REGISTRY, refOf, type StoreOf } from './metadata-store-records.ts'

/** An event of a repository, at a minute. */
export function eventAt(at: number, name = 'app'): AnyEvent {
  return repositoryAction(refOf(name), 'CREATE', minute(at))
}

export function outboxCases(store: StoreOf): void {
  const append = (...events: readonly AnyEvent[]) =>
    store().transact(async (tx) => {
      const positions: number[] = []
      for (const event of events) positions.push(await tx.outbox.append(event))
      return positions
    })
  const positions = async (after = 0) => (await store().view.outbox.list(after, 100)).map(({ position }) => position)

  test('events come back as they were written, in the order of their commits', async () => {
    const { view } = store()
    const elsewhere = { ...eventAt(2), registry: OTHER_REGISTRY }
    const [first = 0] = await append(eventAt(1))
    const [second = 0, third = 0] = await append(elsewhere, eventAt(3))
    expect(first < second && second < third).toBe(true)
    expect(await view.outbox.list(0, 1)).toEqual([{ position: first, ...eventAt(1) }])
    expect(await view.outbox.list(first, 10)).toEqual([
      { position: second, ...elsewhere },
      { position: third, ...eventAt(3) },
    ])
    expect(await view.outbox.list(0, 10, OTHER_REGISTRY)).toEqual([{ position: second, ...elsewhere }])
    expect(await view.outbox.list(0, 10, REGISTRY)).toHaveLength(2)
    expect(await view.outbox.range()).toEqual({ first, last: third })
  })

  test('a page holds so many events, or so many bytes, and at least one', async () => {
    const { view } = store()
    const large = (at: number): AnyEvent => ({ ...eventAt(at), detail: { text: 'x'.repeat(1_000) } })
    const [first = 0] = await append(large(1), large(2), { ...large(3), registry: OTHER_REGISTRY }, large(4))
    const page = async (after: number, limit: number, bytesMax: number, registry?: typeof REGISTRY) => {
      const { events, isEnd } = await view.outbox.page(after, limit, bytesMax, registry)
      return [events.map(({ position }) => position - first), isEnd]
    }
    expect(await page(0, 10, 1_000_000)).toEqual([[0, 1, 2, 3], true])
    expect(await page(0, 2, 1_000_000)).toEqual([[0, 1], false])
    expect(await page(0, 10, 2_500)).toEqual([[0, 1], false])
    expect(await page(0, 10, 1)).toEqual([[0], false])
    expect(await page(0, 10, 2_500, REGISTRY)).toEqual([[0, 1], false])
    expect(await page(first + 1, 10, 2_500, REGISTRY)).toEqual([[3], true])
    expect(await page(first + 3, 10, 1)).toEqual([[], true])
    expect(await view.outbox.listTimes(first, 2)).toEqual([
      { position: first + 1, at: minute(2) },
      { position: first + 2, at: minute(3) },
    ])
  })

  test('an event is there only if its transaction was committed, and those who watch hear of that', async () => {
    let heard = 0
    store().watchOutbox(() => heard++)
    const failed = store().transact(async (tx) => {
      await tx.outbox.append(eventAt(1))
      throw new Error('no')
    })
    await expect(failed).rejects.toThrow('no')
    expect(await positions()).toEqual([])
    expect(heard).toBe(0)
    await append(eventAt(1), eventAt(2))
    await store().transact((tx) => tx.credentials.keepSecret('a', new Uint8Array(1)))
    expect(heard).toBe(1)
  })

  test('the oldest events go by age and by number, in steps, and the newest never', async () => {
    const all = await append(...[1, 2, 3, 4, 5].map((at) => eventAt(at)))
    const prune = (before: number, countMax: number, limit = 10) =>
      store().transact((tx) => tx.outbox.prune(minute(before), countMax, limit))
    expect(await prune(3, 100, 1)).toBe(1)
    expect(await prune(3, 100)).toBe(1)
    expect(await prune(3, 100)).toBe(0)
    expect(await positions()).toEqual(all.slice(2))
    expect(await prune(0, 2)).toBe(1)
    expect(await positions()).toEqual(all.slice(3))
    expect(await prune(100, 0)).toBe(1)
    expect(await positions()).toEqual(all.slice(4))
    const last = all.at(-1) ?? 0
    expect(await append(eventAt(6))).toEqual([last + 1])
  })

  test('an empty log has no range', async () => {
    expect(await store().view.outbox.range()).toEqual({ first: 1, last: 0 })
    expect(await store().transact((tx) => tx.outbox.prune(minute(1), 0, 10))).toBe(0)
  })
}
