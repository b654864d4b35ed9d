import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { parseTag } from '../../src/domain/names.ts'
import { LifecycleJobs } from '../../src/jobs/lifecycle-jobs.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { Activations } from '../../src/services/images/activations.ts'
import { LifecycleEvaluation } from '../../src/services/lifecycle/lifecycle-evaluation.ts'
import { LifecycleExecution } from '../../src/services/lifecycle/lifecycle-execution.ts'
import {
  ACTIVATION_MS,
  admin,
  createServices,
  LIFECYCLE_INTERVAL_MS,
  refTo,
  type Services,
  stranger,
} from '../support/service-fixture.ts'
import {
  any,
  archive,
  codeOf,
  DAY_MS,
  days,
  execute,
  expireUntagged,
  keep,
  policyOf,
  present,
  push,
  pushIndex,
  pushReferrer,
  ref,
  tagged,
  untagged,
} from './lifecycle-policies.ts'

let services: Services
beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})
afterEach(() => services.close())

describe('policies', () => {
  test('are kept as they were written, until they are deleted', async () => {
    const text = `  ${expireUntagged}\n`
    await services.lifecycle.putPolicy(admin, ref, text)
    expect(await services.lifecycle.getPolicy(admin, ref)).toMatchObject({ text, lastEvaluatedAt: undefined })
    expect((await services.lifecycle.deletePolicy(admin, ref)).text).toBe(text)
    expect(await codeOf(services.lifecycle.getPolicy(admin, ref))).toBe('lifecycle-policy-not-found')
    expect(await codeOf(services.lifecycle.deletePolicy(admin, ref))).toBe('lifecycle-policy-not-found')
  })

  test('that cannot be read leave the earlier one in its place', async () => {
    await services.lifecycle.putPolicy(admin, ref, expireUntagged)
    expect(await codeOf(services.lifecycle.putPolicy(admin, ref, '{"rules":[1]}'))).toBe('invalid-parameter')
    expect((await services.lifecycle.getPolicy(admin, ref)).text).toBe(expireUntagged)
  })

  test('belong to a repository that is there, and to those who may', async () => {
    const { lifecycle } = services
    const nowhere = refTo('nowhere')
    for (const attempt of [
      lifecycle.putPolicy(admin, nowhere, expireUntagged),
      lifecycle.getPolicy(admin, nowhere),
      lifecycle.deletePolicy(admin, nowhere),
      lifecycle.startPreview(admin, nowhere, expireUntagged),
      lifecycle.getPreview(admin, nowhere, { tagStatus: 'ANY', paging: { limit: 1 } }),
    ])
      expect(await codeOf(attempt)).toBe('repository-not-found')
    for (const attempt of [
      lifecycle.putPolicy(stranger, ref, expireUntagged),
      lifecycle.getPolicy(stranger, ref),
      lifecycle.deletePolicy(stranger, ref),
      lifecycle.startPreview(stranger, ref, expireUntagged),
      lifecycle.getPreview(stranger, ref, { tagStatus: 'ANY', paging: { limit: 1 } }),
    ])
      expect(await codeOf(attempt)).toBe('access-denied')
  })
})

