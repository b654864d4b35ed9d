import type { JsonObject } from '../json-values.ts'

/** A lifecycle policy is none; the message says why, in the words of ECR's schema where they are known. */
export class PolicyMistake extends Error {
  override readonly name = 'PolicyMistake'
}

interface JsonTypes {
  readonly array: readonly unknown[]
  readonly object: JsonObject
  readonly string: string
}

/** ECR answers `appliedRulePriority` as an integer of 32 bits. */
const INTEGER_MAX = 2 ** 31 - 1

/** The value, if it is of the type. Throws `PolicyMistake`. */
export function checkType<Type extends keyof JsonTypes>(value: unknown, type: Type): JsonTypes[Type] {
  if (typeOf(value) !== type) throw wrongType(value, type)
  return value as JsonTypes[Type]
}

/** An object with all the required members and no unknown ones. Throws `PolicyMistake`. */
export function jsonMembers(
  value: unknown,
  { required, optional = [] }: { readonly required: readonly string[]; readonly optional?: readonly string[] },
): JsonObject {
  const object = checkType(value, 'object')
  const missing = required.filter((name) => !Object.hasOwn(object, name))
  if (missing.length > 0)
    throw new PolicyMistake(`object has missing required properties (${JSON.stringify(missing.sort())})`)
  const unknown = Object.keys(object).filter((name) => !required.includes(name) && !optional.includes(name))
  if (unknown.length > 0)
    throw new PolicyMistake(
      `object instance has properties which are not allowed by the schema: (${JSON.stringify(unknown.sort())})`,
    )
  return object
}

export function jsonText(value: unknown): string {
  return checkType(value, 'string')
}

/** A list of texts of which none is empty. Throws `PolicyMistake`. */
export function jsonTextList(value: unknown): readonly string[] {
  return checkType(value, 'array').map((entry) => {
    const text = jsonText(entry)
    if (text === '') throw new PolicyMistake('string "" is too short (length: 0, required minimum: 1)')
    return text
  })
}

export function oneOf<const Value extends string>(value: unknown, values: readonly Value[]): Value {
  const text = jsonText(value)
  const found = values.find((one) => one === text)
  if (found === undefined)
    throw new PolicyMistake(
      `instance value (${JSON.stringify(text)}) not found in enum (possible values: ${JSON.stringify(values)})`,
    )
  return found
}

/** An integer of at least 1. Throws `PolicyMistake`. */
export function positiveInteger(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value)) throw wrongType(value, 'integer')
  if (value < 1)
    throw new PolicyMistake(`numeric instance is lower than the required minimum (minimum: 1, found: ${value})`)
  if (value > INTEGER_MAX)
    throw new PolicyMistake(
      `numeric instance is greater than the required maximum (maximum: ${INTEGER_MAX}, found: ${value})`,
    )
  return value
}

function wrongType(value: unknown, allowed: string): PolicyMistake {
  return new PolicyMistake(
    `instance type (${typeOf(value)}) does not match any allowed primitive type (allowed: ${JSON.stringify([allowed])})`,
  )
}

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number'
  return typeof value
}
