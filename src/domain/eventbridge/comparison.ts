import { isInRange, parseIpAddress, parseIpRange } from '../iam/address.ts'
import { eventPatternInvalid } from './errors.ts'
import { isJsonObject, type Json } from './json.ts'
import { patternWildcard } from './wildcard.ts'

/** A value without members. */
export type Leaf = null | boolean | number | string

/** Whether a value that is there is meant. */
export type Comparison = (value: Leaf) => boolean

/** One of the alternatives that a pattern gives for a field; `absent` is met by a field that is not there. */
export type Alternative = Comparison | 'absent'

const NUMBER_MAX = 5_000_000_000

const OPERATORS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '=': (a, b) => a === b,
  '>=': (a, b) => a >= b,
  '>': (a, b) => a > b,
}

/** Reads one alternative: a value, or an object with one match expression. Throws `event-pattern-invalid`. */
export function parseAlternative(given: Json): Alternative {
  if (isLeaf(given)) return (value) => value === given
  if (!isJsonObject(given)) throw eventPatternInvalid('Lists inside the list of a field are not allowed')
  const [entry, ...more] = Object.entries(given)
  if (entry === undefined || more.length > 0) throw eventPatternInvalid('Only one key allowed in match expression')
  const [kind, operand] = entry
  switch (kind) {
    case 'exists':
      if (typeof operand !== 'boolean') throw eventPatternInvalid('exists match pattern must be either true or false')
      return operand ? () => true : 'absent'
    case 'anything-but':
      return anythingBut(operand)
    case 'numeric':
      return numeric(operand)
    case 'cidr':
      return cidr(operand)
    default:
      return textComparison(kind, operand)
  }
}

/** The kinds that compare texts. */
function textComparison(kind: string, operand: Json): Comparison {
  switch (kind) {
    case 'prefix':
      return affix(kind, operand, (text, part) => text.startsWith(part))
    case 'suffix':
      return affix(kind, operand, (text, part) => text.endsWith(part))
    case 'equals-ignore-case': {
      const wanted = textOf(kind, operand).toLowerCase()
      return onText((text) => text.toLowerCase() === wanted)
    }
    case 'wildcard': {
      const matches = patternWildcard(textOf(kind, operand))
      if (matches === undefined)
        throw eventPatternInvalid('Invalid escape character or consecutive wildcard characters in a wildcard')
      return onText(matches)
    }
    default:
      throw eventPatternInvalid(`Unrecognized match type ${kind}`)
  }
}

function affix(kind: string, operand: Json, meets: (text: string, part: string) => boolean): Comparison {
  if (isJsonObject(operand)) {
    const [entry, ...more] = Object.entries(operand)
    if (entry?.[0] !== 'equals-ignore-case' || more.length > 0)
      throw eventPatternInvalid(`Unsupported expression inside ${kind}`)
    const part = textOf('equals-ignore-case', entry[1]).toLowerCase()
    return onText((text) => meets(text.toLowerCase(), part))
  }
  const part = textOf(kind, operand)
  return onText((text) => meets(text, part))
}

/** A field that is there, and is none of these. */
function anythingBut(operand: Json): Comparison {
  if (isJsonObject(operand)) {
    const [entry, ...more] = Object.entries(operand)
    if (entry === undefined || more.length > 0) throw eventPatternInvalid('Only one key allowed in match expression')
    const [kind, given] = entry
    const parts: readonly Json[] = Array.isArray(given) ? given : [given]
    if (parts.length === 0) throw eventPatternInvalid('Empty arrays are not allowed')
    const refused = parts.map((part) => textComparison(kind, part))
    return (value) => !refused.some((isRefused) => isRefused(value))
  }
  const refused: readonly Json[] = Array.isArray(operand) ? operand : [operand]
  if (refused.length === 0) throw eventPatternInvalid('Empty arrays are not allowed')
  const isRefused = (value: Json) => refused.includes(value)
  if (!refused.every((one) => typeof one === 'string') && !refused.every((one) => typeof one === 'number'))
    throw eventPatternInvalid('Inside anything-but list, either all values are strings or all are numbers')
  return (value) => !isRefused(value)
}

function numeric(operand: Json): Comparison {
  if (!Array.isArray(operand)) throw eventPatternInvalid('Value of numeric must be an array.')
  const parts: readonly Json[] = operand
  if (parts.length !== 2 && parts.length !== 4)
    throw eventPatternInvalid('Value of numeric must hold one or two pairs of an operator and a number')
  const tests: ((value: number) => boolean)[] = []
  for (let at = 0; at < parts.length; at += 2) tests.push(numericTest(parts[at], parts[at + 1]))
  const [first, second] = [parts[0], parts[2]]
  if (second !== undefined && !(String(first).startsWith('>') && String(second).startsWith('<')))
    throw eventPatternInvalid('A numeric range begins with > or >= and ends with < or <=')
  if (second !== undefined && Number(parts[1]) >= Number(parts[3]))
    throw eventPatternInvalid('Bottom must be less than top')
  return (value) => typeof value === 'number' && tests.every((test) => test(value))
}

function numericTest(operator: Json | undefined, bound: Json | undefined): (value: number) => boolean {
  const compare = typeof operator === 'string' && Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined
  if (compare === undefined) throw eventPatternInvalid(`Unrecognized numeric range operator: ${String(operator)}`)
  if (typeof bound !== 'number') throw eventPatternInvalid('Value of a numeric operator must be numeric')
  if (Math.abs(bound) > NUMBER_MAX)
    throw eventPatternInvalid(`Value must be between -${NUMBER_MAX} and ${NUMBER_MAX}, inclusive`)
  return (value) => compare(value, bound)
}

function cidr(operand: Json): Comparison {
  const range = parseIpRange(textOf('cidr', operand))
  if (range === undefined) throw eventPatternInvalid('Malformed CIDR')
  return onText((text) => {
    const address = parseIpAddress(text)
    return address !== undefined && isInRange(address, range)
  })
}

function textOf(kind: string, operand: Json): string {
  if (typeof operand !== 'string') throw eventPatternInvalid(`${kind} match pattern must be a string`)
  return operand
}

function onText(test: (text: string) => boolean): Comparison {
  return (value) => typeof value === 'string' && test(value)
}

export function isLeaf(value: Json): value is Leaf {
  return typeof value !== 'object' || value === null
}
