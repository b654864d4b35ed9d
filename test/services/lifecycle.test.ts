import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import type { ErrorCode } from '../../src/domain/errors.ts'
import { isRegistryError } from '../../src/domain/errors.ts'
import { parseTag } from '../../src/domain/names.ts'
import { LeaseLost } from '../../src/jobs/lease.ts'
import { LifecycleJobs } from '../../src/jobs/lifecycle-jobs.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { Activations } from '../../src/services/activations.ts'
import { LifecycleEvaluation } from '../../src/services/lifecycle-evaluation.ts'
import { LifecycleExecution } from '../../src/services/lifecycle-execution.ts'
import {
  ACTIVATION_MS,
  admin,
  createServices,
  indexOf,
  LIFECYCLE_INTERVAL_MS,
  manifestOf,
  pushImage,
  pushLayer,
  refTo,
  type Services,
  stranger,
} from '../support/service-fixture.ts'

const DAY_MS = 86_400_000
const ref = refTo('team/app')

let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})

afterEach(() => services.close())

type Members = Readonly<Record<string, unknown>>

const untagged = { tagStatus: 'untagged' }
const any = { tagStatus: 'any' }
const tagged = (...tagPrefixList: readonly string[]) => ({ tagStatus: 'tagged', tagPrefixList })
const keep = (countNumber: number) => ({ countType: 'imageCountMoreThan', countNumber })
const days = (countNumber: number, countType = 'sinceImagePushed') => ({ countType, countUnit: 'days', countNumber })
const archive = { type: 'transition', targetStorageClass: 'archive' }

/** The text of a policy; rules in the order of their priority. */
const policyOf = (...rules: readonly { readonly selection: Members; readonly action?: Members }[]): string =>
  JSON.stringify({
    rules: rules.map(({ selection, action = { type: 'expire' } }, at) => ({ rulePriority: at + 1, selection, action })),
  })

const expireUntagged = policyOf({ selection: { ...untagged, ...days(1) } })

/** Pushes an image, one minute after the one before. */
async function push(content: string, ...tags: string[]): Promise<Digest> {
  services.clock.advance(60_000)
  return pushImage(services, ref, content, ...tags)
}

async function pushIndex(children: readonly Digest[], ...tags: string[]): Promise<Digest> {
  services.clock.advance(60_000)
  const manifest = indexOf(children)
  return (await services.images.push(admin, ref, { manifest, tags: tags.map(parseTag) })).image.digest
}

async function pushReferrer(subject: Digest, content: string, ...tags: string[]): Promise<Digest> {
  services.clock.advance(60_000)
  const config = await pushLayer(services, ref, `config of ${content}`)
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = manifestOf(config, [], { subject: { mediaType, digest: subject, size: 5 } })
  return (await services.images.push(admin, ref, { manifest, tags: tags.map(parseTag) })).image.digest
}

/** The digests of the images that are there, by status. */
async function present(status: 'ACTIVE' | 'ARCHIVED' = 'ACTIVE'): Promise<ReadonlySet<Digest>> {
  const { items } = await services.imageLists.describe(admin, ref, { status }, { limit: 1000 })
  return new Set(items.map(({ digest }) => digest))
}

async function execute(text: string) {
  await services.lifecycle.putPolicy(admin, ref, text)
  const { runs } = await services.lifecycleJobs.run(ref)
  const [run] = runs
  if (run === undefined) throw new Error('The policy was not executed')
  return run
}

