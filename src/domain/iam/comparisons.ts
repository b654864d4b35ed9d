import { isInRange, parseIpAddress, parseIpRange } from './address.ts'
import type { Facts } from './fact.ts'
import { type PatternMatcher, plainTokens, type Token, tokenMatcher } from './pattern.ts'
import { PolicyMistake } from './policy-mistake.ts'
import { resolve, type Template } from './template.ts'

/**
 * What a policy compares with, ready for a request: a matcher, or for a text with variables what makes one of them.
 * `unresolved` matches nothing; `unknown` cannot be judged.
 */
export type Operand =
  | { readonly kind: 'constant'; readonly matches: PatternMatcher }
  | { readonly kind: 'variable'; matcherFor(facts: Facts): PatternMatcher | 'unresolved' | 'unknown' }

/** Operators that say the opposite of another, in lower case. */
export const NEGATED: ReadonlyMap<string, string> = new Map([
  ['arnnotequals', 'arnequals'],
  ['arnnotlike', 'arnlike'],
  ['datenotequals', 'dateequals'],
  ['notipaddress', 'ipaddress'],
  ['numericnotequals', 'numericequals'],
  ['stringnotequals', 'stringequals'],
  ['stringnotequalsignorecase', 'stringequalsignorecase'],
  ['stringnotlike', 'stringlike'],
])

/** Compares texts, in which variables are filled in. */
interface TextOperator {
  readonly kind: 'text'
  readonly hasWildcards: boolean
  /** `unknown`: what the text is to match, nobody can say. */
  matcherOf(tokens: readonly Token[]): PatternMatcher | 'unknown'
}

/** Compares with a value that is read once. `undefined`: the text is no such value. */
interface ValueOperator {
  readonly kind: 'value'
  matcherOf(wanted: string): PatternMatcher | undefined
}

const OPERATORS: ReadonlyMap<string, TextOperator | ValueOperator> = new Map<string, TextOperator | ValueOperator>([
  ['stringequals', { kind: 'text', hasWildcards: false, matcherOf: tokenMatcher }],
  ['stringequalsignorecase', { kind: 'text', hasWildcards: false, matcherOf: ignoringCase }],
  ['stringlike', { kind: 'text', hasWildcards: true, matcherOf: tokenMatcher }],
  ['arnequals', { kind: 'text', hasWildcards: true, matcherOf: arnMatcher }],
  ['arnlike', { kind: 'text', hasWildcards: true, matcherOf: arnMatcher }],
  ['bool', { kind: 'value', matcherOf: truth }],
  ['binaryequals', { kind: 'value', matcherOf: binary }],
  ['ipaddress', { kind: 'value', matcherOf: within }],
  ...ordered('numeric', numberOf),
  ...ordered('date', momentOf),
])

/**
 * Prepares what an operator (in lower case, no negation) compares with. Throws `PolicyMistake` when IAM has no operator of
 * that name, or when the text is nothing that it could compare with.
 */
export function operandOf(operatorName: string, template: Template): Operand {
  const operator = OPERATORS.get(operatorName)
  if (operator === undefined) throw new PolicyMistake(`Invalid Condition type : ${operatorName.slice(0, 64)}.`)
  const { text, pieces } = template
  if (operator.kind === 'value') {
    const matches = operator.matcherOf(text)
    if (matches === undefined) throw new PolicyMistake(`${operatorName} cannot compare with ${text.slice(0, 64)}.`)
    return { kind: 'constant', matches }
  }
  if (pieces === undefined) {
    const tokens = resolve(template, () => undefined, operator.hasWildcards)
    const matches = operator.matcherOf(typeof tokens === 'string' ? plainTokens(text) : tokens)
    return matches === 'unknown' ? { kind: 'variable', matcherFor: () => matches } : { kind: 'constant', matches }
  }
  return {
    kind: 'variable',
    matcherFor(facts) {
      const tokens = resolve(template, facts, operator.hasWildcards)
      return typeof tokens === 'string' ? tokens : operator.matcherOf(tokens)
    },
  }
}

function ignoringCase(tokens: readonly Token[]): PatternMatcher {
  const wanted = tokens.join('').toLowerCase()
  return (actual) => actual.toLowerCase() === wanted
}

function truth(wanted: string): PatternMatcher | undefined {
  const lower = wanted.toLowerCase()
  return lower === 'true' || lower === 'false' ? (actual) => actual.toLowerCase() === lower : undefined
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Both sides are base64; white space aside, equal bytes have one writing. */
function binary(wanted: string): PatternMatcher | undefined {
  return BASE64.test(wanted) ? (actual) => actual === wanted : undefined
}

function within(wanted: string): PatternMatcher | undefined {
  const range = parseIpRange(wanted)
  if (range === undefined) return undefined
  return (actual) => {
    const address = parseIpAddress(actual)
    return address !== undefined && isInRange(address, range)
  }
}

/** Equal, less and greater, of what `read` makes of texts: `NaN`, with which nothing compares, of what is none. */
function ordered(name: string, read: (text: string) => number): readonly (readonly [string, ValueOperator])[] {
  const operator = (holds: (actual: number, wanted: number) => boolean): ValueOperator => ({
    kind: 'value',
    matcherOf(text) {
      const wanted = read(text)
      return Number.isNaN(wanted) ? undefined : (actual) => holds(read(actual), wanted)
    },
  })
  return [
    [`${name}equals`, operator((actual, wanted) => actual === wanted)],
    [`${name}greaterthan`, operator((actual, wanted) => actual > wanted)],
    [`${name}greaterthanequals`, operator((actual, wanted) => actual >= wanted)],
    [`${name}lessthan`, operator((actual, wanted) => actual < wanted)],
    [`${name}lessthanequals`, operator((actual, wanted) => actual <= wanted)],
  ]
}

const ARN_PARTS = 6

/**
 * Each of the six parts of an ARN by itself: a `*` does not reach over a colon, except in the last part. A text of fewer parts
 * is no ARN; taken for one that matches nothing, it would make a denial deny nobody.
 */
function arnMatcher(tokens: readonly Token[]): PatternMatcher | 'unknown' {
  const parts: Token[][] = [[]]
  for (const token of tokens)
    if (token === ':' && parts.length < ARN_PARTS) parts.push([])
    else parts.at(-1)?.push(token)
  if (parts.length !== ARN_PARTS) return 'unknown'
  const matchers = parts.map(tokenMatcher)
  return (actual) => {
    const given = arnParts(actual)
    return given.length === ARN_PARTS && matchers.every((matches, index) => matches(given[index] ?? ''))
  }
}

function arnParts(arn: string): readonly string[] {
  const parts = arn.split(':')
  return parts.length <= ARN_PARTS ? parts : [...parts.slice(0, ARN_PARTS - 1), parts.slice(ARN_PARTS - 1).join(':')]
}

/** A text that is no number is `NaN`, with which nothing compares. */
function numberOf(text: string): number {
  return /^[+-]?[0-9]+(\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN
}

/** ISO 8601, or seconds since 1970, in milliseconds. */
function momentOf(text: string): number {
  if (/^-?[0-9]+(\.[0-9]+)?$/.test(text)) return Number(text) * 1000
  return /^[0-9]{4}-[0-9]{2}/.test(text) ? Date.parse(text) : Number.NaN
}
