import { parseRegion, parseRegistryId, parseRepositoryName } from '../../../src/domain/names.ts'
import { ACCOUNT, REGION } from '../in-process-registry.ts'
import type { Step } from './scenario.ts'
import { type Actor, OWNER } from './world.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** The clock moves on. */
export const timePasses =
  (ms: number): Step =>
  async ({ registry }) => {
    registry.clock.advance(ms)
    return 'done'
  }

/** Days pass, after which docker has to log in again. */
export const daysPass =
  (days: number): Step =>
  async (world) => {
    world.registry.clock.advance(days * DAY_MS)
    world.forgetLogins()
    return 'done'
  }

/** Somebody else does it, on the owner's host unless another is said. */
export const as =
  (actor: Partial<Actor>, step: Step): Step =>
  async (world) => {
    const before = world.actor
    world.actor = { ...OWNER, ...actor }
    try {
      return await step(world)
    } finally {
      world.actor = before
    }
  }

/** Lifecycle policies are executed now. */
export const lifecycleRuns =
  (repository: string): Step =>
  async ({ registry }) => {
    const owner = { registryId: parseRegistryId(ACCOUNT), region: parseRegion(REGION) }
    await registry.app.runLifecycle({ registry: owner, name: parseRepositoryName(repository) })
    return 'done'
  }

/** The same for all repositories that have one. */
export const allLifecyclesRun =
  (): Step =>
  async ({ registry }) => {
    await registry.app.runLifecycle('all')
    return 'done'
  }

/** Blobs that nothing needs any more go. */
export const garbageIsCollected =
  (): Step =>
  async ({ registry }) => {
    await registry.app.collectGarbage(false)
    return 'done'
  }
