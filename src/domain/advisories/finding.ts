import type { FoundPackage } from '../inventory/package.ts'
import type { AdvisoryReference } from './advisory.ts'
import type { CvssScore } from './cvss.ts'
import type { Severity } from './severity.ts'

/** A vector, and which database has it. */
export interface SourcedCvss extends CvssScore {
  /** `NVD`, `GHSA`, `DEBIAN`, … */
  readonly source: string
}

/** A record that says so. */
export interface FindingAdvisory {
  readonly id: string
  readonly ecosystem: string
  /** Where people read it. */
  readonly url: string
}

/** That a flaw is known to be exploited. */
export interface KnownExploited {
  readonly addedOn: string
  readonly dueOn?: string | undefined
  readonly isUsedByRansomware: boolean
}

/** Whether a finding counts, and if not, who says so and why. */
export type FindingStatus =
  | { readonly kind: 'active' }
  | {
      readonly kind: 'suppressed'
      /** A VEX statement about the product, or a rule of the registry's owner. */
      readonly by: 'vex' | 'rule'
      /** The id of the VEX document or of the rule. */
      readonly source: string
      readonly reason: string
      readonly until?: Date | undefined
    }

/** One flaw in one package of an image, whatever number of databases know it. */
export interface Finding {
  /** The CVE where there is one; else the id of the GitHub advisory, else of the record. */
  readonly id: string
  /** All other ids of the same flaw, ascending. */
  readonly aliases: readonly string[]
  /** The records that it is from, ascending by id; at least one. */
  readonly advisories: readonly FindingAdvisory[]
  readonly package: FoundPackage
  /** Under which the database knows the package: the source package of a distribution, or its own name. */
  readonly vulnerableName: string
  /** The version that was compared: that of the package under this name. */
  readonly installedVersion: string
  /** Above the installed version, lowest first; empty while there is no fix. */
  readonly fixedVersions: readonly string[]
  readonly severity: Severity
  /** As enhanced scans judge it. */
  readonly enhancedSeverity: Severity
  /** The word of the database, as it stands there. */
  readonly vendorSeverity?: string | undefined
  /** The first is the one that counts: version 3 before 2 before 4, the record's own before what other databases say. */
  readonly cvss: readonly SourcedCvss[]
  readonly title: string
  readonly description: string
  /** Where people read about the flaw first. */
  readonly url: string
  readonly references: readonly AdvisoryReference[]
  readonly publishedAt?: Date | undefined
  readonly modifiedAt: Date
  readonly knownExploited?: KnownExploited | undefined
  /** It is known to be exploited, or a record refers to evidence of it. */
  readonly isExploitAvailable: boolean
  readonly status: FindingStatus
}
