import type { AffectedPackage, AffectedRange, RangeEvent } from './advisory.ts'
import { type CompareVersions, familyOf, versionOrderOf } from './ecosystems.ts'

/**
 * Whether a version is affected, by the evaluation that the OSV schema defines: listed, or inside a range and below its
 * limits. A range in an ecosystem without a known order affects nothing: its versions still count.
 */
export function isAffected(version: string, affected: AffectedPackage): boolean {
  const compare = versionOrderOf(affected.ecosystem)
  return (
    isListed(version, affected, compare) ||
    (compare !== undefined && affected.ranges.some((range) => isInRange(version, range, compare)))
  )
}

/** PyPI spells one version in several ways. */
function isListed(version: string, affected: AffectedPackage, compare: CompareVersions | undefined): boolean {
  if (affected.versions.includes(version)) return true
  if (compare === undefined || familyOf(affected.ecosystem) !== 'PyPI') return false
  return affected.versions.some((listed) => compare(listed, version) === 0)
}

function isInRange(version: string, range: AffectedRange, compare: CompareVersions): boolean {
  if (range.type === 'GIT') return false
  if (!isBelowLimits(version, range.events, compare)) return false
  let isInside = false
  for (const { kind, version: at } of sorted(range.events, compare)) {
    if (kind === 'introduced' && (at === '0' || compare(version, at) >= 0)) isInside = true
    else if (kind === 'fixed' && compare(version, at) >= 0) isInside = false
    else if (kind === 'last_affected' && compare(version, at) > 0) isInside = false
  }
  return isInside
}

function isBelowLimits(version: string, events: readonly RangeEvent[], compare: CompareVersions): boolean {
  const limits = events.filter(({ kind }) => kind === 'limit')
  return limits.length === 0 || limits.some((limit) => limit.version === '*' || compare(version, limit.version) < 0)
}

/** By version; `0` is before all of them. Events of one version stay in the order in which they are stated. */
function sorted(events: readonly RangeEvent[], compare: CompareVersions): readonly RangeEvent[] {
  if (events.length < 2) return events
  return events.toSorted((a, b) => {
    if (a.version === '0' || b.version === '0') return Number(b.version === '0') - Number(a.version === '0')
    return compare(a.version, b.version)
  })
}

/**
 * The versions above this one in which the flaw is fixed, lowest first: of each range that the version is in, the one that
 * ends it; other branches have fixes of their own. All above it where only a list of versions says that it is affected.
 */
export function fixedAbove(version: string, affected: AffectedPackage): readonly string[] {
  const compare = versionOrderOf(affected.ecosystem)
  if (compare === undefined) return []
  const above = ({ events }: AffectedRange) =>
    events
      .filter(({ kind, version: at }) => kind === 'fixed' && compare(at, version) > 0)
      .map(({ version: at }) => at)
      .sort(compare)
  const evaluable = affected.ranges.filter(({ type }) => type !== 'GIT')
  const own = evaluable.filter((range) => isInRange(version, range, compare))
  const fixes = own.length > 0 ? own.flatMap((range) => above(range).slice(0, 1)) : evaluable.flatMap(above)
  return [...new Set(fixes)].sort(compare)
}