async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await promise
    return undefined
  } catch (thrown) {
    if (isRegistryError(thrown)) return thrown.code
    throw thrown
  }
}

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
  const jobs = new LifecycleJobs(metadata, evaluation, execution, clock, silentLogger, settings)
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
    const old = await push('old')
    const kept = await push('kept', 'v1')
    services.clock.advance(2 * DAY_MS)
    const fresh = await push('fresh')
    const run = await execute(expireUntagged)
    expect(await present()).toEqual(new Set([kept, fresh]))
    expect(run).toMatchObject({ imageCount: 3, expiredCount: 1, failedCount: 0, changedCount: 0 })
    expect(run.actions).toEqual([{ digest: old, tags: [], action: 'expire', rulePriority: 1 }])
    expect((await services.lifecycle.getPolicy(admin, ref)).lastRun).toMatchObject({ expiredCount: 1, imageCount: 3 })
    const unused = new Date(services.clock.now().getTime() + 1)
    expect(await services.metadata.view.blobs.listUnusedLinks(unused, 10)).toHaveLength(2)
  })

  test('many images go in steps, oldest first', async () => {
    const digests: Digest[] = []
    for (let n = 0; n < 45; n++) digests.push(await push(`image ${n}`, `v${n}`))
    const run = await execute(policyOf({ selection: { ...tagged('v'), ...keep(3) } }))
    expect(run.expiredCount).toBe(42)
    expect(run.actions.map(({ digest }) => digest)).toEqual(digests.slice(0, 42))
    expect(await present()).toEqual(new Set(digests.slice(42)))
  })

  test('a child of a living index stays, is reported, and is retried on later runs', async () => {
    const child = await push('child')
    const index = await pushIndex([child])
    services.clock.advance(2 * DAY_MS)
    const first = await execute(expireUntagged)
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
    expect(await present()).toEqual(new Set([child]))
    const { runs } = await services.lifecycleJobs.run(ref)
    expect(runs[0]).toMatchObject({ expiredCount: 1, failedCount: 0 })
    expect(await present()).toEqual(new Set())
  })

  test('referrers go with their subject, and theirs with them', async () => {
    const [a, b] = [await push('a', 'v1'), await push('b', 'v2')]
    const signature = await pushReferrer(a, 'signature')
    await pushReferrer(signature, 'countersignature')
    await pushReferrer(a, 'sbom', 'sbom-of-a')
    const kept = await pushReferrer(b, 'other signature')
    const run = await execute(policyOf({ selection: { ...tagged('v'), ...keep(1) } }))
    expect(run).toMatchObject({ expiredCount: 1, followedCount: 3 })
    expect(await present()).toEqual(new Set([b, kept]))
  })

  test('an untagged referrer is not expired while its subject lives, whichever rule chose it', async () => {
    const subject = await push('subject', 'v1')
    const signature = await pushReferrer(subject, 'signature')
    services.clock.advance(2 * DAY_MS)
    const first = await execute(expireUntagged)
    expect(first).toMatchObject({ expiredCount: 0, failedCount: 0 })
    const rules = [{ selection: { ...tagged('v'), ...keep(9) } }, { selection: { ...any, ...days(1) } }]
    const second = await execute(policyOf(...rules))
    expect(second.failures).toMatchObject([{ digest: signature, code: 'ImageRefersToImage' }])
    expect(await present()).toEqual(new Set([subject, signature]))
  })

  test('a referrer whose subject was deleted by hand is an image as any other', async () => {
    const subject = await push('subject', 'v1')
    await pushReferrer(subject, 'signature')
    await services.imageDeletion.deleteMany(admin, ref, [{ digest: subject }])
    services.clock.advance(2 * DAY_MS)
    expect(await execute(expireUntagged)).toMatchObject({ expiredCount: 1 })
    expect(await present()).toEqual(new Set())
  })

  test('images are archived with what belongs to them, and cannot be pulled any more', async () => {
    const child = await push('child')
    const index = await pushIndex([child], 'v1')
    const signature = await pushReferrer(index, 'signature')
    const kept = await push('kept', 'v2')
    const run = await execute(policyOf({ selection: { ...tagged('v'), ...keep(1) }, action: archive }))
    expect(run).toMatchObject({ transitionedCount: 1, followedCount: 2, expiredCount: 0 })
    expect(await present()).toEqual(new Set([kept]))
    expect(await present('ARCHIVED')).toEqual(new Set([child, index, signature]))
    expect(await codeOf(services.images.pull(admin, ref, { tag: parseTag('v1') }))).toBe('image-archived')
  })

  test('a child of a living index is not archived', async () => {
    const child = await push('child')
    await pushIndex([child], 'v1')
    services.clock.advance(2 * DAY_MS)
    const run = await execute(policyOf({ selection: { ...untagged, ...days(1) }, action: archive }))
    expect(run.failures).toMatchObject([{ digest: child, code: 'ImageReferencedByManifestList' }])
    expect(await present('ARCHIVED')).toEqual(new Set())
  })

  test('what is not pulled for long is archived, then expires 90 days later', async () => {
    const [used, idle] = [await push('used', 'v1'), await push('idle', 'v2')]
    const text = policyOf(
      { selection: { ...tagged('v'), ...days(30, 'sinceImagePulled') }, action: archive },
      { selection: { ...any, storageClass: 'archive', ...days(90, 'sinceImageTransitioned') } },
    )
    services.clock.advance(20 * DAY_MS)
    await services.images.pull(admin, ref, { digest: used })
    services.clock.advance(20 * DAY_MS)
    expect(await execute(text)).toMatchObject({ transitionedCount: 1, expiredCount: 0 })
    expect(await present('ARCHIVED')).toEqual(new Set([idle]))
    services.clock.advance(90 * DAY_MS)
    await services.images.pull(admin, ref, { digest: used })
    expect((await services.lifecycleJobs.run(ref)).runs).toMatchObject([{ transitionedCount: 0, expiredCount: 0 }])
    services.clock.advance(1)
    expect((await services.lifecycleJobs.run(ref)).runs).toMatchObject([{ transitionedCount: 0, expiredCount: 1 }])
    expect(await present()).toEqual(new Set([used]))
    expect(await present('ARCHIVED')).toEqual(new Set())
  })

  test('a restored image is as young as its restoration', async () => {
    const [restored, other] = [await push('restored', 'v1'), await push('other', 'v2')]
    await services.storageClasses.update(admin, ref, { digest: restored }, 'ARCHIVE')
    services.clock.advance(DAY_MS)
    await services.storageClasses.update(admin, ref, { digest: restored }, 'STANDARD')
    services.clock.advance(ACTIVATION_MS)
    await execute(policyOf({ selection: { ...tagged('v'), ...keep(1) } }))
    expect(await present()).toEqual(new Set([restored]))
    expect(other).not.toBe(restored)
  })
})

