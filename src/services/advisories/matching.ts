import { type Coverage, coverageOf, type EcosystemCoverage } from '../../domain/advisories/coverage.ts'
import { ecosystemOf } from '../../domain/advisories/ecosystems.ts'
import type { Finding } from '../../domain/advisories/finding.ts'
import { compareFindings, findingsOf } from '../../domain/advisories/findings.ts'
import { hitsOf } from '../../domain/advisories/match.ts'
import type { FoundPackage, Inventory, OperatingSystem } from '../../domain/inventory/package.ts'
import { presentCoverage } from '../../domain/scanning/judge.ts'
import type { Clock } from '../../lib/clock.ts'
import { givingWay } from '../../lib/giving-way.ts'
import type { AdvisorySet, AdvisoryStore } from '../../stores/advisories.ts'

/** What advisories say of an image, and how much that is worth. */
export interface Match {
  /** The worst first. Empty means nothing unless `coverage.state` is `complete`. */
  readonly findings: readonly Finding[]
  readonly coverage: Coverage
  readonly matchedAt: Date
}

/** What is compared: of an image all, or only the packages of some names. */
export interface Compared extends Pick<Inventory, 'os' | 'packages'> {
  readonly only?: ReadonlySet<string> | undefined
}

/** What was looked up of packages, as long as the advisories stay the same. */
export class MatchMemory {
  #set: AdvisorySet | undefined
  #known = new Map<string, readonly Finding[]>()

  of(set: AdvisorySet): Map<string, readonly Finding[]> {
    if (this.#set !== set) this.#known = new Map()
    this.#set = set
    return this.#known
  }
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
    return await this.#advisories.use((set) => this.#matchAgainst(set, inventory, set && looking(set)))
  }

  /** When advisories were last imported; `undefined`: never. */
  async importedAt(): Promise<Date | undefined> {
    return await this.#advisories.use((set) => set?.status.importedAt)
  }

  /** What findings rest on now that rested on that. */
  async presentCoverage(ecosystems: readonly EcosystemCoverage[]): Promise<readonly EcosystemCoverage[]> {
    const data = await this.#advisories.use((set) => set?.status.ecosystems ?? [])
    return presentCoverage(ecosystems, data, this.#clock.now(), this.#settings.ageMsMax)
  }

  /** What findings of these packages rest on now: advisories grow old also while nothing is compared. */
  async coverage({ os, packages }: Pick<Inventory, 'os' | 'packages'>): Promise<Coverage> {
    return await this.#advisories.use((set) =>
      coverageOf(packages, os, set?.status, this.#clock.now(), this.#settings.ageMsMax),
    )
  }

  /**
   * The findings of many images, all as of one set, one after the other as they are asked for; what is known of a package
   * is looked up once; with a memory, once for all calls that have the same one. The coverage is always that of all packages.
   */
  async matchMany<T extends Compared>(
    inventories: Iterable<T> | AsyncIterable<T>,
    take: (inventory: T, match: Match) => void | Promise<void>,
    memory = new MatchMemory(),
  ): Promise<void> {
    await this.#advisories.use(async (set) => {
      const findingsIn = set && remembering(set, memory.of(set))
      const giveWay = givingWay(WORK_MS)
      for await (const inventory of inventories) {
        await take(inventory, this.#matchAgainst(set, inventory, findingsIn))
        await giveWay()
      }
    })
  }

  #matchAgainst(
    set: AdvisorySet | undefined,
    { os, packages, only }: Compared,
    findingsIn: FindingsIn | undefined,
  ): Match {
    const matchedAt = this.#clock.now()
    const coverage = coverageOf(packages, os, set?.status, matchedAt, this.#settings.ageMsMax)
    const looked = only === undefined ? packages : packages.filter(({ name }) => only.has(name))
    const findings = findingsIn === undefined ? [] : looked.flatMap((found) => findingsIn(found, os))
    return { findings: findings.toSorted(compareFindings), coverage, matchedAt }
  }
}

/** So long the process is kept from other work at most. */
const WORK_MS = 8
/** So many packages are remembered at most: few findings each, but many of a kernel. */
const REMEMBERED_MAX = 5_000

type FindingsIn = (found: FoundPackage, os: OperatingSystem | undefined) => readonly Finding[]

function looking(set: AdvisorySet): FindingsIn {
  return (found, os) =>
    findingsOf(
      hitsOf([found], os, (ecosystem, name) => set.entriesOf(ecosystem, name)),
      set,
    )
}

/** Images mostly hold the same packages in the same versions: what is known of one is known of all. */
function remembering(set: AdvisorySet, known: Map<string, readonly Finding[]>): FindingsIn {
  const look = looking(set)
  return (found, os) => {
    const { type, name, version, sourceName, sourceVersion, moduleLabel } = found
    const key = JSON.stringify([ecosystemOf(type, os), name, version, sourceName, sourceVersion, moduleLabel])
    const before = known.get(key)
    if (before !== undefined) return before.map((finding) => ({ ...finding, package: found }))
    if (known.size >= REMEMBERED_MAX) known.clear()
    const findings = look(found, os)
    known.set(key, findings)
    return findings
  }
}
