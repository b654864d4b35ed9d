import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { LeaseLost } from '../../src/jobs/lease.ts'
import { Activations } from '../../src/services/images/activations.ts'
import { LifecycleEvaluation } from '../../src/services/lifecycle/lifecycle-evaluation.ts'
import { LifecycleExecution } from '../../src/services/lifecycle/lifecycle-execution.ts'
import { admin, createServices, pushImage, type Services } from '../support/service-fixture.ts'
import {
  archive,
  DAY_MS,
  days,
  expireUntagged,
  policyOf,
  present,
  push,
  pushIndex,
  ref,
  untagged,
} from './lifecycle-policies.ts'

let services: Services
beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})
afterEach(() => services.close())

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
    for await (const step of execution.execute(ref, policy, decisions, async () => {}))
      outcomes.push(...step.map(({ kind }) => kind))
    return outcomes
  }

  test('an image that was tagged stays', async () => {
    const image = await push(services, 'image')
    services.clock.advance(2 * DAY_MS)
    const tag = () => pushImage(services, ref, 'image', 'v1')
    expect(await executeAfter(expireUntagged, tag)).toEqual(['changed'])
    expect(await present(services)).toEqual(new Set([image]))
  })

  test('an image that became a child of an index stays', async () => {
    const image = await push(services, 'image')
    services.clock.advance(2 * DAY_MS)
    expect(await executeAfter(expireUntagged, () => pushIndex(services, [image], 'v1'))).toEqual(['failed'])
    expect(await present(services)).toContain(image)
  })

  test('an image that was pulled is not archived for not being pulled', async () => {
    const image = await push(services, 'image')
    services.clock.advance(2 * DAY_MS)
    const text = policyOf({ selection: { ...untagged, ...days(1, 'sinceImagePulled') }, action: archive })
    const pull = async () => {
      await services.images.pull(admin, ref, { digest: image })
      await services.pulls.flush()
    }
    expect(await executeAfter(text, pull)).toEqual(['changed'])
    expect(await present(services)).toEqual(new Set([image]))
  })

  test('an image that was archived or deleted by hand is left alone', async () => {
    const [a, b] = [await push(services, 'a'), await push(services, 'b')]
    services.clock.advance(2 * DAY_MS)
    const outcomes = await executeAfter(expireUntagged, async () => {
      await services.imageDeletion.deleteMany(admin, ref, [{ digest: a }])
      await services.storageClasses.update(admin, ref, { digest: b }, 'ARCHIVE')
    })
    expect(outcomes).toEqual(['changed', 'changed'])
    expect(await present(services, 'ARCHIVED')).toEqual(new Set([b]))
  })

  test('an image that was deleted and pushed again is another', async () => {
    const image = await push(services, 'image')
    services.clock.advance(2 * DAY_MS)
    const outcomes = await executeAfter(expireUntagged, async () => {
      await services.imageDeletion.deleteMany(admin, ref, [{ digest: image }])
      await pushImage(services, ref, 'image')
    })
    expect(outcomes).toEqual(['changed'])
    expect(await present(services)).toEqual(new Set([image]))
  })

  for (const [what, happens] of [
    ['deleted', () => services.lifecycle.deletePolicy(admin, ref)],
    ['replaced', () => services.lifecycle.putPolicy(admin, ref, expireUntagged)],
  ] as const)
    test(`a policy that was ${what} acts no more`, async () => {
      const image = await push(services, 'image')
      services.clock.advance(2 * DAY_MS)
      expect(await executeAfter(expireUntagged, happens)).toEqual([])
      expect(await present(services)).toEqual(new Set([image]))
    })

  test('a repository that was deleted is left alone', async () => {
    await push(services, 'image')
    services.clock.advance(2 * DAY_MS)
    await services.lifecycle.putPolicy(admin, ref, expireUntagged)
    await services.repositories.delete(admin, ref, true)
    expect(await services.lifecycleJobs.run('all')).toMatchObject({ repositories: 0 })
  })

  test('a process that lost its lease does nothing more', async () => {
    const image = await push(services, 'image')
    services.clock.advance(2 * DAY_MS)
    const { metadata, clock, lifecycle } = services
    await lifecycle.putPolicy(admin, ref, expireUntagged)
    const policy = await lifecycle.getPolicy(admin, ref)
    const evaluation = new LifecycleEvaluation(metadata, services.pulls, new Activations(metadata, clock), clock)
    const { decisions } = await evaluation.judge(policy.repositoryId, policy.text, async () => {})
    const lost = async () => {
      throw new LeaseLost('gone')
    }
    const steps = new LifecycleExecution(metadata, clock).execute(ref, policy, decisions, lost)
    await expect(steps.next()).rejects.toBeInstanceOf(LeaseLost)
    expect(await present(services)).toEqual(new Set([image]))
  })
})