describe('between decision and execution', () => {
  /** Decides, lets something happen, and then executes. */
  async function executeAfter(text: string, happens: () => Promise<unknown>) {
    const { metadata, clock, lifecycle, pulls } = services
    const evaluation = new LifecycleEvaluation(metadata, pulls, new Activations(metadata, clock), clock)
    await lifecycle.putPolicy(admin, ref, text)
    const policy = await lifecycle.getPolicy(admin, ref)
    const { decisions } = await evaluation.judge(policy.repositoryId, text, async () => {})
    await happens()
    const execution = new LifecycleExecution(metadata, clock)
    const outcomes: string[] = []
    for await (const step of execution.execute(policy, decisions, async () => {}))
      outcomes.push(...step.map(({ kind }) => kind))
    return outcomes
  }

  test('an image that was tagged stays', async () => {
    const image = await push('image')
    services.clock.advance(2 * DAY_MS)
    const tag = () => pushImage(services, ref, 'image', 'v1')
    expect(await executeAfter(expireUntagged, tag)).toEqual(['changed'])
    expect(await present()).toEqual(new Set([image]))
  })

  test('an image that became a child of an index stays', async () => {
    const image = await push('image')
    services.clock.advance(2 * DAY_MS)
    expect(await executeAfter(expireUntagged, () => pushIndex([image], 'v1'))).toEqual(['failed'])
    expect(await present()).toContain(image)
  })

  test('an image that was pulled is not archived for not being pulled', async () => {
    const image = await push('image')
    services.clock.advance(2 * DAY_MS)
    const text = policyOf({ selection: { ...untagged, ...days(1, 'sinceImagePulled') }, action: archive })
    const pull = async () => {
      await services.images.pull(admin, ref, { digest: image })
      await services.pulls.flush()
    }
    expect(await executeAfter(text, pull)).toEqual(['changed'])
    expect(await present()).toEqual(new Set([image]))
  })

  test('an image that was archived or deleted by hand is left alone', async () => {
    const [a, b] = [await push('a'), await push('b')]
    services.clock.advance(2 * DAY_MS)
    const outcomes = await executeAfter(expireUntagged, async () => {
      await services.imageDeletion.deleteMany(admin, ref, [{ digest: a }])
      await services.storageClasses.update(admin, ref, { digest: b }, 'ARCHIVE')
    })
    expect(outcomes).toEqual(['changed', 'changed'])
    expect(await present('ARCHIVED')).toEqual(new Set([b]))
  })

  test('an image that was deleted and pushed again is another', async () => {
    const image = await push('image')
    services.clock.advance(2 * DAY_MS)
    const outcomes = await executeAfter(expireUntagged, async () => {
      await services.imageDeletion.deleteMany(admin, ref, [{ digest: image }])
      await pushImage(services, ref, 'image')
    })
    expect(outcomes).toEqual(['changed'])
    expect(await present()).toEqual(new Set([image]))
  })

  for (const [what, happens] of [
    ['deleted', () => services.lifecycle.deletePolicy(admin, ref)],
    ['replaced', () => services.lifecycle.putPolicy(admin, ref, expireUntagged)],
  ] as const)
    test(`a policy that was ${what} acts no more`, async () => {
      const image = await push('image')
      services.clock.advance(2 * DAY_MS)
      expect(await executeAfter(expireUntagged, happens)).toEqual([])
      expect(await present()).toEqual(new Set([image]))
    })

  test('a repository that was deleted is left alone', async () => {
    await push('image')
    services.clock.advance(2 * DAY_MS)
    await services.lifecycle.putPolicy(admin, ref, expireUntagged)
    await services.repositories.delete(admin, ref, true)
    expect(await services.lifecycleJobs.run('all')).toMatchObject({ repositories: 0 })
  })

  test('a process that lost its lease does nothing more', async () => {
    const image = await push('image')
    services.clock.advance(2 * DAY_MS)
    const { metadata, clock, lifecycle } = services
    await lifecycle.putPolicy(admin, ref, expireUntagged)
    const policy = await lifecycle.getPolicy(admin, ref)
    const evaluation = new LifecycleEvaluation(metadata, services.pulls, new Activations(metadata, clock), clock)
    const { decisions } = await evaluation.judge(policy.repositoryId, policy.text, async () => {})
    const lost = async () => {
      throw new LeaseLost('gone')
    }
    const steps = new LifecycleExecution(metadata, clock).execute(policy, decisions, lost)
    expect(steps.next()).rejects.toBeInstanceOf(LeaseLost)
    expect(await present()).toEqual(new Set([image]))
  })
})

