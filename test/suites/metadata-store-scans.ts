import { expect, test } from 'bun:test'
import type { ScanConfiguration } from '../../src/domain/scanning/configuration.ts'
import { PLAIN } from '../../src/domain/vault.ts'
import type { KeptResult } from '../../src/stores/scans.ts'
import { addImage, addRepository, minute, OTHER_REGISTRY, REGISTRY, type StoreOf } from './metadata-store-records.ts'

const RESULT: KeptResult = { engine: 'test', completedAt: minute(5), coverage: [], findingCount: 0, counts: {} }
const NOTHING = { partCount: 0, parts: [] }
const part = (n: number, ...bytes: readonly number[]) => ({ part: n, vault: PLAIN, body: Uint8Array.from(bytes) })

/** How registries are scanned, and what scans have found. */
export function scanCases(store: StoreOf): void {
  test('a configuration is its registry’s own, and its sweep is due until it has ended', async () => {
    const configuration: ScanConfiguration = {
      type: 'ENHANCED',
      rules: [{ frequency: 'SCAN_ON_PUSH', filters: ['*'] }],
    }
    await store().transact((tx) => tx.scans.putConfiguration(REGISTRY, configuration, true))
    expect(await store().view.scans.findConfiguration(REGISTRY)).toEqual(configuration)
    expect(await store().view.scans.findConfiguration(OTHER_REGISTRY)).toBeUndefined()
    expect(await store().view.scans.listSweeps(10)).toEqual([REGISTRY])
    await store().transact((tx) => tx.scans.endSweep(REGISTRY))
    expect(await store().view.scans.listSweeps(10)).toEqual([])
  })

  test('a scan is to be done from its time on, until it was done; findings come back in their order', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const image = await addImage(store(), repositoryId, 'a')
    const { view } = store()
    await store().transact((tx) => tx.scans.request(image.id, REGISTRY, 'BASIC', minute(1), minute(2)))
    expect(await view.scans.listUnfinished(minute(1), 10)).toEqual([])
    const [pending] = await view.scans.listUnfinished(minute(2), 10)
    expect(pending).toMatchObject({ type: 'BASIC', attempts: 0, image: { id: image.id }, repository: { name: 'app' } })
    const id = pending?.id ?? 0
    expect(await store().transact((tx) => tx.scans.begin(id))).toBe(true)
    expect((await view.scans.listUnfinished(minute(2), 10))[0]?.attempts).toBe(1)
    const result = { ...RESULT, findingCount: 250, counts: { HIGH: 250 } }
    const parts = [part(0, 1), part(1, 2), part(2, 3)]
    await store().transact((tx) => tx.scans.finish(id, result, { partCount: 3, parts }))
    expect(await view.scans.listUnfinished(minute(9), 10)).toEqual([])
    expect(await store().transact((tx) => tx.scans.begin(id))).toBe(false)
    const scan = await view.scans.find(image.id, 'BASIC')
    expect(scan).toMatchObject({ state: 'DONE', completedAt: minute(5), counts: { HIGH: 250 }, findingCount: 250 })
    expect(await view.scans.find(image.id, 'ENHANCED')).toBeUndefined()
    expect(await view.scans.listParts(id, 1, 2)).toEqual(parts.slice(1))
    await store().transact((tx) => tx.scans.finish(id, result))
    const generation = async () => (await view.scans.find(image.id, 'BASIC'))?.generation
    expect(await generation()).toBe(scan?.generation ?? 0)
    expect(await view.scans.listParts(id, 0, 9)).toEqual(parts)
    await store().transact((tx) => tx.scans.finish(id, result, { partCount: 2, parts: [part(1, 9)] }))
    expect(await view.scans.listParts(id, 0, 9)).toEqual([part(0, 1), part(1, 9)])
    await store().transact((tx) => tx.scans.finish(id, RESULT, NOTHING))
    expect(await generation()).toBe((scan?.generation ?? 0) + 2)
    expect(await view.scans.listParts(id, 0, 9)).toEqual([])
    await store().transact((tx) => tx.images.delete(image.id, minute(9)))
    expect(await view.scans.find(image.id, 'BASIC')).toBeUndefined()
    expect(await store().transact((tx) => tx.scans.finish(id, RESULT))).toBe(false)
  })

  test('outdated scans are found until they are done again', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const { view } = store()
    const ids: number[] = []
    for (const seed of ['a', 'b', 'c']) {
      const image = await addImage(store(), repositoryId, seed)
      await store().transact((tx) => tx.scans.request(image.id, REGISTRY, 'ENHANCED', minute(1), minute(1)))
      const id = (await view.scans.find(image.id, 'ENHANCED'))?.id ?? 0
      await store().transact((tx) => tx.scans.finish(id, { ...RESULT, revision: 7, architecture: 'arm64' }))
      ids.push(id)
    }
    const outdated = async (after?: number) =>
      (await view.scans.listOutdated({ after, limit: 2 })).map(({ scan: { id, architecture } }) => [id, architecture])
    expect(await outdated()).toEqual([])
    await store().transact((tx) => tx.scans.markOutdated([ids[0] ?? 0, ids[2] ?? 0]))
    expect(await outdated()).toEqual([
      [ids[0], 'arm64'],
      [ids[2], 'arm64'],
    ])
    expect(await outdated(ids[0])).toEqual([[ids[2], 'arm64']])
    await store().transact((tx) => tx.scans.finish(ids[0] ?? 0, { ...RESULT, revision: 8 }))
    expect(await outdated()).toEqual([[ids[2], 'arm64']])
  })
}