describe('when policies are executed', () => {
  test('a while after they were put, then at every interval; each run is dated', async () => {
    const { clock, lifecycle, lifecycleJobs } = services
    await lifecycle.putPolicy(admin, ref, expireUntagged)
    await lifecycleJobs.runDue()
    expect((await lifecycle.getPolicy(admin, ref)).lastEvaluatedAt).toBeUndefined()
    clock.advance(10_000)
    await lifecycleJobs.runDue()
    const first = clock.now()
    expect((await lifecycle.getPolicy(admin, ref)).lastEvaluatedAt).toEqual(first)
    clock.advance(LIFECYCLE_INTERVAL_MS - 1)
    await lifecycleJobs.runDue()
    expect((await lifecycle.getPolicy(admin, ref)).lastEvaluatedAt).toEqual(first)
    clock.advance(1)
    await lifecycleJobs.runDue()
    expect((await lifecycle.getPolicy(admin, ref)).lastEvaluatedAt).toEqual(clock.now())
  })

  test('all that are due in one go, and one of them when asked', async () => {
    const others = ['a/a', 'b/b', 'c/c'].map(refTo)
    for (const other of others) {
      await services.repositories.create(admin, other)
      await services.lifecycle.putPolicy(admin, other, expireUntagged)
    }
    const one = await services.lifecycleJobs.run(refTo('b/b'))
    expect(one.runs.map(({ repositoryName }) => repositoryName)).toEqual(['b/b'])
    const all = await services.lifecycleJobs.run('all')
    expect(all.runs.map(({ repositoryName }) => repositoryName)).toEqual(['a/a', 'b/b', 'c/c'])
    services.clock.advance(LIFECYCLE_INTERVAL_MS)
    await services.lifecycleJobs.runDue()
    for (const other of others)
      expect((await services.lifecycle.getPolicy(admin, other)).lastEvaluatedAt).toEqual(services.clock.now())
  })

  test('nowhere, when the operator names a repository without a policy, or none', async () => {
    expect(await codeOf(services.lifecycleJobs.run(ref))).toBe('lifecycle-policy-not-found')
    expect(await codeOf(services.lifecycleJobs.run(refTo('nowhere')))).toBe('repository-not-found')
  })

  test('by one process at a time', async () => {
    const { metadata, clock, lifecycle, lifecycleJobs } = services
    await lifecycle.putPolicy(admin, ref, expireUntagged)
    const until = new Date(clock.now().getTime() + 60_000)
    await metadata.transact((tx) => tx.leases.take('lifecycle', 'another', clock.now(), until))
    expect(await lifecycleJobs.run('all')).toMatchObject({ isElsewhere: true, repositories: 0 })
    clock.advance(60_000)
    expect(await lifecycleJobs.run('all')).toMatchObject({ isElsewhere: false, repositories: 1 })
    expect(await metadata.transact((tx) => tx.leases.take('lifecycle', 'another', clock.now(), until))).toBe(true)
  })
})

test('a lease goes by the time that processes share, however far ahead the clock of this one is', async () => {
  const { metadata, clock, pulls, lifecycle } = services
  await lifecycle.putPolicy(admin, ref, expireUntagged)
  const leaseClock = { now: () => new Date('2026-03-02T08:00:00.000Z') }
  const evaluation = new LifecycleEvaluation(metadata, pulls, new Activations(metadata, clock), clock)
  const settings = { holder: 'this', intervalMs: LIFECYCLE_INTERVAL_MS, leaseClock }
  const execution = new LifecycleExecution(metadata, clock)
  const jobs = new LifecycleJobs({ metadata, evaluation, execution, clock, logger: silentLogger }, settings)
  const until = new Date(leaseClock.now().getTime() + 60_000)
  await metadata.transact((tx) => tx.leases.take('lifecycle', 'another', leaseClock.now(), until))
  clock.advance(30 * DAY_MS)
  expect(await jobs.run('all')).toMatchObject({ isElsewhere: true })
  await metadata.transact((tx) => tx.leases.release('lifecycle', 'another'))
  expect(await jobs.run('all')).toMatchObject({ isElsewhere: false })
  await jobs.close()
})

