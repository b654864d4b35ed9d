import { isObject } from '../json-values.ts'
import { NEGATED, type Operand, operandOf } from './comparisons.ts'
import type { Facts } from './fact.ts'
import type { PatternMatcher } from './pattern.ts'
import { PolicyMistake } from './policy-mistake.ts'
import { parseTemplate, variablesOf } from './template.ts'

/** One line of a statement's `Condition`: a key compared with values. */
export interface Condition {
  /** As it is written: `StringEquals`, `ForAnyValue:StringLikeIfExists`. */
  readonly operator: string
  /** In lower case: IAM does not tell cases apart. */
  readonly key: string
  /** As they are written. */
  readonly values: readonly string[]
  /** `null`: whether the key is absent (a value `true`) or present. */
  readonly operands: readonly Operand[] | 'null'
  readonly isNegated: boolean
  /** Which of a key's several values must match; with neither word: one of them, or, negated, none. */
  readonly quantifier: 'all' | 'any' | undefined
  /** What an absent key means. */
  readonly whenAbsent: boolean
  /** The keys that it asks for as they are written, its own and those of variables. */
  readonly names: readonly string[]
}

const QUANTIFIED = /^(forallvalues|foranyvalue):(.+)$/
const OPTIONAL = /^(.+)ifexists$/

/**
 * Reads the `Condition` of a statement; `hasVariables`: the policy's version knows variables. Throws `PolicyMistake` for
 * what is no condition, also for an operator that IAM does not have.
 */
export function parseConditions(value: unknown, hasVariables: boolean): readonly Condition[] {
  if (value === undefined) return []
  if (!isObject(value)) throw new PolicyMistake('Syntax errors in policy.')
  return Object.entries(value).flatMap(([operator, keys]) => {
    if (!isObject(keys)) throw new PolicyMistake('Syntax errors in policy.')
    return Object.entries(keys).map(([key, values]) => parseCondition(operator, key, values, hasVariables))
  })
}

/** Whether a condition holds; `unknown` where that cannot be said. */
export function holds(condition: Condition, facts: Facts): boolean | 'unknown' {
  const { key, values, operands, isNegated, quantifier, whenAbsent } = condition
  const fact = facts(key)
  if (fact === 'unknown') return 'unknown'
  const isAbsent = fact === undefined || fact.length === 0
  if (operands === 'null') return values.some((wanted) => (wanted.toLowerCase() === 'true') === isAbsent)
  if (isAbsent) return whenAbsent
  const matchers: PatternMatcher[] = []
  for (const operand of operands) {
    const matches = operand.kind === 'constant' ? operand.matches : operand.matcherFor(facts)
    if (matches === 'unknown') return 'unknown'
    if (matches !== 'unresolved') matchers.push(matches)
  }
  const isListed = (actual: string) => matchers.some((matches) => matches(actual))
  if (quantifier === 'all') return fact.every((actual) => isListed(actual) !== isNegated)
  if (quantifier === 'any') return fact.some((actual) => isListed(actual) !== isNegated)
  return fact.some(isListed) !== isNegated
}

function parseCondition(operator: string, key: string, given: unknown, hasVariables: boolean): Condition {
  const values = conditionValues(given)
  if (key === '') throw new PolicyMistake('Syntax errors in policy.')
  const [, quantifier, quantified] = QUANTIFIED.exec(operator.toLowerCase()) ?? []
  const unquantified = quantified ?? operator.toLowerCase()
  const optional = OPTIONAL.exec(unquantified)?.[1]
  const name = optional ?? unquantified
  const positive = NEGATED.get(name) ?? name
  const isNegated = positive !== name
  const common = { operator, key: key.toLowerCase(), values, isNegated }
  if (positive === 'null') {
    if (optional !== undefined || quantifier !== undefined || !values.every((wanted) => /^(true|false)$/i.test(wanted)))
      throw new PolicyMistake(`Invalid Condition type : ${operator.slice(0, 64)}.`)
    return { ...common, operands: 'null', quantifier: undefined, whenAbsent: false, names: [key] }
  }
  const templates = values.map((text) => parseTemplate(text, hasVariables))
  return {
    ...common,
    operands: templates.map((template) => operandOf(positive, template)),
    quantifier: quantifier === undefined ? undefined : quantifier === 'forallvalues' ? 'all' : 'any',
    whenAbsent: quantifier === 'forallvalues' || optional !== undefined || (isNegated && quantifier === undefined),
    names: [key, ...templates.flatMap(variablesOf)],
  }
}

/** Texts, numbers and truths, one or a list of them, as text. */
function conditionValues(given: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new PolicyMistake('Syntax errors in policy.')
  return list.map((value) => {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw new PolicyMistake('Syntax errors in policy.')
  })
}
