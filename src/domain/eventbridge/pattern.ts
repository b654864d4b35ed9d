import { type Alternative, isLeaf, type Leaf, parseAlternative } from './comparison.ts'
import { eventPatternInvalid } from './errors.ts'
import { isJsonObject, type Json, type JsonObject, memberOf, parseJson } from './json.ts'

/** An event pattern that was read: every field of it must be met, and of each `$or` one. */
export interface EventPattern {
  readonly fields: readonly PatternField[]
  readonly either: readonly (readonly EventPattern[])[]
}

interface PatternField {
  readonly name: string
  /** What its members must meet, or its own value. */
  readonly wanted: EventPattern | readonly Alternative[]
}

/** `{"$or": …}` is an operator where its value is a list of objects; else it is a field of that name. */
const OR = '$or'
const DEPTH_MAX = 100
/** How many combinations the `$or`s of a pattern may make, as EventBridge has it. */
const COMBINATIONS_MAX = 1000

/** Reads an event pattern. Throws `event-pattern-invalid`, with the first thing that is wrong. */
export function parseEventPattern(text: string): EventPattern {
  const document = parseJson(text)
  if (document === undefined) throw eventPatternInvalid('The pattern is not valid JSON')
  if (!isJsonObject(document)) throw eventPatternInvalid('Filter is not an object')
  const pattern = parseObject(document, 1)
  if (combinations(pattern) > COMBINATIONS_MAX)
    throw eventPatternInvalid(`Patterns with $or make at most ${COMBINATIONS_MAX} combinations`)
  return pattern
}

function parseObject(document: JsonObject, depth: number): EventPattern {
  if (depth > DEPTH_MAX) throw eventPatternInvalid('The pattern is nested too deeply')
  const entries = Object.entries(document)
  if (entries.length === 0) throw eventPatternInvalid('Empty objects are not allowed')
  const fields: PatternField[] = []
  const either: (readonly EventPattern[])[] = []
  for (const [name, value] of entries) {
    if (name === OR && Array.isArray(value) && value.length > 0 && value.every(isJsonObject))
      either.push(parseEither(value, depth))
    else fields.push({ name, wanted: parseField(name, value, depth) })
  }
  return { fields, either }
}

function parseEither(choices: readonly JsonObject[], depth: number): readonly EventPattern[] {
  if (choices.length < 2) throw eventPatternInvalid('There must be at least two objects in $or')
  return choices.map((choice) => parseObject(choice, depth + 1))
}

function parseField(name: string, value: Json, depth: number): EventPattern | readonly Alternative[] {
  if (isJsonObject(value)) return parseObject(value, depth + 1)
  if (!Array.isArray(value)) throw eventPatternInvalid(`"${name}" must be an object or an array`)
  if (value.length === 0) throw eventPatternInvalid('Empty arrays are not allowed')
  return value.map(parseAlternative)
}

function combinations({ fields, either }: EventPattern): number {
  let product = 1
  for (const { wanted } of fields) if (isPattern(wanted)) product *= combinations(wanted)
  for (const choices of either) product *= choices.reduce((sum, choice) => sum + combinations(choice), 0)
  return product
}

function isPattern(wanted: EventPattern | readonly Alternative[]): wanted is EventPattern {
  return !Array.isArray(wanted)
}

/**
 * Whether an event meets a pattern. A list in the event is met by any of its items; what a pattern asks of the members of
 * objects in a list must hold for one and the same object. A field is absent when no value stands at its path anywhere.
 */
export function matchesEvent(pattern: EventPattern, event: Json): boolean {
  return matches(pattern, event, event, [])
}

function matches(pattern: EventPattern, value: Json | undefined, event: Json, path: readonly string[]): boolean {
  if (Array.isArray(value) && value.some((item) => !isLeaf(item)))
    return (value as readonly Json[]).some((item) => matches(pattern, item, event, path))
  const members = isJsonObject(value) ? value : undefined
  return (
    pattern.fields.every((field) => meets(field, members, event, path)) &&
    pattern.either.every((choices) => choices.some((choice) => matches(choice, value, event, path)))
  )
}

function meets(
  { name, wanted }: PatternField,
  members: JsonObject | undefined,
  event: Json,
  path: readonly string[],
): boolean {
  const value = members && memberOf(members, name)
  const at = [...path, name]
  if (isPattern(wanted)) return matches(wanted, value, event, at)
  return wanted.some((alternative) => {
    if (alternative === 'absent') return !hasValue(event, at)
    return value !== undefined && leavesOf(value).some(alternative)
  })
}

/** The values of a field: its own, or those of a list, however deep. */
function leavesOf(value: Json): readonly Leaf[] {
  if (isLeaf(value)) return [value]
  return Array.isArray(value) ? (value as readonly Json[]).flatMap(leavesOf) : []
}

function hasValue(value: Json | undefined, path: readonly string[]): boolean {
  if (value === undefined) return false
  const [name, ...rest] = path
  if (name === undefined) return leavesOf(value).length > 0
  if (Array.isArray(value)) return (value as readonly Json[]).some((item) => hasValue(item, path))
  return isJsonObject(value) && hasValue(memberOf(value, name), rest)
}