describe('what a run does', () => {
  test('images expire with their tags, and their layers die', async () => {
    const old = await push(services, 'old')
    const kept = await push(services, 'kept', 'v1')
    services.clock.advance(2 * DAY_MS)
    const fresh = await push(services, 'fresh')
    const run = await execute(services, expireUntagged)
    expect(await present(services)).toEqual(new Set([kept, fresh]))
    expect(run).toMatchObject({ imageCount: 3, expiredCount: 1, failedCount: 0, changedCount: 0 })
    expect(run.actions).toEqual([{ digest: old, tags: [], action: 'expire', rulePriority: 1 }])
    expect((await services.lifecycle.getPolicy(admin, ref)).lastRun).toMatchObject({ expiredCount: 1, imageCount: 3 })
    const unused = new Date(services.clock.now().getTime() + 1)
    expect(await services.metadata.view.blobs.listUnusedLinks(unused, 10)).toHaveLength(2)
  })

  test('many images go in steps, oldest first', async () => {
    const digests: Digest[] = []
    for (let n = 0; n < 45; n++) digests.push(await push(services, `image ${n}`, `v${n}`))
    const run = await execute(services, policyOf({ selection: { ...tagged('v'), ...keep(3) } }))
    expect(run.expiredCount).toBe(42)
    expect(run.actions.map(({ digest }) => digest)).toEqual(digests.slice(0, 42))
    expect(await present(services)).toEqual(new Set(digests.slice(42)))
  })

  test('a child of a living index stays, is reported, and is retried on later runs', async () => {
    const child = await push(services, 'child')
    const index = await pushIndex(services, [child])
    services.clock.advance(2 * DAY_MS)
    const first = await execute(services, expireUntagged)
    expect(first).toMatchObject({ expiredCount: 1, failedCount: 1 })
    expect(first.failures).toEqual([
      {
        digest: child,
        tags: [],
        action: 'expire',
        rulePriority: 1,
        code: 'ImageReferencedByManifestList',
        reason: `Requested image referenced by manifest list: [${index}]`,
      },
    ])
    expect(await present(services)).toEqual(new Set([child]))
    const { runs } = await services.lifecycleJobs.run(ref)
    expect(runs[0]).toMatchObject({ expiredCount: 1, failedCount: 0 })
    expect(await present(services)).toEqual(new Set())
  })

  test('referrers go with their subject, and theirs with them', async () => {
    const [a, b] = [await push(services, 'a', 'v1'), await push(services, 'b', 'v2')]
    const signature = await pushReferrer(services, a, 'signature')
    await pushReferrer(services, signature, 'countersignature')
    await pushReferrer(services, a, 'sbom', 'sbom-of-a')
    const kept = await pushReferrer(services, b, 'other signature')
    const run = await execute(services, policyOf({ selection: { ...tagged('v'), ...keep(1) } }))
    expect(run).toMatchObject({ expiredCount: 1, followedCount: 3 })
    expect(await present(services)).toEqual(new Set([b, kept]))
  })

  test('an untagged referrer is not expired while its subject lives, whichever rule chose it', async () => {
    const subject = await push(services, 'subject', 'v1')
    const signature = await pushReferrer(services, subject, 'signature')
    services.clock.advance(2 * DAY_MS)
    const first = await execute(services, expireUntagged)
    expect(first).toMatchObject({ expiredCount: 0, failedCount: 0 })
    const rules = [{ selection: { ...tagged('v'), ...keep(9) } }, { selection: { ...any, ...days(1) } }]
    const second = await execute(services, policyOf(...rules))
    expect(second.failures).toMatchObject([{ digest: signature, code: 'ImageRefersToImage' }])
    expect(await present(services)).toEqual(new Set([subject, signature]))
  })

  test('a referrer whose subject was deleted by hand is an image as any other', async () => {
    const subject = await push(services, 'subject', 'v1')
    await pushReferrer(services, subject, 'signature')
    await services.imageDeletion.deleteMany(admin, ref, [{ digest: subject }])
    services.clock.advance(2 * DAY_MS)
    expect(await execute(services, expireUntagged)).toMatchObject({ expiredCount: 1 })
    expect(await present(services)).toEqual(new Set())
  })

  test('images are archived with what belongs to them, and cannot be pulled any more', async () => {
    const child = await push(services, 'child')
    const index = await pushIndex(services, [child], 'v1')
    const signature = await pushReferrer(services, index, 'signature')
    const kept = await push(services, 'kept', 'v2')
    const run = await execute(services, policyOf({ selection: { ...tagged('v'), ...keep(1) }, action: archive }))
    expect(run).toMatchObject({ transitionedCount: 1, followedCount: 2, expiredCount: 0 })
    expect(await present(services)).toEqual(new Set([kept]))
    expect(await present(services, 'ARCHIVED')).toEqual(new Set([child, index, signature]))
    expect(await codeOf(services.images.pull(admin, ref, { tag: parseTag('v1') }))).toBe('image-archived')
  })

  test('a child of a living index is not archived', async () => {
    const child = await push(services, 'child')
    await pushIndex(services, [child], 'v1')
    services.clock.advance(2 * DAY_MS)
    const run = await execute(services, policyOf({ selection: { ...untagged, ...days(1) }, action: archive }))
    expect(run.failures).toMatchObject([{ digest: child, code: 'ImageReferencedByManifestList' }])
    expect(await present(services, 'ARCHIVED')).toEqual(new Set())
  })

  test('what is not pulled for long is archived, then expires 90 days later', async () => {
    const [used, idle] = [await push(services, 'used', 'v1'), await push(services, 'idle', 'v2')]
    const text = policyOf(
      { selection: { ...tagged('v'), ...days(30, 'sinceImagePulled') }, action: archive },
      { selection: { ...any, storageClass: 'archive', ...days(90, 'sinceImageTransitioned') } },
    )
    services.clock.advance(20 * DAY_MS)
    await services.images.pull(admin, ref, { digest: used })
    services.clock.advance(20 * DAY_MS)
    expect(await execute(services, text)).toMatchObject({ transitionedCount: 1, expiredCount: 0 })
    expect(await present(services, 'ARCHIVED')).toEqual(new Set([idle]))
    services.clock.advance(90 * DAY_MS)
    await services.images.pull(admin, ref, { digest: used })
    expect((await services.lifecycleJobs.run(ref)).runs).toMatchObject([{ transitionedCount: 0, expiredCount: 0 }])
    services.clock.advance(1)
    expect((await services.lifecycleJobs.run(ref)).runs).toMatchObject([{ transitionedCount: 0, expiredCount: 1 }])
    expect(await present(services)).toEqual(new Set([used]))
    expect(await present(services, 'ARCHIVED')).toEqual(new Set())
  })

  test('a restored image is as young as its restoration', async () => {
    const [restored, other] = [await push(services, 'restored', 'v1'), await push(services, 'other', 'v2')]
    await services.storageClasses.update(admin, ref, { digest: restored }, 'ARCHIVE')
    services.clock.advance(DAY_MS)
    await services.storageClasses.update(admin, ref, { digest: restored }, 'STANDARD')
    services.clock.advance(ACTIVATION_MS)
    await execute(services, policyOf({ selection: { ...tagged('v'), ...keep(1) } }))
    expect(await present(services)).toEqual(new Set([restored]))
    expect(other).not.toBe(restored)
  })
})

test('a policy that cannot be executed is put off, and the others have their turn', async () => {
  const { metadata, clock, lifecycle, lifecycleJobs } = services
  const other = refTo('z/other')
  await services.repositories.create(admin, other)
  await lifecycle.putPolicy(admin, other, expireUntagged)
  const { repositoryId } = await lifecycle.getPolicy(admin, other)
  const broken = { repositoryId: repositoryId - 1, policyId: 'broken', text: 'no policy', putAt: clock.now() }
  await metadata.transact((tx) => tx.lifecycle.putPolicy(broken, clock.now()))
  clock.advance(20_000)
  await lifecycleJobs.runDue()
  expect((await lifecycle.getPolicy(admin, other)).lastEvaluatedAt).toEqual(clock.now())
  expect((await lifecycle.getPolicy(admin, ref)).lastEvaluatedAt).toBeUndefined()
  expect(await metadata.view.lifecycle.listDue(clock.now(), 10)).toEqual([])
  expect(await lifecycleJobs.run('all')).toMatchObject({ repositories: 2, failures: 1 })
})
