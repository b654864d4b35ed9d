import type { AdvisoryFacts } from '../domain/advisories/advisory.ts'
import type { FlawKnowledge } from '../domain/advisories/findings.ts'
import type { AffectedEntry } from '../domain/advisories/match.ts'

/** How much is known of one ecosystem, such as `Debian:12` or `npm`. */
export interface EcosystemStatus {
  readonly ecosystem: string
  /** Records that say which of its packages are affected. */
  readonly recordCount: number
  /** When the newest of them was modified. */
  readonly newestModifiedAt: Date
  /** The state of the world that these records describe: the newest moment in the dump that brought them. */
  readonly asOf: Date
  readonly importedAt: Date
}

/** What a set of advisories holds. */
export interface AdvisoryStatus {
  /** Grows with every import that changed something. */
  readonly revision: number
  readonly recordCount: number
  readonly importedAt: Date
  /** The state of the world that the oldest dump describes. */
  readonly asOf: Date
  /** In alphabetic order. */
  readonly ecosystems: readonly EcosystemStatus[]
  readonly knownExploitedCount: number
  /** Who wrote the records: `osv`, or the converters that imports named. In alphabetic order. */
  readonly sources: readonly string[]
}

/** A package that an import changed something about. */
export interface ChangedPackage {
  readonly ecosystem: string
  readonly name: string
}

/** One whole set of advisories. It stays as it is while it is used, whatever is imported meanwhile. */
export interface AdvisorySet extends FlawKnowledge {
  readonly status: AdvisoryStatus
  /** All that is known of a package, by its canonical ecosystem and name. Withdrawn records are not there. */
  entriesOf(ecosystem: string, name: string): readonly AffectedEntry[]
  advisory(id: string): AdvisoryFacts | undefined
  /**
   * The packages whose findings may be others than at that revision; `everything`: it is too long ago, or not a revision
   * of this set.
   */
  changesSince(revision: number): readonly ChangedPackage[] | 'everything'
}

/** Of what is imported. */
export interface ImportChoice {
  /** Of a bucket only these; all when absent. */
  readonly ecosystems?: readonly string[] | undefined
  /** What is recorded as the origin; `osv` unless another converter wrote the records. */
  readonly source?: string | undefined
}

export interface ImportRequest extends ImportChoice {
  /** A directory in the layout of the OSV bucket or of single records, a file, or the URL of either. */
  readonly from: string
  /** File with the certificates of further authorities, in PEM, for https. */
  readonly caFile?: string | undefined
  readonly at: Date
}

export interface ImportProgress {
  /** What is being read. */
  readonly part: string
  readonly partsDone: number
  readonly partCount: number
  readonly recordsRead: number
}

export interface RejectedRecord {
  readonly name: string
  readonly reason: string
}

export interface ImportReport {
  /** Whether anything is other than before; otherwise the revision stays. */
  readonly isChanged: boolean
  readonly revision: number
  /** Whether an import that was cut off was gone on with. */
  readonly isResumed: boolean
  readonly recordsRead: number
  readonly addedCount: number
  readonly changedCount: number
  readonly removedCount: number
  readonly unchangedCount: number
  /** Records that are none. They are left out; the first of them are named. */
  readonly rejectedCount: number
  readonly rejected: readonly RejectedRecord[]
  readonly changedPackageCount: number
  readonly durationMs: number
}

export interface AdvisoryStore {
  /** Works with the present set; `undefined`: nothing was ever imported. */
  use<T>(work: (set: AdvisorySet | undefined) => T | Promise<T>): Promise<T>
  /**
   * Imports beside the readers, in a thread of its own, and lets the new set take the old one's place at once. Cut off in
   * any way it leaves the old set as it was; the same import asked for again goes on where it was. One at a time: others
   * wait. Throws `AdvisoryImportFailed`.
   */
  import(request: ImportRequest, onProgress?: (progress: ImportProgress) => void): Promise<ImportReport>
  /** Ends an import that is under way. */
  close(): Promise<void>
}

/** An import that could not be done, in words for the operator. */
export class AdvisoryImportFailed extends Error {
  override readonly name = 'AdvisoryImportFailed'
}
