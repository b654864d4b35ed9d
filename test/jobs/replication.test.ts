import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { limitExceeded, throttled } from '../../src/domain/errors.ts'
import { parseRegion, type Registry, type RepositoryRef, type Tag } from '../../src/domain/names.ts'
import { upstreamRateLimited, upstreamUnavailable } from '../../src/domain/upstream-errors.ts'
import { ReplicationJob } from '../../src/jobs/replication.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import type { CopySteps, ReplicationRoute } from '../../src/services/replication/local-replication.ts'
import type { PendingReplication } from '../../src/stores/replication.ts'
import { admin, createServices, pushImage, refTo, registry, type Services } from '../support/service-fixture.ts'

const FAR: Registry = { registryId: registry.registryId, region: parseRegion('us-east-1') }
const PATIENCE_MS = 24 * 3_600_000
const HOUR_MS = 3_600_000

let services: Services
let isDown: (pending: PendingReplication) => Error | Promise<void> | undefined
let asked: string[]

/** A destination that keeps nothing, fails as the test says, and notes what it was asked. */
const route: ReplicationRoute = {
  async copy(pending: PendingReplication, { prove, end }: CopySteps) {
    asked.push(`${pending.ref.name}:${pending.tags.join(',')}`)
    const answer = isDown(pending)
    if (answer instanceof Error) throw answer
    await answer
    await prove()
    await services.metadata.transact((tx) => end(tx, []))
  },
  async remove() {
    throw limitExceeded(0, 'deletions')
  },
}

function jobOf(holder = 'test') {
  const settings = { holder, patienceMs: PATIENCE_MS, deletions: 'off' } as const
  return new ReplicationJob(
    {
      metadata: services.metadata,
      routeTo: () => route,
      isHere: () => false,
      clock: services.clock,
      logger: silentLogger,
    },
    settings,
  )
}

let job: ReplicationJob
const run = () => job.run(new AbortController().signal)
const advance = (ms: number) => services.clock.advance(ms)

beforeEach(async () => {
  services = await createServices()
  asked = []
  isDown = () => undefined
  job = jobOf()
  await services.replication.putConfiguration(admin, registry, { rules: [{ destinations: [FAR] }] })
})
afterEach(() => services.close())

async function repository(name: string): Promise<RepositoryRef> {
  const ref = refTo(name)
  await services.repositories.create(admin, ref)
  return ref
}

describe('a destination', () => {
  test('that cannot be reached is left alone for longer each time, and everything with it', async () => {
    const ref = await repository('app')
    for (const tag of ['a', 'b', 'c']) await pushImage(services, ref, tag, tag)
    isDown = () => upstreamUnavailable('nobody there')
    const waits: number[] = []
    for (let round = 0; round < 12; round++) {
      asked = []
      await run()
      expect(asked).toHaveLength(1)
      let waited = 0
      for (; !(await job.isDue()); waited += 1_000) advance(1_000)
      waits.push(waited / 1_000)
    }
    expect(waits.slice(0, 3)).toEqual([2, 4, 8])
    expect(Math.max(...waits)).toBeLessThanOrEqual(601)
  })

  test('that is asked in vain for one image gets the others all the same', async () => {
    const ref = await repository('app')
    await pushImage(services, ref, 'poison', 'poison')
    for (const tag of ['a', 'b']) await pushImage(services, ref, tag, tag)
    isDown = ({ tags }) => (tags.includes('poison' as Tag) ? upstreamUnavailable('503 for this one') : undefined)
    await run()
    for (let second = 0; second < 10; second++) {
      advance(1_000)
      if (await job.isDue()) await run()
    }
    expect(asked.filter((name) => !name.includes('poison')).sort()).toEqual(['app:a', 'app:b'])
  })

  test('that names a time is left alone until then, though something else succeeds meanwhile', async () => {
    const [one, two] = [await repository('one'), await repository('two')]
    let finish = () => {}
    const slow = new Promise<void>((resolve) => {
      finish = resolve
    })
    isDown = ({ ref }) => (ref.name === one.name ? slow : upstreamRateLimited('too often', 90_000))
    await pushImage(services, one, 'slow', 'slow')
    await pushImage(services, two, 'fast', 'fast')
    const running = run()
    while (asked.length < 2) await Bun.sleep(1)
    finish()
    expect(await running).toMatchObject({ copied: 1, postponed: 1 })
    advance(89_000)
    expect(await job.isDue()).toBe(false)
    advance(2_000)
    expect(await job.isDue()).toBe(true)
  })

  test('that asks for a year is asked again after an hour', async () => {
    await pushImage(services, await repository('app'), 'one', 'one')
    isDown = () => upstreamRateLimited('too often', 365 * 24 * HOUR_MS)
    await run()
    advance(HOUR_MS + 2_000)
    expect(await job.isDue()).toBe(true)
  })

  test('is not forgotten when the clock is set back', async () => {
    const ref = await repository('app')
    await pushImage(services, ref, 'one', 'one')
    isDown = () => upstreamUnavailable('nobody there')
    await run()
    advance(-7 * 24 * HOUR_MS)
    isDown = () => undefined
    expect(await run()).toMatchObject({ copied: 1 })
  })

  test('gets what is pushed to other repositories while one large image is on its way', async () => {
    const [large, small] = [await repository('large'), await repository('small')]
    let finish = () => {}
    const slow = new Promise<void>((resolve) => {
      finish = resolve
    })
    isDown = ({ ref }) => (ref.name === large.name ? slow : undefined)
    await pushImage(services, large, 'large', 'large')
    const running = run()
    while (asked.length === 0) await Bun.sleep(1)
    const later = await pushImage(services, small, 'small', 'small')
    job.ring()
    const status = async () =>
      (await services.replication.statusOf(admin, small, { digest: later })).replications[0]?.status
    while ((await status()) !== 'COMPLETE') await Bun.sleep(1)
    finish()
    expect(await running).toMatchObject({ copied: 2 })
  })
})

