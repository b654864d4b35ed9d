import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { admin, createServices, type Services } from '../support/service-fixture.ts'
import { codeOf, DAY_MS, expireUntagged, present, push, pushIndex, ref } from './lifecycle-policies.ts'

let services: Services
beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})
afterEach(() => services.close())

describe('previews', () => {
  const pageOf = (limit: number, token?: string) => ({ tagStatus: 'ANY', paging: { limit, token } }) as const

  test('are under way, then complete; nothing is deleted', async () => {
    const { lifecycle, lifecycleJobs } = services
    const old = await push(services, 'old')
    const kept = await push(services, 'kept', 'v1')
    services.clock.advance(2 * DAY_MS)
    expect(await lifecycle.startPreview(admin, ref, expireUntagged)).toMatchObject({ status: 'IN_PROGRESS' })
    expect(await lifecycle.getPreview(admin, ref, pageOf(10))).toMatchObject({
      preview: { status: 'IN_PROGRESS' },
      items: [],
    })
    expect(await codeOf(lifecycle.startPreview(admin, ref, expireUntagged))).toBe('lifecycle-preview-in-progress')
    await lifecycleJobs.makePreviews()
    const { preview, items } = await lifecycle.getPreview(admin, ref, pageOf(10))
    expect(preview).toMatchObject({
      status: 'COMPLETE',
      counts: { expiring: 1, transitioning: 0 },
      text: expireUntagged,
    })
    expect(items).toMatchObject([
      { digest: old, tags: [], action: 'expire', rulePriority: 1, storageClass: 'standard' },
    ])
    expect(await present(services)).toEqual(new Set([old, kept]))
    expect(await codeOf(lifecycle.getPolicy(admin, ref))).toBe('lifecycle-policy-not-found')
  })

  test('try the stored policy when no other is given', async () => {
    const { lifecycle } = services
    expect(await codeOf(lifecycle.startPreview(admin, ref, undefined))).toBe('lifecycle-policy-not-found')
    await lifecycle.putPolicy(admin, ref, expireUntagged)
    expect((await lifecycle.startPreview(admin, ref, undefined)).text).toBe(expireUntagged)
  })

  test('list children of indexes, which a run would not expire', async () => {
    const child = await push(services, 'child')
    await pushIndex(services, [child], 'v1')
    services.clock.advance(2 * DAY_MS)
    await services.lifecycle.startPreview(admin, ref, expireUntagged)
    await services.lifecycleJobs.makePreviews()
    const { items } = await services.lifecycle.getPreview(admin, ref, pageOf(10))
    expect(items.map(({ digest }) => digest)).toEqual([child])
  })

  test('are read in pages, oldest image first, whose tokens end with the preview', async () => {
    const { lifecycle, lifecycleJobs } = services
    const digests: Digest[] = []
    for (let n = 0; n < 7; n++) digests.push(await push(services, `image ${n}`))
    services.clock.advance(2 * DAY_MS)
    await lifecycle.startPreview(admin, ref, expireUntagged)
    await lifecycleJobs.makePreviews()
    const seen: Digest[] = []
    let token: string | undefined
    do {
      const page = await lifecycle.getPreview(admin, ref, pageOf(3, token))
      seen.push(...page.items.map(({ digest }) => digest))
      token = page.nextToken
    } while (token !== undefined)
    expect(seen).toEqual(digests)
    const { nextToken } = await lifecycle.getPreview(admin, ref, pageOf(3))
    await lifecycle.startPreview(admin, ref, expireUntagged)
    expect(await codeOf(lifecycle.getPreview(admin, ref, pageOf(3, nextToken)))).toBe('invalid-parameter')
    expect(await codeOf(lifecycle.getPreview(admin, ref, pageOf(3, 'nonsense')))).toBe('invalid-parameter')
  })

  test('are not there before they are asked for', async () => {
    expect(await codeOf(services.lifecycle.getPreview(admin, ref, pageOf(1)))).toBe('lifecycle-preview-not-found')
  })

  test('that broke off are made again from the start', async () => {
    const { lifecycle, lifecycleJobs, metadata } = services
    const old = await push(services, 'old')
    services.clock.advance(2 * DAY_MS)
    const { id } = await lifecycle.startPreview(admin, ref, expireUntagged)
    const left = { tags: [], pushedAt: services.clock.now(), storageClass: 'standard', action: 'expire' } as const
    const results = [1, 2].map((position) => ({ ...left, position, digest: old, rulePriority: 9 }))
    await metadata.transact((tx) => tx.lifecycle.addPreviewResults(id, results))
    await lifecycleJobs.makePreviews()
    const { items } = await lifecycle.getPreview(admin, ref, pageOf(10))
    expect(items.map(({ rulePriority }) => rulePriority)).toEqual([1])
  })

  test('are made soon after they were asked for, once the jobs have started', async () => {
    const { lifecycle, lifecycleJobs } = services
    lifecycleJobs.start()
    for (let round = 0; round < 3; round++) {
      await lifecycle.startPreview(admin, ref, expireUntagged)
      while ((await lifecycle.getPreview(admin, ref, pageOf(1))).preview.status !== 'COMPLETE') await Bun.sleep(1)
    }
  })

  test('expire after a week', async () => {
    await push(services, 'old')
    services.clock.advance(2 * DAY_MS)
    await services.lifecycle.startPreview(admin, ref, expireUntagged)
    await services.lifecycleJobs.makePreviews()
    services.clock.advance(7 * DAY_MS)
    const expired = { preview: { status: 'EXPIRED' }, items: [] }
    expect(await services.lifecycle.getPreview(admin, ref, pageOf(10))).toMatchObject(expired)
    await services.lifecycleJobs.makePreviews()
    expect(await services.lifecycle.getPreview(admin, ref, pageOf(10))).toMatchObject(expired)
    await services.lifecycle.startPreview(admin, ref, expireUntagged)
  })

  test('an operator sees the same without storing it', async () => {
    const old = await push(services, 'old')
    services.clock.advance(2 * DAY_MS)
    await services.lifecycle.putPolicy(admin, ref, expireUntagged)
    expect(await services.lifecycleJobs.forecast(ref)).toMatchObject({
      repositoryName: ref.name,
      imageCount: 1,
      expiringCount: 1,
      transitioningCount: 0,
      images: [{ digest: old, tags: [], action: 'expire', rulePriority: 1 }],
    })
    expect(await present(services)).toEqual(new Set([old]))
  })
})
