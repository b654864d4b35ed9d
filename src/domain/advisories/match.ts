import { type FoundPackage, isOsPackageType, type OperatingSystem } from '../inventory/package.ts'
import type { AffectedPackage } from './advisory.ts'
import { type Lookup, lookupsOf } from './ecosystems.ts'
import { fixedAbove, isAffected } from './ranges.ts'

/** What a record says of a package that was looked up. */
export interface AffectedEntry {
  readonly advisoryId: string
  readonly affected: AffectedPackage
}

/** A record that concerns a package of an image. */
export interface Hit {
  readonly package: FoundPackage
  readonly lookup: Lookup
  readonly advisoryId: string
  readonly affected: readonly AffectedPackage[]
  readonly fixedVersions: readonly string[]
}

/**
 * Which records concern the packages of an image. `entriesOf` answers all that is known of a package by ecosystem and name,
 * both in canonical form.
 */
export function hitsOf(
  packages: readonly FoundPackage[],
  os: OperatingSystem | undefined,
  entriesOf: (ecosystem: string, name: string) => readonly AffectedEntry[],
): readonly Hit[] {
  return packages.flatMap((found) => {
    const hits = new Map<string, Hit>()
    for (const lookup of lookupsOf(found, os)) {
      for (const { advisoryId, affected } of entriesOf(lookup.ecosystem, lookup.name)) {
        if (!isOfModule(found, affected) || !isAffected(lookup.version, affected)) continue
        const known = hits.get(advisoryId)
        if (known !== undefined && known.lookup !== lookup) continue
        hits.set(advisoryId, {
          package: found,
          lookup,
          advisoryId,
          affected: [...(known?.affected ?? []), affected],
          fixedVersions: [...(known?.fixedVersions ?? []), ...fixedAbove(lookup.version, affected)],
        })
      }
    }
    return [...hits.values()]
  })
}

/** Packages of a module stream and the others have versions of their own, which must not be compared with each other. */
function isOfModule(found: FoundPackage, { ranges, moduleStream }: AffectedPackage): boolean {
  if (found.type !== 'rpm') return true
  const fixes = ranges.flatMap(({ events }) => events.filter(({ kind }) => kind === 'fixed'))
  if (fixes.length === 0) return true
  const isModularFix = fixes.some(({ version }) => MODULAR.test(version))
  const isModularPackage = found.moduleLabel !== undefined || MODULAR.test(found.version)
  if (isModularFix !== isModularPackage) return false
  if (moduleStream === undefined || found.moduleLabel === undefined) return true
  return found.moduleLabel.split(':').slice(0, 2).join(':') === moduleStream
}

const MODULAR = /\.module[_+]/

/** What an image is found by when advisories change: every package that would be looked up for it, once. */
export function indexKeysOf(
  packages: readonly FoundPackage[],
  os: OperatingSystem | undefined,
): readonly Pick<Lookup, 'ecosystem' | 'name'>[] {
  const keys = new Map<string, Pick<Lookup, 'ecosystem' | 'name'>>()
  for (const found of packages)
    for (const { ecosystem, name } of lookupsOf(found, os)) keys.set(`${ecosystem}\u0000${name}`, { ecosystem, name })
  return [...keys.values()]
}

/** The packages whose findings may be others; those of no other package are. */
export interface ChangedPackages {
  /** By canonical ecosystem and name. */
  has(ecosystem: string, name: string): boolean
  /** In any ecosystem. */
  hasName(name: string): boolean
}

/**
 * The names of the packages of an image that are to be compared again after a change. A name counts whole: packages of one
 * name stand beside each other in every order of findings.
 */
export function namesToCompare(
  packages: readonly FoundPackage[],
  os: OperatingSystem | undefined,
  changed: ChangedPackages,
): ReadonlySet<string> {
  const names = new Set<string>()
  for (const found of packages) {
    const { type, name, sourceName } = found
    // Databases of distributions spell names as the packages do; of most it is seen at once that they are not concerned.
    if (isOsPackageType(type) && !changed.hasName(name) && !(sourceName !== undefined && changed.hasName(sourceName)))
      continue
    if (lookupsOf(found, os).some((lookup) => changed.has(lookup.ecosystem, lookup.name))) names.add(name)
  }
  return names
}
