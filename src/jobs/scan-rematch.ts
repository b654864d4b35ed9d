import { namesToCompare } from '../domain/advisories/match.ts'
import { isRegistryError } from '../domain/errors.ts'
import type { Inventory } from '../domain/inventory/package.ts'
import type { ScanConfiguration } from '../domain/scanning/configuration.ts'
import { scanningOf } from '../domain/scanning/configuration.ts'
import { inventoryFor } from '../domain/scanning/judge.ts'
import { OUTDATED } from '../domain/scanning/scan.ts'
import { isEligible, type ScanDurations } from '../domain/scanning/status.ts'
import type { Clock } from '../lib/clock.ts'
import { givingWay } from '../lib/giving-way.ts'
import { type Match, type Matching, MatchMemory } from '../services/advisories/matching.ts'
import type { AdvisoryChanges, Rematch, Rematching } from '../services/advisories/rematching.ts'
import { reportOf } from '../services/scanning/built-in-engine.ts'
import type { ImageScanner, PreparedResult, ScannedImage } from '../services/scanning/image-scanner.ts'
import type { KeptFindings } from '../services/scanning/kept-findings.ts'
import { scanConfigurationOf } from '../services/scanning/scan-configurations.ts'
import { BUILT_IN } from '../services/scanning/scan-engine.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { PlacedScan } from '../stores/scans.ts'
import type { Pace } from './pace.ts'

/** How many images are compared before what came of it is written down. */
const STEP = 64
/** So long the process is kept from other work at most. */
const WORK_MS = 8
const LOOK_FOR_OUTDATED_MS = 5 * 60_000

/** An image whose packages are to be compared with the advisories once more. */
interface Comparison {
  readonly placed: PlacedScan
  readonly inventory: Inventory
  /** The names of the packages that are compared, when the findings in the others are known. */
  readonly only: ReadonlySet<string> | undefined
}

/** What images are compared by again. */
export interface ScanRematchParts {
  readonly metadata: MetadataStore
  readonly rematching: Rematching
  readonly matching: Matching
  readonly scanner: ImageScanner
  readonly kept: KeptFindings
  readonly clock: Clock
}

/**
 * Keeps findings up to date when advisories change: compares what images are known to hold, and reads no layer again.
 * Images under continuous scanning follow every change; others only wait for the advisories that they lacked.
 */
export class ScanRematch {
  readonly #metadata: MetadataStore
  readonly #rematching: Rematching
  readonly #matching: Matching
  readonly #scanner: ImageScanner
  readonly #kept: KeptFindings
  readonly #clock: Clock
  readonly #durations: ScanDurations
  /** When it was last looked for outdated scans that are to follow the advisories again. */
  #outdatedLookedForMs = Number.NEGATIVE_INFINITY
  /** When the advisories were imported that all scans which lacked some have been compared with. */
  #lacksSeenOf: number | undefined

  constructor(parts: ScanRematchParts, durations: ScanDurations) {
    this.#metadata = parts.metadata
    this.#rematching = parts.rematching
    this.#matching = parts.matching
    this.#scanner = parts.scanner
    this.#kept = parts.kept
    this.#clock = parts.clock
    this.#durations = durations
  }

