import { type Coverage, coverageOf } from '../domain/advisories/coverage.ts'
import type { Finding } from '../domain/advisories/finding.ts'
import { findingsOf } from '../domain/advisories/findings.ts'
import { type AffectedEntry, hitsOf } from '../domain/advisories/match.ts'
import type { Inventory } from '../domain/inventory/package.ts'
import type { Clock } from '../lib/clock.ts'
import type { AdvisorySet, AdvisoryStore } from '../stores/advisories.ts'

/** What advisories say of an image, and how much that is worth. */
export interface Match {
  /** The worst first. Empty means nothing unless `coverage.state` is `complete`. */
  readonly findings: readonly Finding[]
  readonly coverage: Coverage
  readonly matchedAt: Date
}

export interface MatchingSettings {
  /** Advisories of an older state of the world are too old. */
  readonly ageMsMax: number
}

/** Compares what images hold with the advisories that were imported. */
export class Matching {
  readonly #advisories: AdvisoryStore
  readonly #clock: Clock
  readonly #settings: MatchingSettings

  constructor(advisories: AdvisoryStore, clock: Clock, settings: MatchingSettings) {
    this.#advisories = advisories
    this.#clock = clock
    this.#settings = settings
  }

  /** The findings of one image, as of the present set. */
  async match(inventory: Pick<Inventory, 'os' | 'packages'>): Promise<Match> {
    return await this.#advisories.use((set) => this.#matchAgainst(set, inventory, set?.entriesOf.bind(set)))
  }

  /** What findings of these packages rest on now: advisories grow old also while nothing is compared. */
  async coverage({ os, packages }: Pick<Inventory, 'os' | 'packages'>): Promise<Coverage> {
    return await this.#advisories.use((set) =>
      coverageOf(packages, os, set?.status, this.#clock.now(), this.#settings.ageMsMax),
    )
  }

  /**
   * The findings of many images, all as of one set, one after the other as they are asked for; what is known of a package
   * is looked up once.
   */
  async matchMany<T extends Pick<Inventory, 'os' | 'packages'>>(
    inventories: Iterable<T> | AsyncIterable<T>,
    take: (inventory: T, match: Match) => void | Promise<void>,
  ): Promise<void> {
    await this.#advisories.use(async (set) => {
      const entriesOf = set === undefined ? undefined : remembering(set)
      let rested = performance.now()
      for await (const inventory of inventories) {
        await take(inventory, this.#matchAgainst(set, inventory, entriesOf))
        if (performance.now() - rested < WORK_MS) continue
        await Bun.sleep(0)
        rested = performance.now()
      }
    })
  }

  #matchAgainst(
    set: AdvisorySet | undefined,
    { os, packages }: Pick<Inventory, 'os' | 'packages'>,
    entriesOf: EntriesOf | undefined,
  ): Match {
    const matchedAt = this.#clock.now()
    const coverage = coverageOf(packages, os, set?.status, matchedAt, this.#settings.ageMsMax)
    if (set === undefined || entriesOf === undefined) return { findings: [], coverage, matchedAt }
    return { findings: findingsOf(hitsOf(packages, os, entriesOf), set), coverage, matchedAt }
  }
}

/** So long the process is kept from other work at most. */
const WORK_MS = 8
const REMEMBERED_MAX = 50_000

type EntriesOf = (ecosystem: string, name: string) => readonly AffectedEntry[]

/** Images mostly hold the same packages. */
function remembering(set: AdvisorySet): EntriesOf {
  const known = new Map<string, readonly AffectedEntry[]>()
  return (ecosystem, name) => {
    const key = `${ecosystem}\u0000${name}`
    const entries = known.get(key) ?? set.entriesOf(ecosystem, name)
    if (known.size >= REMEMBERED_MAX) known.clear()
    known.set(key, entries)
    return entries
  }
}
