import { throttled } from '../domain/errors.ts'
import type { Region } from '../domain/names.ts'
import { PUBLIC_REGION } from '../domain/public-registry.ts'
import type { Rates } from '../domain/rates.ts'
import type { Clock } from '../lib/clock.ts'

const BUCKETS_MAX = 10_000

/** The calls that somebody still may make, as they were at a moment. */
interface Bucket {
  calls: number
  atMs: number
}

/** Who calls what, and where. */
export interface Caller {
  /** An account, or an address where nobody says who he is. */
  readonly accountId: string
  readonly region: Region
}

/**
 * Holds accounts to the rates of actions, each account in each region by itself: a bucket that fills at the rate, and holds
 * the calls of one second. Counts in this process alone.
 */
export class Throttle {
  readonly #rates: ReadonlyMap<string, number>
  readonly #publicRates: ReadonlyMap<string, number>
  readonly #clock: Clock
  readonly #buckets = new Map<string, Bucket>()

  /** Those of public registries differ; without them, the same hold there. */
  constructor(rates: Rates, clock: Clock, publicRates: Rates = rates) {
    this.#rates = byAction(rates)
    this.#publicRates = byAction(publicRates)
    this.#clock = clock
  }

  /** Counts a call. Throws `throttled` when it is one too many. */
  count({ accountId, region }: Caller, action: string): void {
    const perSecond = (region === PUBLIC_REGION ? this.#publicRates : this.#rates).get(action)
    if (perSecond === undefined) return
    const nowMs = this.#clock.now().getTime()
    const key = `${accountId}/${region}/${action}`
    const bucket = this.#buckets.get(key) ?? this.#newBucket(key, perSecond, nowMs)
    // A clock that was set back takes nothing away.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs)
    bucket.calls = Math.min(perSecond, bucket.calls + (elapsedMs * perSecond) / 1000)
    bucket.atMs = nowMs
    if (bucket.calls < 1) throw throttled()
    bucket.calls--
  }

  /** A bucket that nobody has touched for a second is full again, and as good as none. */
  #newBucket(key: string, perSecond: number, nowMs: number): Bucket {
    if (this.#buckets.size >= BUCKETS_MAX)
      for (const [idle, { atMs }] of this.#buckets) if (Math.abs(nowMs - atMs) >= 1000) this.#buckets.delete(idle)
    const bucket = { calls: perSecond, atMs: nowMs }
    this.#buckets.set(key, bucket)
    return bucket
  }
}

function byAction(rates: Rates): ReadonlyMap<string, number> {
  return new Map(Object.entries(rates).map(([name, perSecond]) => [`ecr:${name}`, perSecond]))
}