describe('a copy', () => {
  test('that fails for a tag keeps that tag when the image gets another', async () => {
    const ref = await repository('app')
    const digest = await pushImage(services, ref, 'one', 'v1')
    isDown = () => limitExceeded(1, 'images per repository')
    expect(await run()).toMatchObject({ failed: 1 })
    isDown = () => undefined
    await pushImage(services, ref, 'one', 'v2')
    asked = []
    expect(await run()).toMatchObject({ copied: 1 })
    expect(asked).toEqual(['app:v1,v2'])
    expect((await services.replication.statusOf(admin, ref, { digest })).replications).toMatchObject([
      { status: 'COMPLETE' },
    ])
  })

  test('is not made any more once the registry is not configured to replicate there', async () => {
    const ref = await repository('app')
    const digest = await pushImage(services, ref, 'one', 'v1')
    await services.replication.putConfiguration(admin, registry, {
      rules: [{ destinations: [FAR], repositoryPrefixes: ['prod'] }],
    })
    expect(await run()).toMatchObject({ copied: 0 })
    expect(asked).toEqual([])
    expect((await services.replication.statusOf(admin, ref, { digest })).replications).toEqual([])
    expect(await job.isDue()).toBe(false)
  })

  test('of a repository that was deleted and made anew is not made; what is pushed to the new one is', async () => {
    const ref = await repository('app')
    await pushImage(services, ref, 'old', 'v1')
    await services.repositories.delete(admin, ref, true)
    await repository('app')
    await pushImage(services, ref, 'new', 'v2')
    await run()
    expect(asked).toEqual(['app:v2'])
  })

  test('whose image goes while it is made ends without a trace', async () => {
    const ref = await repository('app')
    const digest = await pushImage(services, ref, 'one', 'v1')
    isDown = () => services.imageDeletion.delete(admin, ref, { digest })
    expect(await run()).toMatchObject({ copied: 0, failed: 0, postponed: 0 })
    expect(await job.isDue()).toBe(false)
  })

  test('that was asked for again meanwhile is made again', async () => {
    const ref = await repository('app')
    await pushImage(services, ref, 'one', 'v1')
    let isFirst = true
    isDown = async () => {
      if (isFirst) {
        isFirst = false
        await pushImage(services, ref, 'one', 'v2')
      }
    }
    expect(await run()).toMatchObject({ copied: 1 })
    expect(asked).toEqual(['app:v1', 'app:v1,v2'])
  })

  test('that fails for something unforeseen is tried again, and its failure is not shown to clients', async () => {
    const ref = await repository('app')
    const digest = await pushImage(services, ref, 'one', 'v1')
    isDown = () => new TypeError('x is not a function')
    expect(await run()).toMatchObject({ postponed: 1 })
    const [replication] = (await services.replication.statusOf(admin, ref, { digest })).replications
    expect(replication).toMatchObject({ status: 'IN_PROGRESS', failure: { code: 'InternalFailure' } })
    expect(replication?.failure?.reason).not.toContain('function')
  })

  test('that may succeed later is tried again on its own, and others go on', async () => {
    const ref = await repository('app')
    for (const tag of ['full', 'a']) await pushImage(services, ref, tag, tag)
    isDown = ({ tags }) => (tags.includes('full' as Tag) ? throttled() : undefined)
    expect(await run()).toMatchObject({ copied: 1, postponed: 1 })
  })
})

describe('two processes', () => {
  test('do not copy at once', async () => {
    const ref = await repository('app')
    await pushImage(services, ref, 'one', 'v1')
    let finish = () => {}
    isDown = () =>
      new Promise<void>((resolve) => {
        finish = resolve
      })
    const running = run()
    while (asked.length === 0) await Bun.sleep(1)
    const other = jobOf('other')
    expect(await other.run(new AbortController().signal)).toMatchObject({ copied: 0 })
    finish()
    expect(await running).toMatchObject({ copied: 1 })
    expect(asked).toHaveLength(1)
  })

  test('of which one slept too long change nothing there any more', async () => {
    const ref = await repository('app')
    const digest = await pushImage(services, ref, 'one', 'v1')
    let finish = () => {}
    isDown = () =>
      new Promise<void>((resolve) => {
        finish = resolve
      })
    const sleeping = run()
    while (asked.length === 0) await Bun.sleep(1)
    advance(61_000)
    isDown = () => undefined
    const other = jobOf('other')
    // The other one has the lease, and keeps it while it works.
    const finishFirst = finish
    isDown = async () => {
      finishFirst()
      await expect(sleeping).rejects.toThrow('Another process')
    }
    expect(await other.run(new AbortController().signal)).toMatchObject({ copied: 1 })
    expect((await services.replication.statusOf(admin, ref, { digest })).replications).toMatchObject([
      { status: 'COMPLETE' },
    ])
  })
})
