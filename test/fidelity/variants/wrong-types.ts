import type { Shape } from '../../../src/protocols/aws/model.ts'
import { unreadable, type ValueVariant } from './expectation.ts'

/** The types of JSON: a value of each, and how AWS's reader calls its token. */
const VALUES = [
  { type: 'string', value: 'text', token: 'STRING_VALUE' },
  { type: 'number', value: 7, token: 'NUMBER_VALUE' },
  { type: 'number', value: 1.5, token: 'NUMBER_VALUE' },
  { type: 'boolean', value: true, token: 'TRUE_VALUE' },
  { type: 'boolean', value: false, token: 'FALSE_VALUE' },
  { type: 'list', value: ['text'], token: 'list' },
  { type: 'structure', value: { text: 'text' }, token: 'structure or map' },
] as const

/** What a shape is in JSON, and how AWS calls what it would have been converted to. */
const SCALARS: Readonly<Record<string, { readonly json: string; readonly name: string }>> = {
  string: { json: 'string', name: 'a String' },
  blob: { json: 'string', name: 'a Blob' },
  boolean: { json: 'boolean', name: 'a Boolean' },
  integer: { json: 'number', name: 'an Integer' },
  long: { json: 'number', name: 'a Long' },
}

/** A value of every type of JSON that the shape is not. */
export function wrongTypeVariants(shape: Shape): readonly ValueVariant[] {
  const scalar = SCALARS[shape.type]
  const right = scalar?.json ?? shape.type
  const isWhole = shape.type === 'integer' || shape.type === 'long'
  return VALUES.filter(({ type, value }) => type !== right || (isWhole && value === 1.5)).map(({ value, token }) => ({
    what: `of another type: ${JSON.stringify(value)}`,
    value,
    expected: unreadable(complaint(shape.type, scalar?.name, token)),
  }))
}

function complaint(type: string, scalar: string | undefined, token: string): string {
  if (scalar === undefined) return `Expected ${type} or null`
  return token.endsWith('_VALUE')
    ? `${token} can not be converted to ${scalar}`
    : `Start of ${token} found where not expected`
}
