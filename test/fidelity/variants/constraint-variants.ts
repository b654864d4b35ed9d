import type { Shape } from '../../../src/protocols/aws/model.ts'
import { brokenConstraint, unreadable, type ValueVariant, WITHIN } from './expectation.ts'

/** Values at each bound of a shape's constraints and just beyond; `path` is how error texts name the place. */
export function constraintVariants(shape: Shape, path: string, good: unknown): readonly ValueVariant[] {
  switch (shape.type) {
    case 'string':
      return [...textVariants(shape, path, String(good)), ...textLengths(shape, path)]
    case 'blob':
      return [
        ...['=', 'YQ', 'YQ= =', 'Y Q==', 'Ä===', 'YR=='].map((value) => ({
          what: `no base64: ${value}`,
          value,
          expected: unreadable('A blob is not valid base64'),
        })),
        ...lengthVariants(shape, path, 'length', (length) => Buffer.alloc(length).toString('base64')),
      ]
    case 'list': {
      const [item] = Array.isArray(good) ? good : []
      return lengthVariants(shape, path, 'length', (length) => Array.from({ length }, () => item))
    }
    case 'integer':
    case 'long':
      return lengthVariants(shape, path, 'value', (value) => value)
    default:
      return []
  }
}

/** A text too short for its pattern breaks that, if not the bound. */
function textLengths(shape: Shape, path: string): readonly ValueVariant[] {
  const { pattern, enum: values } = shape
  if (values !== undefined) return []
  return lengthVariants(shape, path, 'length', textOf(shape)).map((variant) => {
    if (pattern === undefined || variant.expected !== WITHIN || matches(pattern, String(variant.value))) return variant
    return { ...variant, expected: patternBroken(path, pattern) }
  })
}

/** At each bound, and one step to either side of it. */
function lengthVariants(
  { min, max }: Shape,
  path: string,
  what: 'length' | 'value',
  make: (size: number) => unknown,
): readonly ValueVariant[] {
  const sizes: readonly (number | undefined)[] = [
    min === undefined || (min === 0 && what === 'length') ? undefined : min - 1,
    min,
    min === undefined || min + 1 > (max ?? Number.POSITIVE_INFINITY) ? undefined : min + 1,
    max === undefined || max - 1 < (min ?? 0) ? undefined : max - 1,
    max,
    max === undefined ? undefined : max + 1,
  ]
  return [...new Set(sizes)].flatMap((size) => {
    if (size === undefined) return []
    const expected =
      min !== undefined && size < min
        ? brokenConstraint(path, `Member must have ${what} greater than or equal to ${min}`)
        : max !== undefined && size > max
          ? brokenConstraint(path, `Member must have ${what} less than or equal to ${max}`)
          : WITHIN
    return [{ what: `${what} ${size}`, value: make(size), expected }]
  })
}

/** What no pattern of the model takes, and what is easily taken for a match. */
const ODD_TEXTS = ['!', 'ÄÖ ü', 'a b', '🦆🦆', '../..', 'a\u0000b', '<script>', '%61%62', "a'b"]

function textVariants(shape: Shape, path: string, good: string): readonly ValueVariant[] {
  const { pattern, enum: values, min = 0, max = Number.POSITIVE_INFINITY } = shape
  const half = {
    what: 'half of a surrogate pair',
    value: 'a\ud83e',
    expected: unreadable('A string holds half of a surrogate pair'),
  }
  if (values !== undefined) {
    const refused = brokenConstraint(path, `Member must satisfy enum value set: [${values.join(', ')}]`)
    const [first = ''] = values
    return [
      half,
      ...values.map((value) => ({ what: `enum value ${value}`, value, expected: WITHIN })),
      ...['', 'NONE_SUCH', swapCase(first), `${first} `, `${first}\n`, 'toString'].map((value) => ({
        what: `not of the enum: ${JSON.stringify(value)}`,
        value,
        expected: refused,
      })),
    ]
  }
  if (pattern === undefined) return [half]
  return [
    half,
    ...[...ODD_TEXTS, `${good}\n`, ` ${good}`, `${good} `, good.toUpperCase(), `${good}/`, `-${good}`]
      .filter((text) => [...text].length >= min && [...text].length <= max)
      .map((value) => ({
        what: `pattern, with ${JSON.stringify(value)}`,
        value,
        expected: matches(pattern, value) ? WITHIN : patternBroken(path, pattern),
      })),
  ]
}

const matches = (pattern: string, text: string) => new RegExp(`^(?:${pattern})$`).test(text)
const patternBroken = (path: string, pattern: string) =>
  brokenConstraint(path, `must satisfy regular expression '${pattern}'`)

/** What texts of a pattern begin with; `a` goes on with all of them. */
const BEGINNINGS: readonly (readonly [pattern: RegExp, beginning: string])[] = [
  [/:iam::/, 'arn:aws:iam::123456789012:role/'],
  [/:kms:/, 'arn:aws:kms:eu-west-3:123456789012:key/'],
]

const LARGE_CHARACTERS = 1_000_000

/** Makes texts of any length that keep to a shape's pattern, as far as the length leaves room. Without one, of characters that are two units long, unless the text is as large as a request may be. */
function textOf({ pattern, max = 0 }: Shape): (length: number) => string {
  if (pattern === undefined) return (length) => (max > LARGE_CHARACTERS ? 'a' : '🦆').repeat(length)
  const beginning = BEGINNINGS.find(([known]) => known.test(pattern))?.[1] ?? ''
  return (length) => (beginning + 'a'.repeat(Math.max(length - beginning.length, 0))).slice(0, length)
}

function swapCase(text: string): string {
  const lower = text.toLowerCase()
  return lower === text ? text.toUpperCase() : lower
}
