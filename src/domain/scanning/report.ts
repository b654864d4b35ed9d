import type { Finding } from '../advisories/finding.ts'
import { SEVERITIES, type Severity } from '../advisories/severity.ts'
import type { ScanType } from './configuration.ts'
import type { SeverityCounts } from './scan.ts'
import type { ScanStatus } from './status.ts'

/** All that a scan has found, as one document. */
export interface FindingsReport {
  readonly repository: string
  readonly registryId: string
  readonly digest: string
  readonly scanType: ScanType
  readonly status: ScanStatus
  readonly description?: string | undefined
  readonly completedAt?: Date | undefined
  readonly sourceUpdatedAt?: Date | undefined
  /** Of those that count. */
  readonly counts: SeverityCounts
  /** The worst first, also those that are set aside where the type of scan shows them. */
  readonly findings: readonly ReportedFinding[]
}

export interface ReportedFinding
  extends Pick<
    Finding,
    | 'id'
    | 'aliases'
    | 'installedVersion'
    | 'fixedVersions'
    | 'title'
    | 'description'
    | 'url'
    | 'isExploitAvailable'
    | 'status'
    | 'cvss'
  > {
  readonly severity: Severity
  readonly packageName: string
  readonly packageType: string
  readonly purl: string
  readonly filePath?: string | undefined
  readonly layerDigest: string
  readonly firstObservedAt: Date
  /** The image that it is in: of an index, one of those that it lists. */
  readonly imageDigest: string
}

/** Whether the report tells what there is to tell: no finding means something only then. */
export function isConclusive({ status }: Pick<FindingsReport, 'status'>): boolean {
  return status === 'COMPLETE' || status === 'ACTIVE'
}

/** The report with findings of a severity or worse only; its counts stay those of the image. */
export function reportFrom(report: FindingsReport, limit: Severity): FindingsReport {
  const last = SEVERITIES.indexOf(limit)
  return { ...report, findings: report.findings.filter(({ severity }) => SEVERITIES.indexOf(severity) <= last) }
}
