import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { parseRegion, parseTag } from '../../src/domain/names.ts'
import type { ObservedFinding } from '../../src/domain/scanning/scan.ts'
import { getRepository } from '../../src/services/repositories/repositories.ts'
import type { SortedWish, SortKey } from '../../src/services/scanning/sorted-findings.ts'
import { findingOf } from '../support/finding.ts'
import { admin, createServices, pushImage, refTo, registry, type Services } from '../support/service-fixture.ts'

const ref = refTo('app')
const COUNT = 2_345
const caller = { principal: admin, action: 'ListFindings', registry }
const BY_ID: SortedWish = {
  text: 'by id',
  isDescending: true,
  sortedBy: ({ finding }) => finding.packageVulnerabilityDetails.vulnerabilityId,
}
let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] as const
  await services.scanConfigurations.put(admin, registry, { type: 'ENHANCED', rules })
})
afterEach(() => services.close())

const idOf = (n: number) => `CVE-2026-${String(n).padStart(6, '0')}`

/** As a scan would have left them. */
async function record(digest: Digest, from: number, count: number): Promise<void> {
  const { metadata, clock, keptFindings } = services
  const repository = await getRepository(metadata.view, ref)
  const image = await metadata.view.images.find(repository.id, { digest })
  if (image === undefined) throw new Error('there is no such image')
  const at = clock.now()
  const findings = Array.from(
    { length: count },
    (_, n): ObservedFinding => ({ ...findingOf({ id: idOf(from + n) }), firstObservedAt: at, changedAt: at }),
  )
  await metadata.transact((tx) => tx.scans.request(image.id, registry, 'ENHANCED', at, at))
  const scan = await metadata.view.scans.find(image.id, 'ENHANCED')
  const before = await keptFindings.open(metadata.view, repository, scan?.id ?? 0)
  const of = { id: scan?.id ?? 0, type: 'ENHANCED' } as const
  const { change } = await keptFindings.exchange(repository, of, before, findings)
  const result = { engine: 'ecru', completedAt: at, coverage: [], findingCount: count, counts: { HIGH: count } }
  await metadata.transact((tx) => tx.scans.finish(scan?.id ?? 0, result, change))
}

async function described(digest: Digest, meanwhile = async (_page: number) => {}): Promise<readonly string[]> {
  const ids: string[] = []
  let token: string | undefined
  for (let page = 0; ; page++) {
    const { result } = await services.scanFindings.describe(admin, ref, { digest }, { limit: 400, token })
    ids.push(...(result?.findings ?? []).map(({ finding }) => finding.id))
    token = result?.nextToken
    if (token === undefined) return ids
    await meanwhile(page)
  }
}

describe('an image with very many findings', () => {
  test('shows each once, page by page, also when some are set aside', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    await record(digest, 0, COUNT)
    const all = Array.from({ length: COUNT }, (_, n) => idOf(n))
    expect(await described(digest)).toEqual(all)
    const rule = { id: 'a', vulnerability: idOf(7), reason: 'no', createdBy: 'me', createdAt: services.clock.now() }
    await services.metadata.transact((tx) => tx.suppressions.put(registry, rule))
    expect(await described(digest)).toEqual(all)
    const { result } = await services.scanFindings.describe(admin, ref, { digest }, { limit: 10 })
    expect(result?.counts).toEqual({ HIGH: COUNT - 1 })
    expect(result?.findings[7]?.finding.status).toMatchObject({ kind: 'suppressed', source: 'a' })
  })

  test('does not go on where others were found, or others are set aside', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    await record(digest, 0, COUNT)
    await expect(described(digest, () => record(digest, 1, COUNT))).rejects.toThrow('the findings have changed')
    const rule = { id: 'a', vulnerability: idOf(7), reason: 'no', createdBy: 'me', createdAt: services.clock.now() }
    const add = async () => services.metadata.transact((tx) => tx.suppressions.put(registry, rule))
    await expect(described(digest, add)).rejects.toThrow('the findings have changed')
  })

  test('only parts that have changed are written again', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    await record(digest, 0, COUNT)
    const { view } = services.metadata
    const image = (await services.contents.open(ref, { tag: parseTag('v1') })).image
    const scan = await view.scans.find(image.id, 'ENHANCED')
    const repository = await getRepository(view, ref)
    const of = { id: scan?.id ?? 0, type: 'ENHANCED' } as const
    const opened = await services.keptFindings.open(view, repository, of.id)
    const { texts, findings } = opened
    expect(texts.length).toBe(24)
    const same = { change: undefined, findingCount: COUNT }
    expect(await services.keptFindings.exchange(repository, of, opened, findings)).toEqual(same)
    const other = findings.map((one, n) => (n === 150 ? { ...one, title: 'other' } : one))
    const { change } = await services.keptFindings.exchange(repository, of, opened, other)
    expect(change).toMatchObject({ partCount: 24, parts: [{ part: 1 }] })
  })
})

describe('all findings of a registry, sorted', () => {
  async function sorted(meanwhile = async (_page: number) => {}): Promise<readonly string[]> {
    const ids: string[] = []
    let after: SortKey | undefined
    for (let page = 0; ; page++) {
      const rows = await services.sortedFindings.page(caller, BY_ID, after, 500)
      ids.push(...rows.map(([{ finding }]) => finding.packageVulnerabilityDetails.vulnerabilityId))
      after = rows.at(-1)?.[1]
      if (rows.length < 500) return ids
      await meanwhile(page)
    }
  }

  test('come each once, whatever is scanned meanwhile', async () => {
    await record(await pushImage(services, ref, 'a', 'v1'), 0, COUNT)
    const other = await pushImage(services, ref, 'b', 'v2')
    await record(other, 1_000, 500)
    const expected = [
      ...Array.from({ length: COUNT }, (_, n) => idOf(n)),
      ...Array.from({ length: 500 }, (_, n) => idOf(1_000 + n)),
    ].sort((a, b) => (a < b ? 1 : a > b ? -1 : 0))
    expect(await sorted()).toEqual(expected)
    const third = await pushImage(services, ref, 'c', 'v3')
    expect(await sorted(async (page) => (page === 1 ? record(third, 0, 10) : undefined))).toEqual(expected)
  })

  test('go on behind the last one when findings have changed meanwhile', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    await record(digest, 0, COUNT)
    const ids = await sorted(async (page) => (page === 0 ? record(digest, 0, COUNT - 10) : undefined))
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids).toEqual(Array.from({ length: COUNT }, (_, n) => idOf(COUNT - 1 - n)))
  })

  test('are nobody else’s', async () => {
    await record(await pushImage(services, ref, 'a', 'v1'), 0, 10)
    const [row] = await services.sortedFindings.page(caller, BY_ID, undefined, 5)
    expect(row).toBeDefined()
    const stranger = { ...caller, registry: { ...registry, region: parseRegion('us-east-1') } }
    expect(await services.sortedFindings.page(stranger, BY_ID, row?.[1], 5)).toEqual([])
  })
})
