import type { FindingPlace, Inspector, InspectorCaller, InspectorFinding } from './inspector.ts'

/** Where a finding stands in a sorted list: by the value that it is sorted by, then by its place. */
export type SortKey = readonly [sorted: string | number, scanId: number, index: number]

/** Which findings are wanted, and in which order. */
export interface SortedWish {
  /** The same for the same filters and the same order, and for nothing else. */
  readonly text: string
  readonly isDescending: boolean
  /** What it is sorted by; `undefined`: the finding is not wanted. */
  sortedBy(found: InspectorFinding): string | number | undefined
}

interface Listing {
  readonly keys: readonly SortKey[]
  /** Of the scans when they were looked through: positions in other findings are none. */
  readonly generations: ReadonlyMap<number, number>
  readonly until: number
}

/** How long a list waits for those who ask for its next page. */
const KEPT_MS = 5 * 60_000
const LISTINGS_MAX = 4
const KEYS_MAX = 500_000

/**
 * Pages of all findings of a registry in an order of the caller's. Findings lie sealed and packed, so no index sorts them:
 * for a first page all are looked through, and of each only its key is kept; the pages after it are taken from these keys.
 */
export class SortedFindings {
  readonly #inspector: Inspector
  readonly #listings = new Map<string, Listing>()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(inspector: Inspector) {
    this.#inspector = inspector
  }

  /** Up to `limit` findings behind a key, with their keys. Throws `access-denied`. */
  async page(
    caller: InspectorCaller,
    wish: SortedWish,
    after: SortKey | undefined,
    limit: number,
  ): Promise<readonly (readonly [InspectorFinding, SortKey])[]> {
    const { registryId, region } = caller.registry
    const name = JSON.stringify([registryId, region, wish.text])
    const kept = after === undefined ? undefined : this.#listings.get(name)
    if (kept !== undefined) {
      const found = await this.#take(caller, wish, kept, after, limit)
      if (found !== undefined) return found
    }
    const made = await this.#make(caller, wish)
    this.#keep(name, made)
    return (await this.#take(caller, wish, made, after, limit)) ?? []
  }

  /** `undefined`: findings have changed since the list was made. */
  async #take(
    caller: InspectorCaller,
    { isDescending }: SortedWish,
    { keys, generations }: Listing,
    after: SortKey | undefined,
    limit: number,
  ): Promise<readonly (readonly [InspectorFinding, SortKey])[] | undefined> {
    const from = after === undefined ? 0 : firstBehind(keys, after, isDescending)
    const wanted = keys.slice(from, from + limit)
    const places = wanted.map(([, scanId, index]): FindingPlace => ({ scanId, index }))
    const found = await this.#inspector.findingsAt(caller, places, generations)
    if (found === undefined) return undefined
    return found.flatMap((one, index) => {
      const key = wanted[index]
      return key === undefined ? [] : [[one, key] as const]
    })
  }

  async #make(caller: InspectorCaller, { isDescending, sortedBy }: SortedWish): Promise<Listing> {
    const keys: SortKey[] = []
    const generations = new Map<number, number>()
    for await (const found of await this.#inspector.findings(caller)) {
      const { scanId, index, generation } = found
      generations.set(scanId, generation)
      const sorted = sortedBy(found)
      if (sorted !== undefined) keys.push([sorted, scanId, index])
    }
    keys.sort((a, b) => compareKeys(a, b, isDescending))
    return { keys, generations, until: performance.now() + KEPT_MS }
  }

  #keep(name: string, listing: Listing): void {
    this.#listings.delete(name)
    this.#listings.set(name, listing)
    let count = 0
    for (const [one, { keys, until }] of [...this.#listings].reverse()) {
      count += keys.length
      const isTooMany = count > KEYS_MAX || (one !== name && this.#listings.size > LISTINGS_MAX)
      if (isTooMany || until < performance.now()) this.#listings.delete(one)
    }
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#listings.clear(), KEPT_MS)
    this.#timer.unref()
  }
}

function compareKeys(a: SortKey, b: SortKey, isDescending: boolean): number {
  const sorted = compareSorted(a[0], b[0])
  return (isDescending ? -sorted : sorted) || a[1] - b[1] || a[2] - b[2]
}

function compareSorted(a: string | number, b: string | number): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [String(a), String(b)]
  return left < right ? -1 : left > right ? 1 : 0
}

function firstBehind(keys: readonly SortKey[], after: SortKey, isDescending: boolean): number {
  let [low, high] = [0, keys.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    const key = keys[middle]
    if (key !== undefined && compareKeys(key, after, isDescending) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
