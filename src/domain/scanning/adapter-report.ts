import { scoreOf } from '../advisories/cvss.ts'
import type { SourcedCvss } from '../advisories/finding.ts'
import type { Digest } from '../digest.ts'
import type { FoundPackage, Inventory, PackageType } from '../inventory/package.ts'
import { isOsPackageType } from '../inventory/package.ts'
import { type JsonObject, objectOf, textOf } from '../json-values.ts'
import { type ForeignReport, findingFrom, listOf, momentOf, NoReport, versionsOf } from './foreign-report.ts'

/**
 * Reads a report of Harbor's scanner-adapter API 1.2 (`application/vnd.security.vulnerability.report; version=1.1`). It
 * names packages and no more, so that what kind they are, and in which layer, is said by our own inventory; what that does
 * not know counts as a package of the distribution, which every type of scan shows. Throws `NoReport`.
 */
export function readAdapterReport(value: unknown, inventory: Inventory, topLayer: Digest): ForeignReport {
  const report = objectOf(value)
  if (report === undefined || !('vulnerabilities' in report)) throw new NoReport('It has no list of vulnerabilities.')
  const known = new Map<string, FoundPackage>()
  for (const found of inventory.packages) {
    known.set(keyOf(found.name, found.version), found)
    if (found.sourceName !== undefined) {
      const key = keyOf(found.sourceName, found.sourceVersion ?? found.version)
      if (!known.has(key)) known.set(key, found)
    }
  }
  const fallback = inventory.packages.find(({ type }) => isOsPackageType(type))?.type ?? 'deb'
  const findings = listOf(report.vulnerabilities, 'vulnerabilities').map((entry) => {
    const one = objectOf(entry)
    const [id, name] = [textOf(one?.id), textOf(one?.package)]
    if (one === undefined || id === undefined || name === undefined)
      throw new NoReport('One of its vulnerabilities has no id or no package.')
    const version = textOf(one.version) ?? ''
    const links = listOf(one.links, 'links').flatMap((link) => textOf(link) ?? [])
    return findingFrom({
      id,
      package: known.get(keyOf(name, version)) ?? unknownPackage(fallback, name, version, topLayer),
      fixedVersions: versionsOf(one.fix_version),
      severity: textOf(one.severity),
      ecosystem: textOf(objectOf(report.scanner)?.name) ?? 'scanner adapter',
      cvss: cvssOf(objectOf(one.preferred_cvss)),
      title: '',
      description: textOf(one.description) ?? '',
      url: links[0],
      references: links,
      modifiedAt: momentOf(report.generated_at),
    })
  })
  const { os } = inventory
  return {
    findings,
    platform:
      os &&
      [os.id, os.versionId]
        .filter((part) => part !== undefined)
        .join('_')
        .toUpperCase(),
  }
}

function keyOf(name: string, version: string): string {
  return `${name} ${version}`
}

function unknownPackage(type: PackageType, name: string, version: string, layerDigest: Digest): FoundPackage {
  const purl = `pkg:generic/${encodeURIComponent(name)}@${encodeURIComponent(version)}`
  return { type, name, version, sourceName: name, sourceVersion: version, layerDigest, licences: [], purl }
}

function cvssOf(preferred: JsonObject | undefined): readonly SourcedCvss[] {
  const vectors = [
    ['CVSS_V3', textOf(preferred?.vector_v3)],
    ['CVSS_V2', textOf(preferred?.vector_v2)],
  ] as const
  return vectors.flatMap(([kind, value]): readonly SourcedCvss[] => {
    const score = value === undefined ? undefined : scoreOf({ kind, value })
    return score === undefined ? [] : [{ ...score, source: 'NVD' }]
  })
}
