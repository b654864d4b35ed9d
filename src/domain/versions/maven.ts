import { compareDigits, compareText, isDigits } from './digits.ts'

/** Orders versions of Maven artifacts, after the version order of the POM reference. */
export function compareMaven(a: string, b: string): number {
  const left = tokensOf(a)
  const right = tokensOf(b)
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const [one, other] = [left[at], right[at]]
    const difference = compareTokens(one ?? paddingFor(other), other ?? paddingFor(one))
    if (difference !== 0) return difference
  }
  return 0
}

interface Token {
  readonly isBehindDash: boolean
  readonly value: string
}

const QUALIFIERS: readonly string[] = ['alpha', 'beta', 'milestone', 'rc', 'snapshot', '', 'sp']

const ALIASES: ReadonlyMap<string, string> = new Map([
  ['ga', ''],
  ['final', ''],
  ['release', ''],
  ['cr', 'rc'],
])

/** Only where a number follows at once. */
const SHORT: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['m', 'milestone'],
])

/** Tokens between dots and dashes; where digits meet letters there is a dash as well. Empty ones before a dash or the end go. */
function tokensOf(version: string): readonly Token[] {
  const tokens: Token[] = []
  let isBehindDash = false
  const pieces = version.toLowerCase().split(/([.-])/)
  for (const piece of pieces) {
    if (piece === '.' || piece === '-') {
      isBehindDash = piece === '-'
      continue
    }
    const runs = piece === '' ? ['0'] : (piece.match(/[0-9]+|[^0-9]+/g) ?? [])
    for (const [at, run] of runs.entries()) {
      tokens.push({ isBehindDash: at > 0 || isBehindDash, value: meaningOf(run, runs[at + 1] !== undefined) })
    }
  }
  return withoutNothings(tokens)
}

function meaningOf(run: string, isBeforeNumber: boolean): string {
  const long = isBeforeNumber ? SHORT.get(run) : undefined
  return long ?? ALIASES.get(run) ?? run
}

function withoutNothings(tokens: readonly Token[]): readonly Token[] {
  const kept = [...tokens]
  for (let at = kept.length - 1; at > 0; ) {
    const isEnd = at === kept.length - 1 || kept[at + 1]?.isBehindDash === true
    if (isEnd && /^0*$/.test(kept[at]?.value ?? '')) kept.splice(at, 1)
    at--
  }
  return kept
}

/** The shorter version goes on with what means nothing. */
function paddingFor(token: Token | undefined): Token {
  const isBehindDash = token?.isBehindDash ?? false
  return { isBehindDash, value: token !== undefined && isDigits(token.value) && !isBehindDash ? '0' : '' }
}

function compareTokens(a: Token, b: Token): number {
  const [isNumberA, isNumberB] = [isDigits(a.value), isDigits(b.value)]
  if (isNumberA && isNumberB && a.isBehindDash === b.isBehindDash) return compareDigits(a.value, b.value)
  if (!isNumberA && !isNumberB && a.isBehindDash === b.isBehindDash) return compareQualifiers(a.value, b.value)
  return kindOf(a, isNumberA) - kindOf(b, isNumberB)
}

/** A qualifier behind a dot, one behind a dash, then a number behind a dash, then one behind a dot. */
function kindOf({ isBehindDash }: Token, isNumber: boolean): number {
  if (!isNumber) return isBehindDash ? 1 : 0
  return isBehindDash ? 2 : 3
}

function compareQualifiers(a: string, b: string): number {
  const [placeA, placeB] = [QUALIFIERS.indexOf(a), QUALIFIERS.indexOf(b)]
  if (placeA < 0 && placeB < 0) return compareText(a, b)
  if (placeA < 0 || placeB < 0) return placeA < 0 ? 1 : -1
  return placeA - placeB
}
