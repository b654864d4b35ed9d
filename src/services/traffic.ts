import type { RequestRoute } from '../domain/metrics/request-route.ts'
import type { RepositoryRef } from '../domain/names.ts'

/** Upper bounds of the buckets of latencies, in seconds; what takes longer is in none of them. */
export const LATENCY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const

/** So long after an answer clients are taken to be served still: of a download only the beginning is seen. */
const RECENT_MS = 500
/** What clients pull and push by. */
const OF_IMAGES: ReadonlySet<RequestRoute> = new Set(['manifests', 'blobs', 'layers', 'uploads'])

/** How long requests of one kind took. */
export interface Latencies {
  /** By bucket, each without the ones before it; the last one is of those that took longest. */
  readonly counts: number[]
  sumSeconds: number
}

/** What one repository saw since the start of the process. */
export interface RepositoryTraffic {
  readonly ref: RepositoryRef | undefined
  pulls: number
  pushes: number
}

/** Hears of single events, for those who keep them beyond the life of the process. */
export interface TrafficListener {
  pulled(ref: RepositoryRef): void
  called(accountId: string, region: string, action: string): void
}

/**
 * Counts what goes through the registry since the process began. On the way of every request: a few look-ups in maps that do
 * not grow with what strangers ask for.
 */
export class Traffic {
  /** Answered requests by route, method and status, each key with spaces between. */
  readonly requests = new Map<string, number>()
  readonly latencies = new Map<RequestRoute, Latencies>()
  readonly sentBytes = new Map<RequestRoute, number>()
  readonly receivedBytes = new Map<RequestRoute, number>()
  /** Calls of ECR's actions, on whichever interface. */
  readonly calls = new Map<string, number>()
  requestsInFlight = 0
  #servedAtMs = Number.NEGATIVE_INFINITY
  readonly #repositories = new Map<string, RepositoryTraffic>()
  readonly #repositoriesMax: number
  readonly #listener: TrafficListener | undefined
  /** All repositories beyond the bound. */
  readonly #others: RepositoryTraffic = { ref: undefined, pulls: 0, pushes: 0 }

  /** Of so many repositories each is counted by itself; the others together. */
  constructor(repositoriesMax: number, listener?: TrafficListener) {
    this.#repositoriesMax = repositoriesMax
    this.#listener = listener
  }

  /** Each repository that was pulled from or pushed to; last, without a name, the sum of those beyond the bound. */
  get repositories(): readonly RepositoryTraffic[] {
    const { pulls, pushes } = this.#others
    const others = pulls + pushes > 0 ? [this.#others] : []
    return [...this.#repositories.values(), ...others]
  }

  /** Whether images are being pulled or pushed at this moment. */
  get isBusy(): boolean {
    return performance.now() - this.#servedAtMs < RECENT_MS
  }

  answered(
    route: RequestRoute,
    method: string,
    status: number,
    seconds: number,
    bytes: { readonly sent: number; readonly received: number },
  ): void {
    if (OF_IMAGES.has(route)) this.#servedAtMs = performance.now()
    add(this.requests, `${route} ${method} ${status}`, 1)
    let latencies = this.latencies.get(route)
    if (latencies === undefined) {
      latencies = { counts: new Array<number>(LATENCY_BOUNDS.length + 1).fill(0), sumSeconds: 0 }
      this.latencies.set(route, latencies)
    }
    const bucket = bucketOf(seconds)
    latencies.counts[bucket] = (latencies.counts[bucket] ?? 0) + 1
    latencies.sumSeconds += seconds
    if (bytes.sent > 0) add(this.sentBytes, route, bytes.sent)
    if (bytes.received > 0) add(this.receivedBytes, route, bytes.received)
  }

  /** An image was pulled. */
  pulled(ref: RepositoryRef): void {
    this.#of(ref).pulls++
    this.#listener?.pulled(ref)
  }

  /** An image was pushed, or its tags moved. */
  pushed(ref: RepositoryRef): void {
    this.#of(ref).pushes++
  }

  /** Somebody of this account called an action in this region. */
  called(accountId: string, region: string, action: string): void {
    add(this.calls, action, 1)
    this.#listener?.called(accountId, region, action)
  }

  #of(ref: RepositoryRef): RepositoryTraffic {
    const key = `${ref.registry.registryId} ${ref.registry.region} ${ref.name}`
    const known = this.#repositories.get(key)
    if (known !== undefined) return known
    if (this.#repositories.size >= this.#repositoriesMax) return this.#others
    const traffic = { ref, pulls: 0, pushes: 0 }
    this.#repositories.set(key, traffic)
    return traffic
  }
}

function bucketOf(seconds: number): number {
  for (let index = 0; index < LATENCY_BOUNDS.length; index++) if (seconds <= (LATENCY_BOUNDS[index] ?? 0)) return index
  return LATENCY_BOUNDS.length
}

function add<Key>(sums: Map<Key, number>, key: Key, amount: number): void {
  sums.set(key, (sums.get(key) ?? 0) + amount)
}
