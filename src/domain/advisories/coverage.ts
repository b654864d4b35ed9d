import type { FoundPackage, OperatingSystem, PackageType } from '../inventory/package.ts'
import { ecosystemOf } from './ecosystems.ts'

/**
 * Whether advisories for an ecosystem were there to compare with: `covered`; `stale`, they are older than the operator
 * allows; `absent`, none were imported; `unknown`, no database is known for this distribution.
 */
export type CoverageState = 'covered' | 'stale' | 'absent' | 'unknown'

export interface EcosystemCoverage {
  /** The database's name for it, `Debian:12`; where none is known, what the image says of itself. */
  readonly ecosystem: string
  readonly state: CoverageState
  readonly packageCount: number
  readonly recordCount: number
  /** The state of the world that the advisories describe. */
  readonly asOf?: Date | undefined
  /** One sentence for people; absent when covered. */
  readonly reason?: string | undefined
}

/**
 * What a statement about an image rests on: `complete`, every package was compared with present data; `stale`, some with
 * old data; `partial`, some with none; `none`, nothing could be compared, so that no finding means nothing at all.
 */
export interface Coverage {
  readonly state: 'complete' | 'stale' | 'partial' | 'none'
  /** Of the set that was compared with; absent when none was ever imported. */
  readonly revision?: number | undefined
  /** In alphabetic order. Empty when the image has no packages that are known of. */
  readonly ecosystems: readonly EcosystemCoverage[]
}

/** What is known of the data for one ecosystem. */
export interface EcosystemData {
  readonly ecosystem: string
  readonly recordCount: number
  readonly asOf: Date
}

/** Says how far findings of these packages can be trusted at a moment. */
export function coverageOf(
  packages: readonly Pick<FoundPackage, 'type'>[],
  os: OperatingSystem | undefined,
  set: { readonly revision: number; readonly ecosystems: readonly EcosystemData[] } | undefined,
  now: Date,
  ageMsMax: number,
): Coverage {
  const countsByType = new Map<PackageType, number>()
  for (const { type } of packages) countsByType.set(type, (countsByType.get(type) ?? 0) + 1)
  const counts = new Map<string, { readonly isKnown: boolean; count: number }>()
  for (const [type, count] of countsByType) {
    const known = ecosystemOf(type, os)
    const ecosystem = known ?? unknownName(type, os)
    const entry = counts.get(ecosystem)
    if (entry === undefined) counts.set(ecosystem, { isKnown: known !== undefined, count })
    else entry.count += count
  }
  const ecosystems = [...counts]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([ecosystem, { isKnown, count }]) => {
      const data = set?.ecosystems.find((one) => one.ecosystem === ecosystem)
      return { ecosystem, packageCount: count, ...judge(ecosystem, isKnown, data, now, ageMsMax) }
    })
  return { state: stateOf(ecosystems, set !== undefined), revision: set?.revision, ecosystems }
}

function judge(
  ecosystem: string,
  isKnown: boolean,
  data: EcosystemData | undefined,
  now: Date,
  ageMsMax: number,
): Omit<EcosystemCoverage, 'ecosystem' | 'packageCount'> {
  if (!isKnown)
    return { state: 'unknown', recordCount: 0, reason: `No database of advisories is known for ${ecosystem}.` }
  if (data === undefined)
    return { state: 'absent', recordCount: 0, reason: `No advisories for ${ecosystem} have been imported.` }
  const { recordCount, asOf } = data
  if (now.getTime() - asOf.getTime() <= ageMsMax) return { state: 'covered', recordCount, asOf }
  const reason = `The advisories for ${ecosystem} are of ${asOf.toISOString().slice(0, 10)}, which is too old.`
  return { state: 'stale', recordCount, asOf, reason }
}

function stateOf(ecosystems: readonly EcosystemCoverage[], hasSet: boolean): Coverage['state'] {
  const isLacking = ({ state }: EcosystemCoverage) => state === 'absent' || state === 'unknown'
  if (!hasSet || (ecosystems.length > 0 && ecosystems.every(isLacking))) return 'none'
  if (ecosystems.some(isLacking)) return 'partial'
  return ecosystems.some(({ state }) => state === 'stale') ? 'stale' : 'complete'
}

const DISTRIBUTION_TYPES: readonly PackageType[] = ['deb', 'apk', 'rpm']

function unknownName(type: PackageType, os: OperatingSystem | undefined): string {
  if (os === undefined) return `${type} packages of an unknown distribution`
  const name = os.prettyName ?? [os.id, os.versionId].filter((part) => part !== undefined).join(' ')
  // The distribution is known, and has no packages of this type.
  return DISTRIBUTION_TYPES.some((other) => other !== type && ecosystemOf(other, os) !== undefined)
    ? `${type} packages of ${name}`
    : name
}
