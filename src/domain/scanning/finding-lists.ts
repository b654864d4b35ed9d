import type { Finding } from '../advisories/finding.ts'
import { SEVERITIES, type Severity } from '../advisories/severity.ts'
import { isOsPackageType } from '../inventory/package.ts'
import type { ScanType } from './configuration.ts'
import type { SeverityCounts } from './scan.ts'

/** The severity that a type of scan gives. */
export function severityIn(type: ScanType, finding: Pick<Finding, 'severity' | 'enhancedSeverity'>): Severity {
  return type === 'BASIC' ? finding.severity : finding.enhancedSeverity
}

/**
 * What a type of scan shows, the worst first: a basic one packages of the operating system only, each flaw once for a
 * source package, whatever was built from it.
 */
export function findingsFor<One extends Finding>(type: ScanType, findings: readonly One[]): readonly One[] {
  const shown = type === 'BASIC' ? onePerSource(findings) : findings
  return shown.toSorted((a, b) => compareShown(type, a, b))
}

/** The order in which a type of scan shows findings. */
export function compareShown(type: ScanType, a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(severityIn(type, a)) - SEVERITIES.indexOf(severityIn(type, b)) ||
    compare(nameIn(type, a), nameIn(type, b)) ||
    compare(a.id, b.id) ||
    compare(a.package.filePath ?? '', b.package.filePath ?? '')
  )
}

/** What makes two findings one where each flaw is shown once for a source package. */
export function basicIdentityOf(finding: Finding): string {
  return JSON.stringify([finding.id, nameIn('BASIC', finding), finding.installedVersion])
}

function onePerSource<One extends Finding>(findings: readonly One[]): readonly One[] {
  const shown = new Map<string, One>()
  for (const finding of findings) {
    if (!isOsPackageType(finding.package.type)) continue
    const key = basicIdentityOf(finding)
    if (!shown.has(key)) shown.set(key, finding)
  }
  return [...shown.values()]
}

/** The package as a type of scan names it. */
export function nameIn(type: ScanType, finding: Finding): string {
  return type === 'BASIC' ? (finding.package.sourceName ?? finding.vulnerableName) : finding.package.name
}

/** Those that count, by severity; what is set aside does not. */
export function countsOf(type: ScanType, findings: readonly Finding[]): SeverityCounts {
  const counts: Partial<Record<Severity, number>> = {}
  for (const finding of findings) {
    if (finding.status.kind !== 'active') continue
    const severity = severityIn(type, finding)
    counts[severity] = (counts[severity] ?? 0) + 1
  }
  return counts
}

/** The counts when some findings have taken the place of others. */
export function countsAfter(counts: SeverityCounts, gone: SeverityCounts, come: SeverityCounts): SeverityCounts {
  const after: Partial<Record<Severity, number>> = {}
  for (const severity of SEVERITIES) {
    const count = (counts[severity] ?? 0) - (gone[severity] ?? 0) + (come[severity] ?? 0)
    if (count > 0) after[severity] = count
  }
  return after
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
