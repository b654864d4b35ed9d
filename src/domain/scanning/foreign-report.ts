import type { Finding } from '../advisories/finding.ts'
import type { Severity } from '../advisories/severity.ts'
import { urlOf } from '../advisories/trackers.ts'
import type { FoundPackage, PackageType } from '../inventory/package.ts'
import { textOf } from '../json-values.ts'
import type { ScanFailure } from './scan.ts'

/** What another scanner says of an image, in our terms. */
export interface ForeignReport {
  readonly findings: readonly Finding[]
  readonly failure?: ScanFailure | undefined
  readonly remark?: string | undefined
  /** As Inspector calls it: `DEBIAN_12`. */
  readonly platform?: string | undefined
}

/** A text that is no report, with the reason in one sentence: nothing can be said of the image. */
export class NoReport extends Error {
  override readonly name = 'NoReport'
}

/** `null` and nothing are an empty list, as Go writes one. Throws `NoReport` for anything else that is none. */
export function listOf(value: unknown, name: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new NoReport(`Its ${name} is no list.`)
  return value
}

/** A moment in ISO 8601; `undefined` for anything else, and for times before 1970. */
export function momentOf(value: unknown): Date | undefined {
  const text = textOf(value)
  const moment = text === undefined ? undefined : new Date(text)
  return moment === undefined || Number.isNaN(moment.getTime()) || moment.getTime() < 0 ? undefined : moment
}

/** `1.2.3, 1.3.0` as Trivy and Harbor's adapters write them. */
export function versionsOf(value: unknown): readonly string[] {
  return (textOf(value) ?? '')
    .split(/,\s*/)
    .map((version) => version.trim())
    .filter((version) => version !== '')
}

const SEVERITIES: ReadonlyMap<string, Severity> = new Map<string, Severity>([
  ['critical', 'CRITICAL'],
  ['high', 'HIGH'],
  ['medium', 'MEDIUM'],
  ['low', 'LOW'],
  ['negligible', 'INFORMATIONAL'],
  ['none', 'INFORMATIONAL'],
])

/** What another scanner found, before it is a finding. */
export interface ForeignFinding extends Pick<Finding, 'id' | 'fixedVersions' | 'cvss' | 'title' | 'description'> {
  readonly package: FoundPackage
  /** The scanner's word. */
  readonly severity: string | undefined
  readonly aliases?: readonly string[]
  /** Of which database the flaw is known. */
  readonly ecosystem: string
  readonly url?: string | undefined
  readonly references: readonly string[]
  readonly publishedAt?: Date | undefined
  readonly modifiedAt?: Date | undefined
}

/** A finding of another scanner as one of ours. Its judgement of how bad it is stays. */
export function findingFrom({ severity: word, references, modifiedAt, ...found }: ForeignFinding): Finding {
  const { id, ecosystem, aliases = [], package: of } = found
  const severity = SEVERITIES.get((word ?? '').toLowerCase())
  const url = found.url ?? urlOf(id, ecosystem)
  return {
    id,
    aliases,
    advisories: [{ id, ecosystem, url }],
    package: of,
    vulnerableName: of.sourceName ?? of.name,
    installedVersion: of.version,
    fixedVersions: found.fixedVersions,
    severity: severity ?? 'UNDEFINED',
    enhancedSeverity: severity ?? 'UNTRIAGED',
    vendorSeverity: word,
    cvss: found.cvss,
    title: found.title,
    description: found.description,
    url,
    references: references.map((one) => ({ type: 'WEB', url: one })),
    publishedAt: found.publishedAt,
    modifiedAt: modifiedAt ?? found.publishedAt ?? new Date(0),
    isExploitAvailable: false,
    status: { kind: 'active' },
  }
}

const PURL_TYPES: readonly PackageType[] = [
  'deb',
  'apk',
  'rpm',
  'npm',
  'pypi',
  'golang',
  'maven',
  'gem',
  'cargo',
  'composer',
  'nuget',
]

/** The type that a package URL names, as far as it is one of ours. */
export function typeOfPurl(purl: string | undefined): PackageType | undefined {
  const name = /^pkg:([a-z]+)\//.exec(purl ?? '')?.[1]
  return PURL_TYPES.find((type) => type === name)
}
