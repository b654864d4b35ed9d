import { expect, test } from 'bun:test'
import { parseTag } from '../../src/domain/names.ts'
import type { MetadataWriter } from '../../src/stores/metadata.ts'
import {
  addImage,
  addRepository,
  minute,
  newRepository,
  REGISTRY,
  refOf,
  rejection,
  type StoreOf,
} from './metadata-store-records.ts'

export function transactionCases(store: StoreOf): void {
  const count = () => store().view.repositories.count(REGISTRY)

  test('a thrown error undoes everything and passes on as it is', async () => {
    const reason = new Error('changed my mind')
    const undone = store().transact(async (tx) => {
      const { id } = await tx.repositories.insert(newRepository('app'))
      await tx.repositories.putResourceTags(id, [{ key: 'a', value: 'b' }])
      throw reason
    })
    expect(await rejection(undone)).toBe(reason)
    expect(await count()).toBe(0)
    await addRepository(store(), 'app')
    expect(await count()).toBe(1)
  })

  test('a transaction sees its own writes, and nobody else does before it ends', async () => {
    const seen = await store().transact(async (tx) => {
      await tx.repositories.insert(newRepository('app'))
      return {
        inside: await tx.repositories.count(REGISTRY),
        view: await count(),
        snapshot: await store().read((view) => view.repositories.count(REGISTRY)),
      }
    })
    expect(seen).toEqual({ inside: 1, view: 0, snapshot: 0 })
    expect(await count()).toBe(1)
  })

  test('a look shows what was committed a moment ago, whatever was looked at before', async () => {
    for (let n = 0; n < 50; n++) {
      const durability = n % 2 === 0 ? 'relaxed' : 'durable'
      const before = [count(), count()]
      const written = store().transact((tx) => tx.repositories.insert(newRepository(`app-${n}`)), { durability })
      expect(await Promise.all(before)).toEqual([n, n])
      const { id } = await written
      expect(await count()).toBe(n + 1)
      expect((await store().view.repositories.find(refOf(`app-${n}`)))?.id).toBe(id)
      expect(await rejection(store().transact((tx) => tx.repositories.insert(newRepository(`app-${n}`))))).toBeDefined()
      expect(await count()).toBe(n + 1)
    }
  })

  test('a tag, moved and moved again, and a repository, deleted and made anew, are looked up as they are', async () => {
    const latest = parseTag('latest')
    const pull = () => store().view.images.resolve(refOf('app'), { tag: latest })
    for (let n = 0; n < 3; n++) {
      const { id } = await addRepository(store(), 'app')
      expect(await pull()).toMatchObject({ repository: { id }, found: undefined })
      for (const content of ['one', 'two']) {
        const image = await addImage(store(), id, content, { tags: ['latest'] })
        expect((await pull())?.found?.image).toEqual(image)
        await store().transact((tx) => tx.images.delete(image.id, minute(2)))
        expect((await pull())?.found).toBeUndefined()
        const again = await addImage(store(), id, content, { tags: ['latest'] })
        expect(again.id).not.toBe(image.id)
        expect((await pull())?.found?.image).toEqual(again)
      }
      await store().transact((tx) => tx.repositories.delete(id))
      expect(await pull()).toBeUndefined()
    }
  })

  test('writers exclude each other, in the order of asking', async () => {
    const order: string[] = []
    const entered = Promise.withResolvers<void>()
    const write = (name: string, before: Promise<void>) =>
      store().transact(async (tx) => {
        order.push(`${name} begins`)
        await before
        await tx.repositories.insert(newRepository(name))
        order.push(`${name} ends`)
      })
    const first = write('first', entered.promise)
    const others = [write('second', Promise.resolve()), write('third', Promise.resolve())]
    await addWhile(first, entered)
    await Promise.all([first, ...others])
    expect(order).toEqual(['first begins', 'first ends', 'second begins', 'second ends', 'third begins', 'third ends'])
  })

  /** Reads go on while the first writer waits for `entered`. */
  const addWhile = async (first: Promise<void>, entered: { resolve: () => void }) => {
    expect(await count()).toBe(0)
    entered.resolve()
    await first
  }

  test('what a transaction has checked still holds when it commits', async () => {
    const increment = () =>
      store().transact(async (tx) => {
        const names = await tx.repositories.list(REGISTRY, { limit: 100 })
        await Promise.resolve()
        await tx.repositories.insert(newRepository(`app-${names.length}`))
      })
    await Promise.all(Array.from({ length: 20 }, increment))
    expect(await count()).toBe(20)
  })

  test('a snapshot shows one state, whatever is written meanwhile', async () => {
    await addRepository(store(), 'before')
    const seen = await store().read(async (view) => {
      const first = await view.repositories.count(REGISTRY)
      await addRepository(store(), 'meanwhile')
      const { id } = await addRepository(store(), 'and-more')
      await addImage(store(), id, 1)
      return [first, await view.repositories.count(REGISTRY), await view.repositories.find(refOf('meanwhile'))]
    })
    expect(seen).toEqual([1, 1, undefined])
    expect(await count()).toBe(3)
  })

  test('many snapshots live side by side, each with its own state', async () => {
    const release = Promise.withResolvers<void>()
    const snapshots: Promise<readonly number[]>[] = []
    for (let n = 0; n < 6; n++) {
      const started = Promise.withResolvers<void>()
      snapshots.push(
        store().read(async (view) => {
          const before = await view.repositories.count(REGISTRY)
          started.resolve()
          await release.promise
          return [before, await view.repositories.count(REGISTRY)]
        }),
      )
      await started.promise
      await addRepository(store(), `app-${n}`)
    }
    release.resolve()
    expect(await Promise.all(snapshots)).toEqual([0, 1, 2, 3, 4, 5].map((n) => [n, n]))
  })

  test('more snapshots than connections take turns', async () => {
    const counts = await Promise.all(
      Array.from({ length: 50 }, () => store().read((view) => view.repositories.count(REGISTRY))),
    )
    expect(counts).toEqual(Array(50).fill(0))
  })

  test('a snapshot ends when its work throws', async () => {
    const reason = new Error('no')
    for (let n = 0; n < 20; n++) expect(await rejection(store().read(() => Promise.reject(reason)))).toBe(reason)
    expect(await store().read((view) => view.repositories.count(REGISTRY))).toBe(0)
  })

  test('a transaction that has ended can do no more', async () => {
    let kept: MetadataWriter | undefined
    await store().transact(async (tx) => {
      kept = tx
    })
    expect(await rejection(kept?.repositories.insert(newRepository('late')) ?? Promise.resolve())).toBeInstanceOf(Error)
    expect(await count()).toBe(0)
  })

  test('an error inside that the work takes care of leaves the rest', async () => {
    await addRepository(store(), 'app')
    await store().transact(async (tx) => {
      await tx.repositories.insert(newRepository('app')).catch(() => {})
      await tx.repositories.insert(newRepository('other'))
    })
    expect(await count()).toBe(2)
  })

  test('the store is ready until it is closed', async () => {
    await store().checkReady()
    const running = store().transact(async (tx) => tx.repositories.insert(newRepository('app')))
    const reading = store().read((view) => view.repositories.count(REGISTRY))
    await store().close()
    expect((await running).name as string).toBe('app')
    expect(await reading).toBe(0)
    for (const late of [
      store().checkReady(),
      store().transact(async () => {}),
      store().read(async () => {}),
      store().view.repositories.count(REGISTRY),
    ])
      expect(await rejection(late)).toBeInstanceOf(Error)
    await store().close()
  })
}