  async isDue(): Promise<boolean> {
    if (await this.#rematching.isDue()) return true
    if ((await this.#matching.importedAt())?.getTime() !== this.#lacksSeenOf) return true
    if (!this.#isTimeForOutdated()) return false
    const configurations = new Configurations(this.#metadata)
    for await (const page of this.#outdated())
      for (const placed of page) if (await this.#isToFollow(placed, configurations)) return true
    this.#outdatedLookedForMs = this.#clock.now().getTime()
    return false
  }

  /**
   * Answers how many images were compared. Cut off, it compares them once more. `areRulesNew`: they may have come to select
   * images whose scans did not follow the advisories.
   */
  async run(pace: Pace, prove: (tx: MetadataWriter) => Promise<void>, areRulesNew: boolean): Promise<number> {
    const importedAt = (await this.#matching.importedAt())?.getTime()
    const configurations = new Configurations(this.#metadata)
    const memory = new MatchMemory()
    let count = 0
    const rematch = await this.#rematching.find()
    if (rematch !== undefined) {
      for (let from = 0; from < rematch.imageIds.length; from += STEP) {
        const found = await this.#metadata.view.scans.listOfImages(rematch.imageIds.slice(from, from + STEP))
        count += await this.#compare(found, { configurations, memory, rematch }, prove)
        await pace.rest()
      }
      await this.#rematching.finish(rematch)
    }
    if (importedAt !== this.#lacksSeenOf) {
      count += await this.#compareLacking({ configurations, memory }, pace, prove)
      this.#lacksSeenOf = importedAt
    }
    if (areRulesNew || this.#isTimeForOutdated()) {
      for await (const page of this.#outdated()) {
        count += await this.#compare(page, { configurations, memory }, prove)
        await pace.rest()
      }
      this.#outdatedLookedForMs = this.#clock.now().getTime()
    }
    return count
  }

  /** A pull can bring an image back under continuous scanning, and tells nobody. */
  #isTimeForOutdated(): boolean {
    return this.#clock.now().getTime() - this.#outdatedLookedForMs >= LOOK_FOR_OUTDATED_MS
  }

  async *#outdated(): AsyncGenerator<readonly PlacedScan[]> {
    for (let after = 0; ; ) {
      const page = await this.#metadata.view.scans.listOutdated({ after, limit: STEP })
      const last = page.at(-1)
      if (last === undefined) return
      yield page
      after = last.scan.id
    }
  }

  async #compareLacking(known: Known, pace: Pace, prove: (tx: MetadataWriter) => Promise<void>): Promise<number> {
    let count = 0
    for (let after = 0; ; ) {
      const page = await this.#metadata.view.scans.listWithoutData({ after, limit: STEP })
      const last = page.at(-1)
      if (last === undefined) return count
      count += await this.#compare(page, known, prove)
      after = last.scan.id
      await pace.rest()
    }
  }

  async #compare(
    found: readonly PlacedScan[],
    { configurations, memory, rematch }: Known,
    prove: (tx: MetadataWriter) => Promise<void>,
  ): Promise<number> {
    const giveWay = givingWay(WORK_MS)
    const due: Comparison[] = []
    const prepared: (readonly [ScannedImage, PreparedResult])[] = []
    const outdated: number[] = []
    for (const placed of found) {
      await giveWay()
      if (!(await this.#isToFollow(placed, configurations))) {
        if (rematch !== undefined && isOutdatedBy(rematch.revision, placed)) outdated.push(placed.scan.id)
        continue
      }
      const { repository, image } = placed
      try {
        const inventory = await this.#kept.findInventory(this.#metadata.view, repository, image.id)
        if (inventory === undefined) await this.#scanAgain(placed, prove)
        else due.push({ placed, inventory, only: namesIn(inventory, placed, rematch?.changes) })
      } catch (thrown) {
        if (!isRegistryError(thrown, 'kms-key-unusable')) throw thrown
        prepared.push([scannedIn(placed), await this.#scanner.prepareFailure(scannedIn(placed), thrown.message)])
      }
    }
    for (const [{ placed, inventory, only }, match] of await this.#matchesOf(due, memory, rematch?.revision)) {
      await giveWay()
      const report = reportOf(placed.scan.type, inventory, match)
      prepared.push([scannedIn(placed), await this.#scanner.prepare(scannedIn(placed), report, only)])
    }
    if (prepared.length > 0 || outdated.length > 0)
      await this.#metadata.transact(
        async (tx) => {
          await prove(tx)
          // What became another scan meanwhile was compared with these advisories by that.
          for (const [scanned, ready] of prepared) await this.#scanner.write(tx, scanned, ready, false)
          if (outdated.length > 0) await tx.scans.markOutdated(outdated)
        },
        { durability: 'relaxed' },
      )
    return prepared.length
  }

  async #matchesOf(
    due: readonly Comparison[],
    memory: MatchMemory,
    revision: number | undefined,
  ): Promise<readonly (readonly [Comparison, Match])[]> {
    const matches: (readonly [Comparison, Match])[] = []
    const whole: Comparison[] = []
    const looked = (comparisons: readonly Comparison[]) =>
      comparisons.map((comparison) => {
        const { os, packages } = inventoryFor(comparison.placed.scan.type, comparison.inventory)
        return { os, packages, only: comparison.only, comparison }
      })
    await this.#matching.matchMany(
      looked(due),
      ({ comparison }, match) => {
        // Other advisories have come meanwhile, about other packages.
        if (comparison.only !== undefined && match.coverage.revision !== revision)
          whole.push({ ...comparison, only: undefined })
        else matches.push([comparison, match])
      },
      memory,
    )
    const take = ({ comparison }: { comparison: Comparison }, match: Match) => void matches.push([comparison, match])
    if (whole.length > 0) await this.#matching.matchMany(looked(whole), take, memory)
    return matches
  }

  async #isToFollow({ scan, image, repository }: PlacedScan, configurations: Configurations): Promise<boolean> {
    // What another engine found is not ours to compare.
    if (this.#scanner.engineName !== BUILT_IN) return false
    if (scan.state === 'QUEUED' || scan.engine !== this.#scanner.engineName || image.status !== 'ACTIVE') return false
    if (scan.failure?.code === 'data') return true
    if (scan.type !== 'ENHANCED' || scan.completedAt === undefined) return false
    const scanning = scanningOf(await configurations.of(repository.registry), repository)
    if (scanning.type !== 'ENHANCED' || scanning.frequency !== 'CONTINUOUS_SCAN') return false
    return isEligible(image, this.#clock.now(), this.#durations)
  }

  /** What is in the image was found by another version of the analyser, or never. */
  async #scanAgain({ scan, repository }: PlacedScan, prove: (tx: MetadataWriter) => Promise<void>): Promise<void> {
    await this.#metadata.transact(async (tx) => {
      await prove(tx)
      const now = this.#clock.now()
      await tx.scans.request(scan.imageId, repository.registry, scan.type, now, now)
    })
  }
}

function scannedIn({ scan: { id, type }, image, repository }: PlacedScan): ScannedImage {
  return { id, type, image, repository }
}

/** Whether a scan that does not follow the advisories says something else than they do by now, as far as is known. */
function isOutdatedBy(present: number, { scan: { type, engine, revision, failure } }: PlacedScan): boolean {
  if (type !== 'ENHANCED' || engine !== BUILT_IN || failure !== undefined) return false
  return revision !== OUTDATED && revision !== present
}

/** What is looked up once in a run. */
interface Known {
  readonly configurations: Configurations
  readonly memory: MatchMemory
  /** What is followed; absent when images are compared that lacked advisories. */
  readonly rematch?: Pick<Rematch, 'revision' | 'changes'>
}

/** Which packages are to be compared; `undefined`: all, as what was found before is not whole or too old. */
function namesIn(
  { os, packages }: Inventory,
  { scan: { type, revision, failure } }: PlacedScan,
  changes: AdvisoryChanges | undefined,
): ReadonlySet<string> | undefined {
  if (changes === undefined || type !== 'ENHANCED') return undefined
  if (failure !== undefined || revision === undefined || revision < changes.since) return undefined
  return namesToCompare(packages, os, changes)
}

/** The configurations of registries, each looked up once in a run. */
class Configurations {
  readonly #metadata: MetadataStore
  readonly #known = new Map<string, ScanConfiguration>()

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata
  }

  async of(registry: PlacedScan['repository']['registry']): Promise<ScanConfiguration> {
    const key = `${registry.registryId} ${registry.region}`
    const configuration = this.#known.get(key) ?? (await scanConfigurationOf(this.#metadata.view, registry))
    this.#known.set(key, configuration)
    return configuration
  }
}
