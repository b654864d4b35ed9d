/** What happens at a version of a range. */
export type RangeEventKind = 'introduced' | 'fixed' | 'last_affected' | 'limit'

export interface RangeEvent {
  readonly kind: RangeEventKind
  readonly version: string
}

export interface AffectedRange {
  /** Ranges of commits (GIT) say nothing of versions. */
  readonly type: 'SEMVER' | 'ECOSYSTEM' | 'GIT'
  /** As they are stated, not sorted. */
  readonly events: readonly RangeEvent[]
}

/** A severity as a record states it: a CVSS vector, or a distribution's word. */
export interface SeverityStatement {
  readonly kind: 'CVSS_V2' | 'CVSS_V3' | 'CVSS_V4' | 'word'
  readonly value: string
}

/** Which versions of one package a record is about. */
export interface AffectedPackage {
  /** In the form of `canonicalEcosystem`. */
  readonly ecosystem: string
  /** In the form of `canonicalName`. */
  readonly name: string
  readonly ranges: readonly AffectedRange[]
  /** Affected one by one, beside the ranges. */
  readonly versions: readonly string[]
  /** What only holds for this package. */
  readonly severity: readonly SeverityStatement[]
  /** The module stream of RPM that this is about, `nodejs:18`, where the fix is a modular one and the record names it. */
  readonly moduleStream?: string | undefined
}

export interface AdvisoryReference {
  readonly type: string
  readonly url: string
}

/** One record of a database of flaws, in the terms of OSV. Records of other formats are converted to it. */
export interface Advisory {
  readonly id: string
  readonly modifiedAt: Date
  readonly publishedAt?: Date | undefined
  readonly withdrawnAt?: Date | undefined
  /** Other names of the same flaw. */
  readonly aliases: readonly string[]
  /** The flaws that a distribution's record is about. */
  readonly upstream: readonly string[]
  /** Flaws that have to do with it. */
  readonly related: readonly string[]
  readonly summary: string
  readonly details: string
  /** Of all affected packages. */
  readonly severity: readonly SeverityStatement[]
  readonly affected: readonly AffectedPackage[]
  readonly references: readonly AdvisoryReference[]
}

/** What a record says of a flaw, without which versions it is in. */
export type AdvisoryFacts = Omit<Advisory, 'affected'>
