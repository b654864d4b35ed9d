import { repositoryArn } from '../../domain/arn.ts'
import type { Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import {
  DEFAULT_SCAN_CONFIGURATION,
  type RepositoryScanning,
  type ScanConfiguration,
  scanningOf,
} from '../../domain/scanning/configuration.ts'
import type { ObservedFinding } from '../../domain/scanning/scan.ts'
import type { ScanState } from '../../domain/scanning/status.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { PlacedScan } from '../../stores/scans.ts'
import type { Access } from '../access/access.ts'
import type { PullTimes } from '../images/pulls.ts'
import { enhancedFinding } from './enhanced-findings.ts'
import type { FindingStreams } from './finding-streams.ts'
import { type ScanConfigurations, scanConfigurationOf } from './scan-configurations.ts'
import type { ScanFindings } from './scan-findings.ts'

/** A finding as Inspector shows it, and where it stands in the order of all. */
export interface InspectorFinding extends FindingPlace {
  /** Of the scan's findings: places hold as long as it stays. */
  readonly generation: number
  readonly finding: ReturnType<typeof enhancedFinding>
}

/** Where a finding stands: a scan, and a position in it. */
export interface FindingPlace {
  readonly scanId: number
  readonly index: number
}

const BEGINNING: FindingPlace = { scanId: 1, index: 0 }

/** Who asks for what, by the name of Inspector's action, and of which registry. */
export interface InspectorCaller {
  readonly principal: Principal
  readonly action: string
  readonly registry: Registry
}

/** An image that enhanced scanning knows of. */
export interface CoveredImage {
  readonly placed: PlacedScan
  readonly resourceId: string
  readonly scanning: RepositoryScanning
  readonly state: ScanState
}

const STEP = 50
/** Findings are kept by the hundred: those near each other are read at once. */
const AT_ONCE = 100
const EVERYTHING: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] }

/** What Inspector's answers are made of. */
export interface InspectorParts {
  readonly metadata: MetadataStore
  readonly access: Access
  readonly scanFindings: ScanFindings
  readonly streams: FindingStreams
  readonly configurations: ScanConfigurations
  readonly pulls: PullTimes
}

/** What enhanced scanning has found in a whole registry. There is nothing while a registry is scanned otherwise. */
export class Inspector {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #scanFindings: ScanFindings
  readonly #streams: FindingStreams
  readonly #configurations: ScanConfigurations
  readonly #pulls: PullTimes

  constructor(parts: InspectorParts) {
    this.#metadata = parts.metadata
    this.#access = parts.access
    this.#scanFindings = parts.scanFindings
    this.#streams = parts.streams
    this.#configurations = parts.configurations
    this.#pulls = parts.pulls
  }

  /**
   * Every finding of the registry from a place on, in a steady order: by image as they were first scanned, the worst
   * first. Throws `access-denied`.
   */
  async findings(caller: InspectorCaller, from: FindingPlace = BEGINNING): Promise<AsyncIterable<InspectorFinding>> {
    await this.#authorize(caller)
    return this.#findings(caller.registry, from)
  }

