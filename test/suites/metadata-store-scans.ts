import { expect, test } from 'bun:test'
import type { ScanConfiguration } from '../../src/domain/scanning/configuration.ts'
import type { KeptResult } from '../../src/stores/scans.ts'
import { findingOf } from '../support/finding.ts'
import { addImage, addRepository, minute, OTHER_REGISTRY, REGISTRY, type StoreOf } from './metadata-store-records.ts'

const RESULT: KeptResult = { engine: 'test', completedAt: minute(5), coverage: [], findings: [], counts: {} }
const finding = { ...findingOf(), firstObservedAt: minute(2), changedAt: minute(3) }

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
    const findings = Array.from({ length: 250 }, (_, n) => ({ ...finding, id: `CVE-2026-${n}` }))
    await store().transact((tx) => tx.scans.finish(id, { ...RESULT, findings, counts: { HIGH: 250 } }))
    expect(await view.scans.listUnfinished(minute(9), 10)).toEqual([])
    expect(await store().transact((tx) => tx.scans.begin(id))).toBe(false)
    const scan = await view.scans.find(image.id, 'BASIC')
    expect(scan).toMatchObject({ state: 'DONE', completedAt: minute(5), counts: { HIGH: 250 }, findingCount: 250 })
    expect(await view.scans.find(image.id, 'ENHANCED')).toBeUndefined()
    expect(await view.scans.listFindings(id, 95, 10)).toEqual(findings.slice(95, 105))
    await store().transact((tx) => tx.scans.finish(id, { ...RESULT, findings, counts: { HIGH: 250 } }))
    expect((await view.scans.find(image.id, 'BASIC'))?.generation).toBe(scan?.generation ?? 0)
    await store().transact((tx) => tx.scans.finish(id, RESULT))
    expect((await view.scans.find(image.id, 'BASIC'))?.generation).toBe((scan?.generation ?? 0) + 1)
    expect(await view.scans.listFindings(id, 0, 10)).toEqual([])
    await store().transact((tx) => tx.images.delete(image.id, minute(9)))
    expect(await view.scans.find(image.id, 'BASIC')).toBeUndefined()
    expect(await store().transact((tx) => tx.scans.finish(id, RESULT))).toBe(false)
  })
}
