import { type Comparison, checkOperands, comparisonNamed, NEGATED } from './comparisons.ts'
import { isObject, PolicyMistake } from './policy-mistake.ts'

/** One line of a statement's `Condition`: a key compared with values, of which one must match. */
export interface Condition {
  /** In lower case: IAM does not tell cases apart. */
  readonly key: string
  /** `null`: whether the key is absent (`true`) or present. `undefined`: an operator that is not judged here. */
  readonly compare: Comparison | 'null' | undefined
  readonly isNegated: boolean
  /** What an absent key means, where neither the operator nor its negation says it. */
  readonly whenAbsent: boolean
  readonly values: readonly string[]
}

/** What is known of a request under a key: a value, that there is none, or nothing at all. */
export type Fact = { readonly value: string | undefined } | 'unknown'

/** Looks a key up, in lower case. */
export type Facts = (key: string) => Fact

const QUANTIFIED = /^(forallvalues|foranyvalue):(.+)$/
const OPTIONAL = /^(.+)ifexists$/

/**
 * Reads the `Condition` of a statement. Texts with policy variables (`hasVariables`: the version has them) are not judged.
 * Throws `PolicyMistake` for what is no condition, also for an operator that IAM does not have.
 */
export function parseConditions(value: unknown, hasVariables: boolean): readonly Condition[] {
  if (value === undefined) return []
  if (!isObject(value)) throw new PolicyMistake('Condition is an object')
  return Object.entries(value).flatMap(([operator, keys]) => {
    if (!isObject(keys)) throw new PolicyMistake('A condition operator holds keys')
    return Object.entries(keys).map(([key, values]) => parseCondition(operator, key, values, hasVariables))
  })
}

/** Whether a condition holds; `unknown` where that cannot be said. */
export function holds(condition: Condition, facts: Facts): boolean | 'unknown' {
  const { key, compare, isNegated, whenAbsent, values } = condition
  const fact = facts(key)
  if (compare === undefined || fact === 'unknown') return 'unknown'
  const { value } = fact
  if (compare === 'null') return values.some((wanted) => (wanted.toLowerCase() === 'true') === (value === undefined))
  if (value === undefined) return whenAbsent
  const isEqual = values.some((wanted) => compare(value, wanted))
  return isEqual !== isNegated
}

function parseCondition(operator: string, key: string, given: unknown, hasVariables: boolean): Condition {
  const values = conditionValues(given)
  if (key === '') throw new PolicyMistake('A condition key is empty')
  const [, quantifier, quantified] = QUANTIFIED.exec(operator.toLowerCase()) ?? []
  const unquantified = quantified ?? operator.toLowerCase()
  const optional = OPTIONAL.exec(unquantified)?.[1]
  const name = optional ?? unquantified
  const positive = NEGATED[name] ?? name
  const isNegated = positive !== name
  const hasVariable = hasVariables && values.some((value) => value.includes('${'))
  if (positive === 'null' && (optional !== undefined || quantifier !== undefined))
    throw new PolicyMistake('Null cannot be optional')
  const compare = positive === 'null' ? 'null' : comparisonNamed(positive)
  if (!hasVariable) checkOperands(positive, values)
  return {
    key: key.toLowerCase(),
    compare: hasVariable || compare === 'unjudged' ? undefined : compare,
    isNegated,
    whenAbsent: quantifier === 'forallvalues' || optional !== undefined || (isNegated && quantifier === undefined),
    values,
  }
}

/** Texts, numbers and truths, one or a list of them, as text. */
function conditionValues(given: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new PolicyMistake('A condition has no value')
  return list.map((value) => {
    if (typeof value === 'string') return value
    if (typeof value === 'number' || typeof value === 'boolean') return String(value)
    throw new PolicyMistake('The value of a condition is a text, a number or a truth')
  })
}
