import { VERSION } from '../config/version.ts'
import { SEVERITIES, type Severity } from '../domain/advisories/severity.ts'
import { type FindingsReport, isConclusive, reportFrom } from '../domain/scanning/report.ts'
import { writeSarif } from '../domain/scanning/sarif.ts'
import { remarkIn } from '../domain/scanning/status.ts'
import type { Invocation } from './invocation.ts'
import { inspect } from './scans.ts'
import { plainText, printTable } from './table.ts'
import { CommandFailure, EXIT } from './terminal.ts'

const FORMATS = ['table', 'json', 'sarif'] as const

/**
 * `ecru scan`: prints what scans have found in an image. Fails when they could not tell: no finding then means nothing.
 * Findings of the severity that is asked for end it with the exit code that is asked for.
 */
export async function printFindings(image: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const format = FORMATS.find((one) => one === flags.format)
  if (format === undefined) throw new CommandFailure(`--format is one of ${FORMATS.join(', ')}.`)
  const limit = severityOf(flags.severity)
  const exitCode = exitCodeOf(flags.exitCode)
  const answer = await inspect('findings', { image }, invocation)
  // As a server answers it, also when none was asked.
  const whole = JSON.parse(JSON.stringify(answer), reviveMoments) as FindingsReport
  const report = limit === undefined ? whole : reportFrom(whole, limit)
  if (format === 'table') terminal.out(inWords(report))
  else
    terminal.out(`${JSON.stringify(format === 'json' ? report : writeSarif(report, { version: VERSION }), null, 2)}\n`)
  if (!isConclusive(report)) {
    terminal.err(`The scan could not tell: ${report.status}. ${plainText(report.description ?? '')}\n`)
    return EXIT.failed
  }
  return report.findings.some(({ status }) => status.kind === 'active') ? exitCode : EXIT.ok
}

function severityOf(flag: unknown): Severity | undefined {
  if (flag === undefined) return undefined
  const severity = SEVERITIES.find((one) => one === String(flag).toUpperCase())
  if (severity === undefined) throw new CommandFailure(`--severity is one of ${SEVERITIES.join(', ')}.`)
  return severity
}

function exitCodeOf(flag: unknown): number {
  const code = Number(flag ?? 0)
  if (!Number.isInteger(code) || code < 0 || code > 255) throw new CommandFailure('--exit-code is between 0 and 255.')
  return code
}

function reviveMoments(key: string, value: unknown): unknown {
  return key.endsWith('At') && typeof value === 'string' ? new Date(value) : value
}

function inWords(report: FindingsReport): string {
  const { repository, digest, scanType, status, completedAt, sourceUpdatedAt, counts, findings } = report
  const remark = isConclusive(report) ? remarkIn(report.description ?? '') : undefined
  const counted = SEVERITIES.flatMap((severity) => {
    const count = counts[severity] ?? 0
    return count === 0 ? [] : [`${severity} ${count}`]
  })
  const lines = [
    `${repository}@${digest}`,
    `${scanType.toLowerCase()} scan: ${status}${completedAt === undefined ? '' : `, ${completedAt.toISOString()}`}`,
    ...(sourceUpdatedAt === undefined ? [] : [`advisories as of ${sourceUpdatedAt.toISOString()}`]),
    ...(remark === undefined ? [] : [plainText(remark)]),
    ...(isConclusive(report) ? [counted.length === 0 ? 'nothing found' : counted.join(', ')] : []),
  ]
  const rows = findings.map(({ severity, id, packageName, installedVersion, fixedVersions, status: is }) => [
    severity,
    id,
    packageName,
    installedVersion,
    fixedVersions.join(', ') || 'none',
    is.kind === 'active' ? '' : `set aside (${is.by}): ${is.reason}`,
  ])
  const table = printTable(['SEVERITY', 'ID', 'PACKAGE', 'VERSION', 'FIXED IN', ''], rows)
  return `${lines.join('\n')}\n${table === '' ? '' : `\n${table}`}`
}
