import { patternMatcher } from './pattern.ts'
import { PolicyMistake } from './policy-mistake.ts'

/** Whether what the request has is what a policy wants. */
export type Comparison = (actual: string, wanted: string) => boolean

/** Operators that say the opposite of another, in lower case. */
export const NEGATED: Readonly<Record<string, string>> = {
  arnnotequals: 'arnequals',
  arnnotlike: 'arnlike',
  datenotequals: 'dateequals',
  notipaddress: 'ipaddress',
  numericnotequals: 'numericequals',
  stringnotequals: 'stringequals',
  stringnotequalsignorecase: 'stringequalsignorecase',
  stringnotlike: 'stringlike',
}

/** What IAM also has, and no key known here could be compared by. */
const UNJUDGED: ReadonlySet<string> = new Set(['binaryequals', 'ipaddress'])

const numeric =
  (holds: (actual: number, wanted: number) => boolean): Comparison =>
  (actual, wanted) =>
    holds(numberOf(actual), numberOf(wanted))

const date =
  (holds: (actual: number, wanted: number) => boolean): Comparison =>
  (actual, wanted) =>
    holds(momentOf(actual), momentOf(wanted))

const COMPARISONS: ReadonlyMap<string, Comparison> = new Map<string, Comparison>([
  ['arnequals', isArnLike],
  ['arnlike', isArnLike],
  ['bool', (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase()],
  ['dateequals', date((actual, wanted) => actual === wanted)],
  ['dategreaterthan', date((actual, wanted) => actual > wanted)],
  ['dategreaterthanequals', date((actual, wanted) => actual >= wanted)],
  ['datelessthan', date((actual, wanted) => actual < wanted)],
  ['datelessthanequals', date((actual, wanted) => actual <= wanted)],
  ['numericequals', numeric((actual, wanted) => actual === wanted)],
  ['numericgreaterthan', numeric((actual, wanted) => actual > wanted)],
  ['numericgreaterthanequals', numeric((actual, wanted) => actual >= wanted)],
  ['numericlessthan', numeric((actual, wanted) => actual < wanted)],
  ['numericlessthanequals', numeric((actual, wanted) => actual <= wanted)],
  ['stringequals', (actual, wanted) => actual === wanted],
  ['stringequalsignorecase', (actual, wanted) => actual.toLowerCase() === wanted.toLowerCase()],
  ['stringlike', (actual, wanted) => patternMatcher(wanted)(actual)],
])

/** The comparison behind an operator that is no negation, in lower case. Throws `PolicyMistake` when IAM has none of that name. */
export function comparisonNamed(operator: string): Comparison | 'unjudged' {
  if (UNJUDGED.has(operator)) return 'unjudged'
  const comparison = COMPARISONS.get(operator)
  if (comparison === undefined) throw new PolicyMistake(`There is no condition operator ${operator.slice(0, 64)}`)
  return comparison
}

/** Throws `PolicyMistake` when a value is none that the operator (in lower case, no negation) could compare with. */
export function checkOperands(operator: string, values: readonly string[]): void {
  for (const value of values) {
    const isGood = operator.startsWith('numeric')
      ? !Number.isNaN(numberOf(value))
      : operator.startsWith('date')
        ? !Number.isNaN(momentOf(value))
        : operator === 'bool' || operator === 'null'
          ? /^(true|false)$/i.test(value)
          : true
    if (!isGood) throw new PolicyMistake(`${operator} cannot compare with ${value.slice(0, 64)}`)
  }
}

const ARN_PARTS = 6

/** Each of the six parts of an ARN by itself: a `*` does not reach over a colon, except in the last part. */
function isArnLike(actual: string, wanted: string): boolean {
  const wantedParts = arnParts(wanted)
  const actualParts = arnParts(actual)
  if (wantedParts.length !== ARN_PARTS || actualParts.length !== ARN_PARTS) return false
  return wantedParts.every((part, index) => patternMatcher(part)(actualParts[index] ?? ''))
}

function arnParts(arn: string): readonly string[] {
  const parts = arn.split(':')
  return parts.length <= ARN_PARTS ? parts : [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(':')]
}

/** A text that is no number is `NaN`, with which nothing compares. */
function numberOf(text: string): number {
  return /^-?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN
}

/** ISO 8601, or seconds since 1970, in milliseconds. */
function momentOf(text: string): number {
  return /^[0-9]+$/.test(text) ? Number(text) * 1000 : Date.parse(text)
}