describe('previews', () => {
  const pageOf = (limit: number, token?: string) => ({ tagStatus: 'ANY', paging: { limit, token } }) as const

  test('are under way, then complete; nothing is deleted', async () => {
    const { lifecycle, lifecycleJobs } = services
    const old = await push('old')
    const kept = await push('kept', 'v1')
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
    expect(await present()).toEqual(new Set([old, kept]))
    expect(await codeOf(lifecycle.getPolicy(admin, ref))).toBe('lifecycle-policy-not-found')
  })

  test('try the stored policy when no other is given', async () => {
    const { lifecycle } = services
    expect(await codeOf(lifecycle.startPreview(admin, ref, undefined))).toBe('lifecycle-policy-not-found')
    await lifecycle.putPolicy(admin, ref, expireUntagged)
    expect((await lifecycle.startPreview(admin, ref, undefined)).text).toBe(expireUntagged)
  })

  test('list children of indexes, which a run would not expire', async () => {
    const child = await push('child')
    await pushIndex([child], 'v1')
    services.clock.advance(2 * DAY_MS)
    await services.lifecycle.startPreview(admin, ref, expireUntagged)
    await services.lifecycleJobs.makePreviews()
    const { items } = await services.lifecycle.getPreview(admin, ref, pageOf(10))
    expect(items.map(({ digest }) => digest)).toEqual([child])
  })

  test('are read in pages, oldest image first, whose tokens end with the preview', async () => {
    const { lifecycle, lifecycleJobs } = services
    const digests: Digest[] = []
    for (let n = 0; n < 7; n++) digests.push(await push(`image ${n}`))
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
    const old = await push('old')
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
    await push('old')
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
    const old = await push('old')
    services.clock.advance(2 * DAY_MS)
    await services.lifecycle.putPolicy(admin, ref, expireUntagged)
    expect(await services.lifecycleJobs.forecast(ref)).toMatchObject({
      repositoryName: ref.name,
      imageCount: 1,
      expiringCount: 1,
      transitioningCount: 0,
      images: [{ digest: old, tags: [], action: 'expire', rulePriority: 1 }],
    })
    expect(await present()).toEqual(new Set([old]))
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
