import type { EcosystemCoverage } from '../advisories/coverage.ts'
import type { Finding } from '../advisories/finding.ts'
import type { Severity } from '../advisories/severity.ts'
import type { ScanType } from './configuration.ts'

/** How many findings there are of each severity; severities without any are left out. */
export type SeverityCounts = Readonly<Partial<Record<Severity, number>>>

/** Why a scan has no result that counts. */
export interface ScanFailure {
  readonly code: ScanFailureCode
  /** One sentence for people. */
  readonly reason: string
}

/**
 * `unsupported`: neither distribution nor package manager is known. `type-unsupported`: nothing that could be unpacked.
 * `data`: advisories are absent or too old. `layer`: a layer cannot be read. `engine`: the scanner failed. `quota`: too many scans.
 */
export type ScanFailureCode = 'unsupported' | 'type-unsupported' | 'data' | 'layer' | 'engine' | 'quota'

/** What a scan found out. Absent findings mean nothing unless there is no failure. */
export interface ScanResult {
  readonly engine: string
  readonly completedAt: Date
  /** The state of the world that the advisories describe; absent when there were none. */
  readonly sourceUpdatedAt?: Date | undefined
  /** Of the set of advisories, or `OUTDATED`; absent for engines that bring their own. */
  readonly revision?: number | undefined
  readonly coverage: readonly EcosystemCoverage[]
  readonly failure?: ScanFailure | undefined
  /** What could not be seen although nothing failed. */
  readonly remark?: string | undefined
  /** As people call it; absent when no layer says it. */
  readonly platform?: string | undefined
  /** `amd64`, as the configuration of the image says. */
  readonly architecture?: string | undefined
  readonly findings: readonly ObservedFinding[]
}

/** The revision of a scan that was not to follow advisories when they changed about packages of the image. */
export const OUTDATED = 0

/** A finding, and since when it has been there. */
export interface ObservedFinding extends Finding {
  readonly firstObservedAt: Date
  /** When it last became another one. */
  readonly changedAt: Date
}

/** A scan without its findings. */
export interface Scan extends Omit<ScanResult, 'findings' | 'completedAt' | 'engine'> {
  /** The store's own key; never shown. */
  readonly id: number
  readonly imageId: number
  readonly type: ScanType
  /** `QUEUED`: to be done, also while it is being done. */
  readonly state: 'QUEUED' | 'DONE'
  readonly requestedAt: Date
  /** Absent until it was done once. */
  readonly completedAt?: Date | undefined
  readonly engine?: string | undefined
  readonly counts: SeverityCounts
  readonly findingCount: number
  /** Another number whenever findings are other ones: positions in them hold as long as it stays. */
  readonly generation: number
}
