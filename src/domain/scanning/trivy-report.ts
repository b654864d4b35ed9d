import { scoreOf } from '../advisories/cvss.ts'
import type { SourcedCvss } from '../advisories/finding.ts'
import { type Digest, tryParseDigest } from '../digest.ts'
import { isOsPackageType, type PackageType } from '../inventory/package.ts'
import { type JsonObject, objectOf, textOf } from '../json-values.ts'
import type { ScanType } from './configuration.ts'
import {
  type ForeignFinding,
  type ForeignReport,
  findingFrom,
  listOf,
  momentOf,
  NoReport,
  typeOfPurl,
  versionsOf,
} from './foreign-report.ts'
import { UNSUPPORTED } from './judge.ts'

/** By Trivy's own names of kinds of packages, where it gives no package URL. */
const TYPES: ReadonlyMap<string, PackageType> = new Map<string, PackageType>([
  ['debian', 'deb'],
  ['ubuntu', 'deb'],
  ['alpine', 'apk'],
  ['wolfi', 'apk'],
  ['chainguard', 'apk'],
  ['node-pkg', 'npm'],
  ['npm', 'npm'],
  ['yarn', 'npm'],
  ['pnpm', 'npm'],
  ['python-pkg', 'pypi'],
  ['pip', 'pypi'],
  ['poetry', 'pypi'],
  ['gobinary', 'golang'],
  ['gomod', 'golang'],
  ['jar', 'maven'],
  ['pom', 'maven'],
  ['gemspec', 'gem'],
  ['bundler', 'gem'],
  ['rustbinary', 'cargo'],
  ['cargo', 'cargo'],
  ['composer', 'composer'],
  ['composer-vendor', 'composer'],
  ['dotnet-core', 'nuget'],
  ['nuget', 'nuget'],
  ['bitnami', 'bitnami'],
])

/**
 * Reads what `trivy image --format json --list-all-pkgs` printed (its schema 2). `topLayer` stands for layers that it does
 * not name. Throws `NoReport`: what cannot be read is never a report without findings.
 */
export function readTrivyReport(value: unknown, type: ScanType, topLayer: Digest): ForeignReport {
  const report = objectOf(value)
  if (report?.SchemaVersion !== 2) throw new NoReport('It is no report of Trivy, or one of another schema than 2.')
  const os = objectOf(objectOf(report.Metadata)?.OS)
  const findings: ForeignFinding[] = []
  let packageCount = 0
  for (const entry of listOf(report.Results, 'Results')) {
    const result = objectOf(entry)
    if (result === undefined) throw new NoReport('One of its results is no object.')
    const isOs = result.Class === 'os-pkgs'
    if (isOs || type === 'ENHANCED') packageCount += listOf(result.Packages, 'Packages').length
    const packages = packagesById(result)
    for (const one of listOf(result.Vulnerabilities, 'Vulnerabilities'))
      findings.push(vulnerabilityOf(one, result, packages, topLayer))
  }
  const counted = type === 'BASIC' ? findings.filter((one) => isOsPackageType(one.package.type)) : findings
  const isBlind = packageCount === 0 && counted.length === 0 && (type === 'BASIC' || os === undefined)
  return {
    findings: counted.map(findingFrom),
    failure: isBlind ? UNSUPPORTED : undefined,
    remark: os?.EOSL === true ? 'The distribution gets no security updates any more.' : undefined,
    platform:
      os &&
      [textOf(os.Family), textOf(os.Name)]
        .filter((part) => part !== undefined)
        .join('_')
        .toUpperCase(),
  }
}

function packagesById(result: JsonObject): ReadonlyMap<string, JsonObject> {
  const known = new Map<string, JsonObject>()
  for (const entry of listOf(result.Packages, 'Packages')) {
    const found = objectOf(entry)
    const id = textOf(found?.ID)
    if (found !== undefined && id !== undefined) known.set(id, found)
  }
  return known
}

function vulnerabilityOf(
  value: unknown,
  result: JsonObject,
  packages: ReadonlyMap<string, JsonObject>,
  topLayer: Digest,
): ForeignFinding {
  const one = objectOf(value)
  const [id, name] = [textOf(one?.VulnerabilityID), textOf(one?.PkgName)]
  if (one === undefined || id === undefined || name === undefined)
    throw new NoReport('One of its vulnerabilities has no id or no package.')
  const installed = textOf(one.InstalledVersion) ?? ''
  const found = packages.get(textOf(one.PkgID) ?? '')
  const purl = textOf(objectOf(one.PkgIdentifier)?.PURL)
  const isOs = result.Class === 'os-pkgs'
  const named = textOf(result.Type) ?? ''
  // Most distributions that have no package type of their own here use rpm.
  const type = typeOfPurl(purl) ?? TYPES.get(named) ?? (isOs ? 'rpm' : 'npm')
  const layer = textOf(objectOf(one.Layer)?.Digest)
  const sourceVersion = [textOf(found?.SrcVersion), textOf(found?.SrcRelease)].filter((part) => part !== undefined)
  return {
    id,
    aliases: listOf(one.VendorIDs, 'VendorIDs')
      .flatMap((alias) => textOf(alias) ?? [])
      .toSorted(),
    package: {
      type,
      name,
      version: installed,
      ...(isOs
        ? {
            sourceName: textOf(found?.SrcName) ?? name,
            sourceVersion: sourceVersion.length === 0 ? installed : sourceVersion.join('-'),
            arch: textOf(found?.Arch),
          }
        : { filePath: textOf(one.PkgPath) ?? textOf(result.Target) }),
      layerDigest: (layer === undefined ? undefined : tryParseDigest(layer)) ?? topLayer,
      licences: [],
      purl: purl ?? `pkg:${type}/${encodeURIComponent(name)}@${encodeURIComponent(installed)}`,
    },
    fixedVersions: versionsOf(one.FixedVersion),
    severity: textOf(one.Severity),
    ecosystem: textOf(objectOf(one.DataSource)?.Name) ?? named,
    cvss: cvssOf(objectOf(one.CVSS)),
    title: textOf(one.Title) ?? '',
    description: textOf(one.Description) ?? '',
    url: textOf(one.PrimaryURL),
    references: listOf(one.References, 'References').flatMap((reference) => textOf(reference) ?? []),
    publishedAt: momentOf(one.PublishedDate),
    modifiedAt: momentOf(one.LastModifiedDate),
  }
}

/** NVD's first; version 3 before 2 before 4. */
function cvssOf(sources: JsonObject | undefined): readonly SourcedCvss[] {
  const names = Object.keys(sources ?? {}).toSorted((a, b) => Number(b === 'nvd') - Number(a === 'nvd'))
  return ['V3Vector', 'V2Vector', 'V40Vector'].flatMap((member) =>
    names.flatMap((source): readonly SourcedCvss[] => {
      const vector = textOf(objectOf(sources?.[source])?.[member])
      const kind = member === 'V3Vector' ? 'CVSS_V3' : member === 'V2Vector' ? 'CVSS_V2' : 'CVSS_V4'
      const score = vector === undefined ? undefined : scoreOf({ kind, value: vector })
      return score === undefined ? [] : [{ ...score, source: source.toUpperCase() }]
    }),
  )
}
