import type { EcosystemCoverage } from '../../domain/advisories/coverage.ts'
import type { Finding } from '../../domain/advisories/finding.ts'
import type { Image } from '../../domain/image.ts'
import type { Inventory } from '../../domain/inventory/package.ts'
import type { Repository } from '../../domain/repository.ts'
import type { ScanType } from '../../domain/scanning/configuration.ts'
import type { ScanFailure } from '../../domain/scanning/scan.ts'
import type { VaultLayer } from './inventories.ts'

/** An image that is to be scanned. */
export interface ScanTarget {
  readonly repository: Repository
  readonly image: Image
  /** The lowest first. */
  readonly layers: readonly VaultLayer[]
}

/** What an engine says of an image. No finding means nothing unless there is no failure. */
export interface EngineReport {
  readonly findings: readonly Finding[]
  /** What the findings rest on. */
  readonly coverage: readonly EcosystemCoverage[]
  readonly failure?: ScanFailure | undefined
  readonly remark?: string | undefined
  /** The state of the world that its data describes. */
  readonly sourceUpdatedAt?: Date | undefined
  /** Of the registry's own set of advisories; absent for an engine that brings its own. */
  readonly revision?: number | undefined
  /** As people call it. */
  readonly platform?: string | undefined
  /** As the configuration of the image says; no engine needs to. */
  readonly architecture?: string | undefined
  /** Absent: the engine keeps it to itself, so that a change of advisories cannot be followed without it. */
  readonly inventory?: Inventory | undefined
}

/** The name of the registry's own. */
export const BUILT_IN = 'ecru'

/** Finds out what is wrong with images. */
export interface ScanEngine {
  /** Stands beside each result. */
  readonly name: string
  /**
   * Throws what says that an image can never be scanned (`layer-unreadable`, `layer-too-large`, `layer-type-unsupported`,
   * `analysis-timed-out`), the signal's reason, what opening a layer throws; anything else means: try again later.
   */
  scan(target: ScanTarget, type: ScanType, signal: AbortSignal): Promise<EngineReport>
}