  /**
   * The findings at these places, in their order; `undefined` when a scan has found others since it was of the given
   * generation, or is gone. Throws `access-denied`.
   */
  async findingsAt(
    caller: InspectorCaller,
    places: readonly FindingPlace[],
    generations: ReadonlyMap<number, number>,
  ): Promise<readonly InspectorFinding[] | undefined> {
    await this.#authorize(caller)
    const found = new Map<string, InspectorFinding>()
    for (const [scanId, ofIt] of Map.groupBy(places, (place) => place.scanId)) {
      const covered = await this.#coveredBy(caller.registry, scanId)
      if (covered === undefined || covered.placed.scan.generation !== generations.get(scanId)) return undefined
      const { placed } = covered
      const { view } = this.#metadata
      const judgement = await this.#streams.judgementOf(view, placed.repository, placed.scan, placed.image)
      for (const [stretch, inIt] of Map.groupBy(ofIt, ({ index }) => Math.floor(index / AT_ONCE))) {
        const from = stretch * AT_ONCE
        const read = judgement.judge(await this.#streams.read(view, placed.repository, placed.scan, from, AT_ONCE))
        for (const { index } of inIt) {
          const one = read[index - from]
          if (one === undefined) return undefined
          found.set(`${scanId} ${index}`, this.#shown(placed, isClosed(covered), one, index))
        }
      }
    }
    return places.flatMap(({ scanId, index }) => found.get(`${scanId} ${index}`) ?? [])
  }

  /** Every image of the registry that enhanced scanning knows of, from a place on. Throws `access-denied`. */
  async covered(caller: InspectorCaller, afterScan = 0): Promise<AsyncIterable<CoveredImage>> {
    await this.#authorize(caller)
    return this.#covered(caller.registry, afterScan)
  }

  /** Whether enhanced scanning is on. Throws `access-denied`. */
  async isEnabled(caller: InspectorCaller): Promise<boolean> {
    await this.#authorize(caller)
    return this.#isEnabled(caller.registry)
  }

  /**
   * Switches enhanced scanning on, of all repositories and continuously unless it is on already; or off. Throws
   * `access-denied`.
   */
  async setEnabled(caller: InspectorCaller, isEnabled: boolean): Promise<void> {
    await this.#authorize(caller)
    if ((await this.#isEnabled(caller.registry)) === isEnabled) return
    await this.#configurations.replace(caller.registry, isEnabled ? EVERYTHING : DEFAULT_SCAN_CONFIGURATION)
  }

  /** No action of Inspector's names a resource. */
  async #authorize({ principal, action, registry }: InspectorCaller): Promise<void> {
    const { registryId: ownerAccountId, region } = registry
    await this.#access.authorize(principal, `inspector2:${action}`, { arn: '*', ownerAccountId, region })
  }

  async *#findings(registry: Registry, from: FindingPlace): AsyncGenerator<InspectorFinding> {
    for await (const { placed, state } of this.#covered(registry, from.scanId - 1)) {
      const { scan, image, repository } = placed
      const isOver = isClosed({ state })
      let index = scan.id === from.scanId ? from.index : 0
      for await (const stretch of this.#streams.of(this.#metadata.view, repository, scan, image, index))
        for (const one of stretch) {
          yield this.#shown(placed, isOver, one, index++)
        }
    }
  }

  #shown({ scan, image, repository }: PlacedScan, isClosed: boolean, one: ObservedFinding, index: number) {
    const shown = enhancedFinding(repository, { finding: one, image, scan })
    const finding = isClosed ? { ...shown, status: 'CLOSED' as const } : shown
    return { finding, scanId: scan.id, index, generation: scan.generation }
  }

  async *#covered(registry: Registry, afterScan: number, step = STEP): AsyncGenerator<CoveredImage> {
    const configuration = await scanConfigurationOf(this.#metadata.view, registry)
    if (configuration.type !== 'ENHANCED') return
    await this.#pulls.flush()
    for (let after = afterScan; ; ) {
      const page = await this.#metadata.view.scans.listOfRegistry(registry, 'ENHANCED', { after, limit: step })
      for (const placed of page.placed) {
        const scanning = scanningOf(configuration, placed.repository)
        const { state } = await this.#scanFindings.judge(placed.scan, placed.image, scanning)
        yield { placed, resourceId: `${repositoryArn(placed.repository)}/${placed.image.digest}`, scanning, state }
      }
      if (page.next === undefined) return
      after = page.next
    }
  }

  async #coveredBy(registry: Registry, scanId: number): Promise<CoveredImage | undefined> {
    for await (const one of this.#covered(registry, scanId - 1, 1))
      return one.placed.scan.id === scanId ? one : undefined
    return undefined
  }

  async #isEnabled(registry: Registry): Promise<boolean> {
    return (await scanConfigurationOf(this.#metadata.view, registry)).type === 'ENHANCED'
  }
}

/** What is scanned no more has no findings that are open. */
function isClosed({ state: { status } }: Pick<CoveredImage, 'state'>): boolean {
  return status === 'SCAN_ELIGIBILITY_EXPIRED' || status === 'IMAGE_ARCHIVED'
}
