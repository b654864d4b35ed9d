import type { Severity } from '../advisories/severity.ts'
import { type FindingsReport, isConclusive, type ReportedFinding } from './report.ts'
import { remarkIn } from './status.ts'

/** Who wrote it. */
export interface SarifTool {
  readonly version: string
}

/** A report as SARIF 2.1.0 (https://docs.oasis-open.org/sarif/sarif/v2.1.0/), as code hosts show it. */
export function writeSarif(report: FindingsReport, { version }: SarifTool): object {
  const rules = new Map<string, ReportedFinding>()
  for (const finding of report.findings) if (!rules.has(finding.id)) rules.set(finding.id, finding)
  const order = [...rules.keys()]
  const image = `${report.repository}@${report.digest}`
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'Ecru', version, rules: order.flatMap((id) => ruleOf(rules.get(id))) },
        },
        // A scan that could not tell is no run without results.
        invocations: [
          {
            executionSuccessful: isConclusive(report),
            ...notificationsOf(report),
          },
        ],
        results: report.findings.map((finding) => resultOf(finding, order.indexOf(finding.id), image)),
        properties: {
          image,
          status: report.status,
          scanType: report.scanType,
          completedAt: report.completedAt?.toISOString(),
        },
      },
    ],
  }
}

/** What went wrong, or what could not be seen although nothing did. */
function notificationsOf(report: FindingsReport): object {
  const notified = (level: 'error' | 'warning', text: string) => ({
    toolExecutionNotifications: [{ level, message: { text } }],
  })
  if (!isConclusive(report)) return notified('error', sentenceOf(report))
  const remark = remarkIn(report.description ?? '')
  return remark === undefined ? {} : notified('warning', remark)
}

function sentenceOf({ status, description }: FindingsReport): string {
  return description === undefined ? status : `${status}: ${description}`
}

function ruleOf(finding: ReportedFinding | undefined): readonly object[] {
  if (finding === undefined) return []
  const { id, title, description, url, severity, cvss } = finding
  return [
    {
      id,
      shortDescription: { text: title || id },
      fullDescription: { text: description || title || id },
      ...(URL.canParse(url) ? { helpUri: url } : {}),
      defaultConfiguration: { level: levelOf(severity) },
      properties: {
        // By it GitHub ranks alerts; without a score, the middle of what the severity's word stands for.
        'security-severity': (cvss[0]?.baseScore ?? SCORES[severity]).toFixed(1),
        tags: ['security', 'vulnerability', severity],
      },
    },
  ]
}

function resultOf(finding: ReportedFinding, ruleIndex: number, image: string): object {
  const { id, severity, packageName, installedVersion, fixedVersions, filePath, layerDigest, purl, status } = finding
  const fix = fixedVersions.length === 0 ? 'no version is known that fixes it' : `fixed in ${fixedVersions.join(', ')}`
  return {
    ruleId: id,
    ruleIndex,
    level: levelOf(severity),
    message: { text: `${packageName} ${installedVersion} has ${id} (${severity}); ${fix}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: encodeURI(filePath ?? image.split('@')[0] ?? '') },
          region: { startLine: 1 },
        },
        logicalLocations: [{ fullyQualifiedName: `${image}#${purl}`, kind: 'module' }],
      },
    ],
    partialFingerprints: { 'ecru/v1': `${id} ${purl} ${filePath ?? ''}` },
    ...(status.kind === 'active'
      ? {}
      : { suppressions: [{ kind: 'external', status: 'accepted', justification: `${status.by}: ${status.reason}` }] }),
    properties: { severity, installedVersion, fixedVersions, purl, layer: layerDigest },
  }
}

function levelOf(severity: Severity): 'error' | 'warning' | 'note' {
  if (severity === 'CRITICAL' || severity === 'HIGH') return 'error'
  return severity === 'MEDIUM' ? 'warning' : 'note'
}

const SCORES: Readonly<Record<Severity, number>> = {
  CRITICAL: 9.5,
  HIGH: 8,
  MEDIUM: 5.5,
  LOW: 2,
  INFORMATIONAL: 0.1,
  UNDEFINED: 0.1,
  UNTRIAGED: 0.1,
}
