import { comparePrerelease } from './versions/semver.ts'

/** A version as semver.org has it; the build is of no meaning. */
interface Version {
  readonly numbers: readonly [number, number, number]
  readonly prerelease: string | undefined
}

interface Comparator {
  readonly operator: '<' | '<=' | '=' | '>' | '>='
  readonly version: Version
}

const PARTS = String.raw`(\d+|[xX*])(?:\.(\d+|[xX*]))?(?:\.(\d+|[xX*]))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?`
const VERSION = /^[vV]?(\d{1,15})\.(\d{1,15})(?:\.(\d{1,15}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/
const COMPARATOR = new RegExp(`^(<=|>=|<|>|=|\\^|~>?)?[vV]?${PARTS}$`)
const HYPHEN = / +- +/

/**
 * Prepares a range of versions, as npm writes them: `>=1.2 <2`, `^1.4`, `~2.1.3`, `1.x`, `1.2 - 1.4`, with `||` between
 * alternatives. A tag such as `v1.2.3` or `1.2` is a version; anything else is in no range, and a pre-release only in one
 * that names a pre-release of the same version. `undefined`: the text is no range.
 */
export function semverRange(text: string): ((tag: string) => boolean) | undefined {
  const alternatives: (readonly Comparator[])[] = []
  for (const part of text.split('||')) {
    const comparators = readComparators(part.trim())
    if (comparators === undefined) return undefined
    alternatives.push(comparators)
  }
  return (tag) => {
    const version = readVersion(tag)
    return version !== undefined && alternatives.some((comparators) => isIn(version, comparators))
  }
}

function isIn(version: Version, comparators: readonly Comparator[]): boolean {
  if (!comparators.every((one) => holds(compare(version, one.version), one.operator))) return false
  if (version.prerelease === undefined) return true
  return comparators.some(
    (one) => one.version.prerelease !== undefined && compareNumbers(one.version.numbers, version.numbers) === 0,
  )
}

function holds(order: number, operator: Comparator['operator']): boolean {
  switch (operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '=':
      return order === 0
    case '>':
      return order > 0
    case '>=':
      return order >= 0
  }
}

function readVersion(tag: string): Version | undefined {
  const [, major, minor, patch = '0', prerelease] = VERSION.exec(tag) ?? []
  if (major === undefined) return undefined
  return { numbers: [Number(major), Number(minor), Number(patch)], prerelease }
}

function readComparators(text: string): readonly Comparator[] | undefined {
  if (text === '' || text === '*') return []
  const [from, to, ...more] = text.split(HYPHEN)
  if (to !== undefined) {
    const [low, high] = [readPartial(`>=${from}`), readPartial(`<=${to}`)]
    return more.length > 0 || low === undefined || high === undefined ? undefined : [...low, ...high]
  }
  const found: Comparator[] = []
  for (const word of text.replace(/(<=|>=|<|>|=|\^|~>?) +/g, '$1').split(/[ ,]+/)) {
    const comparators = readPartial(word)
    if (comparators === undefined) return undefined
    found.push(...comparators)
  }
  return found
}

/** What leaves numbers out stands for all versions that begin so. */
function readPartial(word: string): readonly Comparator[] | undefined {
  const match = COMPARATOR.exec(word)
  if (match === null) return undefined
  const [, operator = '=', ...parts] = match
  const given: number[] = []
  for (const part of parts.slice(0, 3)) {
    if (part === undefined || !/^\d+$/.test(part)) break
    given.push(Number(part))
  }
  const prerelease = given.length === 3 ? parts[3] : undefined
  const low = versionOf(given, prerelease)
  if (given.length === 0) return operator === '<' || operator === '>' ? [{ operator: '<', version: low }] : []
  switch (operator) {
    case '^':
      return between(low, given, firstNonZero(given))
    case '~':
    case '~>':
      return between(low, given, Math.min(given.length, 2) - 1)
    case '=':
      return given.length === 3 ? [{ operator: '=', version: low }] : between(low, given, given.length - 1)
    case '>':
    case '<=': {
      if (given.length === 3) return [{ operator, version: low }]
      return [{ operator: operator === '>' ? '>=' : '<', version: above(given, given.length - 1) }]
    }
    default:
      return [{ operator: operator === '<' ? '<' : '>=', version: low }]
  }
}

function between(low: Version, given: readonly number[], at: number): readonly Comparator[] {
  return [
    { operator: '>=', version: low },
    { operator: '<', version: above(given, at) },
  ]
}

/** The first version that has a larger number at a place. */
function above(given: readonly number[], at: number): Version {
  return versionOf([...given.slice(0, at), (given[at] ?? 0) + 1])
}

function firstNonZero(given: readonly number[]): number {
  const found = given.findIndex((number) => number > 0)
  return found < 0 ? given.length - 1 : found
}

function versionOf([major = 0, minor = 0, patch = 0]: readonly number[], prerelease?: string): Version {
  return { numbers: [major, minor, patch], prerelease }
}

function compare(one: Version, other: Version): number {
  return compareNumbers(one.numbers, other.numbers) || comparePrerelease(one.prerelease, other.prerelease)
}

function compareNumbers(one: Version['numbers'], other: Version['numbers']): number {
  for (const at of [0, 1, 2] as const) if (one[at] !== other[at]) return one[at] - other[at]
  return 0
}
