import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Finding } from '../../src/domain/advisories/finding.ts'
import type { Inventory, PackageType } from '../../src/domain/inventory/package.ts'
import type { Golden } from './golden-inventory.ts'

/** Where what Ecru says of an image is not what Trivy says of it over the same advisories. */
export interface Difference {
  readonly image: string
  readonly what: 'os' | 'package' | 'finding' | 'fixes' | 'severity'
  /** Which package or finding: its key, parts between bars. */
  readonly of: string
  /** Absent: it is not there. */
  readonly trivy?: string
  readonly ecru?: string
}

/** A difference that is right, with the reason for this very one. */
export interface ExplainedDifference extends Difference {
  readonly because: string
}

const FILE = join(import.meta.dir, '../data/scan-oracles/differences.json')

/** Every difference that there may be, one by one. */
export function explainedDifferences(): readonly ExplainedDifference[] {
  return JSON.parse(readFileSync(FILE, 'utf8')) as readonly ExplainedDifference[]
}

/** All differences between an image's golden and what was found in its layers. */
export function differencesOf(
  image: string,
  golden: Golden,
  inventory: Inventory,
  findings: readonly Finding[],
): readonly Difference[] {
  const { findings: ours, fixes, severities } = printed(golden, findings)
  const compare = (what: Difference['what'], theirs: ReadonlyMap<string, string>, own: ReadonlyMap<string, string>) =>
    [...new Set([...theirs.keys(), ...own.keys()])].sort().flatMap((of): Difference[] => {
      const [trivy, ecru] = [theirs.get(of), own.get(of)]
      if (trivy === ecru) return []
      return [{ image, what, of, ...(trivy === undefined ? {} : { trivy }), ...(ecru === undefined ? {} : { ecru }) }]
    })
  const common = (of: string) => ours.has(of)
  const stated = golden.vulnerabilities.map((one) => [keyOf(one), one] as const)
  const shared = stated.filter(([of]) => common(of))
  // Trivy has a severity only where the record itself has one: where it has none there is nothing to compare.
  const judged = shared.filter(([, { severity }]) => severity !== 'UNKNOWN')
  const judgedKeys = new Set(judged.map(([of]) => of))
  return [
    ...compare('os', osOfGolden(golden), osOf(inventory)),
    ...compare('package', packagesOfGolden(golden), packagesOf(inventory)),
    ...compare('finding', presence(stated.map(([of]) => of)), presence(ours)),
    ...compare(
      'fixes',
      new Map(shared.map(([of, { fixed = '' }]) => [of, sortedList(fixed.split(', '))])),
      new Map([...fixes].filter(([of]) => shared.some(([key]) => key === of))),
    ),
    ...compare(
      'severity',
      new Map(judged.map(([of, { severity }]) => [of, severity])),
      new Map([...severities].filter(([of]) => judgedKeys.has(of))),
    ),
  ]
}

const TYPES: Readonly<Record<string, PackageType>> = {
  alma: 'rpm',
  centos: 'rpm',
  'suse linux enterprise server': 'rpm',
  alpine: 'apk',
  debian: 'deb',
  'node-pkg': 'npm',
  'python-pkg': 'pypi',
  gemspec: 'gem',
  jar: 'maven',
  'dotnet-core': 'nuget',
}

/** What a distribution calls itself, where Trivy calls it otherwise. */
const FAMILIES: Readonly<Record<string, string>> = { alma: 'almalinux', 'suse linux enterprise server': 'sles' }

function osOfGolden({ os: { Family, Name } }: Golden): ReadonlyMap<string, string> {
  return new Map([['os', `${FAMILIES[Family] ?? Family} ${Name}`]])
}

function osOf({ os }: Inventory): ReadonlyMap<string, string> {
  return os === undefined ? new Map() : new Map([['os', `${os.id} ${os.release}`]])
}

function packagesOfGolden({ packages }: Golden): ReadonlyMap<string, string> {
  return new Map(
    packages.map((one) => [
      [TYPES[one.type] ?? one.type, one.name, one.version, one.arch ?? '', one.path ?? ''].join(' | '),
      [one.source ?? '', one.sourceVersion ?? '', one.layer].join(' | '),
    ]),
  )
}

function packagesOf({ packages }: Inventory): ReadonlyMap<string, string> {
  return new Map(
    packages.map((one) => [
      [one.type, one.name, one.version, one.arch ?? '', one.filePath ?? ''].join(' | '),
      [one.sourceName ?? '', one.sourceVersion ?? '', one.layerDigest].join(' | '),
    ]),
  )
}

function keyOf(one: Golden['vulnerabilities'][number]): string {
  return [one.id, one.package, one.installed, one.path ?? '', one.layer].join(' | ')
}

/** By which id Trivy names a finding: the CVE for Debian and Alpine, the record's own elsewhere. */
const NAMED_BY_CVE: ReadonlySet<string> = new Set(['debian', 'alpine'])

function printed(golden: Golden, findings: readonly Finding[]) {
  const keys = new Set<string>()
  const fixes = new Map<string, string>()
  const severities = new Map<string, string>()
  for (const finding of findings) {
    const { package: found, severity } = finding
    const isByCve = NAMED_BY_CVE.has(golden.os.Family) && found.filePath === undefined
    for (const id of isByCve ? [finding.id] : finding.advisories.map((one) => one.id)) {
      // Trivy does not say in which file it found packages of .NET.
      const path = found.type === 'nuget' ? '' : (found.filePath ?? '')
      const key = [id, found.name, found.version, path, found.layerDigest].join(' | ')
      keys.add(key)
      // One record of several flaws makes a finding for each.
      const before = fixes.get(key)?.split(', ') ?? []
      fixes.set(key, sortedList([...before, ...finding.fixedVersions]))
      severities.set(key, severity === 'UNDEFINED' ? 'UNKNOWN' : severity)
    }
  }
  return { findings: keys, fixes, severities }
}

function presence(keys: Iterable<string>): ReadonlyMap<string, string> {
  return new Map([...keys].map((key) => [key, 'there']))
}

function sortedList(versions: readonly string[]): string {
  return [...new Set(versions.filter((one) => one !== ''))].sort().join(', ')
}
