import { invalidParameter, requestMalformed } from '../../domain/errors.ts'
import { isObject } from '../../domain/json-values.ts'
import { repeatedValue } from './constraint-sentence.ts'
import { isLongerThan, isShorterThan, matcherFor } from './constraints.ts'
import { type Path, printPath, type Spelling } from './member-path.ts'
import { type ServiceModel, type Shape, shapeOf } from './model.ts'

/** Turns what JSON holds into what an operation takes: known members only, blobs as bytes, times as dates. */
export type InputParser = (value: unknown) => Readonly<Record<string, unknown>>

/** A parser of one shape. It never sees `null`: an absent member. */
type Parser = (value: unknown, path: Path | undefined) => unknown

/**
 * Parsers of the inputs of a service's operations, built from its model when an operation is first called.
 * They throw `request-malformed` for wrong types and `invalid-parameter` for broken constraints.
 */
export class InputParsers {
  readonly #model: ServiceModel
  readonly #spelling: Spelling
  readonly #shapes = new Map<string, Parser>()

  constructor(model: ServiceModel, spelling: Spelling = {}) {
    this.#model = model
    this.#spelling = spelling
  }

  /** The parser of an operation's input. An operation without input takes anything. */
  for(operation: string): InputParser {
    const name = this.#model.operations[operation]?.input?.shape
    if (name === undefined) return () => ({})
    const parse = this.#parserOf(name)
    return (value) => parse(value ?? {}, undefined) as Readonly<Record<string, unknown>>
  }

  #parserOf(name: string): Parser {
    const known = this.#shapes.get(name)
    if (known !== undefined) return known
    // A shape may contain itself: until its parser is there, a detour stands for it.
    let parser: Parser | undefined
    this.#shapes.set(name, (value, path) => (parser ?? this.#parserOf(name))(value, path))
    parser = this.#compile(shapeOf(this.#model, name))
    this.#shapes.set(name, parser)
    return parser
  }

  #compile(shape: Shape): Parser {
    switch (shape.type) {
      case 'structure':
        return this.#structure(shape)
      case 'list':
        return this.#list(shape)
      case 'map':
        return this.#map(shape)
      case 'string':
        return this.#string(shape)
      case 'blob':
        return this.#blob(shape)
      case 'boolean':
        return (value) => (typeof value === 'boolean' ? value : unconvertible(value, 'a Boolean'))
      case 'integer':
        return this.#number(shape, 'an Integer', (value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31)
      case 'long':
        return this.#number(shape, 'a Long', Number.isSafeInteger)
      case 'float':
      case 'double':
        return this.#number(shape, 'a Double', Number.isFinite)
      case 'timestamp':
        return timestamp
      default:
        throw new Error(`The model of ${this.#model.metadata.serviceId} has a shape of unknown type: ${shape.type}`)
    }
  }

  #structure(shape: Shape): Parser {
    const required = new Set(shape.required)
    const members = Object.entries(shape.members ?? {}).flatMap(([name, member]) =>
      member === undefined ? [] : [{ name, isRequired: required.has(name), parse: this.#parserOf(member.shape) }],
    )
    return (value, path) => {
      if (!isObject(value)) throw requestMalformed('Expected structure or null')
      const parsed: Record<string, unknown> = {}
      for (const { name, isRequired, parse } of members) {
        const given = Object.hasOwn(value, name) ? value[name] : undefined
        if (given !== undefined && given !== null) parsed[name] = parse(given, { parent: path, name })
        else if (isRequired) throw this.#refused({ parent: path, name }, 'Member must not be null', 'null')
      }
      return parsed
    }
  }

  #list(shape: Shape): Parser {
    const { member } = shape
    const parse = this.#parserOf(member?.shape ?? '')
    return (value, path) => {
      if (!Array.isArray(value)) throw requestMalformed('Expected list or null')
      this.#checkLength(value.length, shape, path, value)
      return value.map((item: unknown, index) => {
        const name = `${index + 1}.member`
        if (item === null) throw this.#refused({ parent: path, name }, 'Member must not be null', 'null')
        return parse(item, { parent: path, name })
      })
    }
  }

  #map(shape: Shape): Parser {
    const { key, value: of } = shape
    const parseKey = this.#parserOf(key?.shape ?? '')
    const parseValue = this.#parserOf(of?.shape ?? '')
    return (value, path) => {
      if (!isObject(value)) throw requestMalformed('Expected map or null')
      const entries = Object.entries(value).filter(([, item]) => item !== null)
      this.#checkLength(entries.length, shape, path)
      return Object.fromEntries(
        entries.map(([name, item]) => [
          parseKey(name, { parent: path, name: 'key' }),
          parseValue(item, { parent: path, name: `${name}.member` }),
        ]),
      )
    }
  }

  #string(shape: Shape): Parser {
    const { min = 0, max = Number.POSITIVE_INFINITY, pattern, enum: values } = shape
    const matches = pattern === undefined ? undefined : matcherFor(pattern)
    const allowed = values === undefined ? undefined : new Set(values)
    return (value, path) => {
      if (typeof value !== 'string') return unconvertible(value, 'a String')
      if (!value.isWellFormed()) throw requestMalformed('A string holds half of a surrogate pair')
      const refused = (reason: string) => this.#refused(path, reason, repeatedValue(value, shape))
      if (isShorterThan(value, min)) throw refused(atLeast('length', min))
      if (isLongerThan(value, max)) throw refused(atMost('length', max))
      if (allowed !== undefined && !allowed.has(value))
        throw refused(`Member must satisfy enum value set: [${[...allowed].join(', ')}]`)
      if (matches !== undefined && !matches(value)) throw refused(`must satisfy regular expression '${pattern}'`)
      return value
    }
  }

  #blob(shape: Shape): Parser {
    const { max } = shape
    return (value, path) => {
      if (typeof value !== 'string') return unconvertible(value, 'a Blob')
      // Base64 is a third longer than its bytes: do not decode what cannot fit.
      if (max !== undefined && value.length > Math.ceil(max / 3) * 4) throw this.#refused(path, atMost('length', max))
      const bytes = decodeBase64(value)
      this.#checkLength(bytes.length, shape, path)
      return bytes
    }
  }

  #number(shape: Shape, type: string, isOfType: (value: number) => boolean): Parser {
    return (value, path) => {
      const { min, max } = shape
      if (typeof value !== 'number' || !isOfType(value)) return unconvertible(value, type)
      if (min !== undefined && value < min)
        throw this.#refused(path, atLeast('value', min), repeatedValue(value, shape))
      if (max !== undefined && value > max) throw this.#refused(path, atMost('value', max), repeatedValue(value, shape))
      return value
    }
  }

  #checkLength(length: number, shape: Shape, path: Path | undefined, value?: unknown): void {
    const { min, max } = shape
    if (min !== undefined && length < min)
      throw this.#refused(path, atLeast('length', min), repeatedValue(value, shape))
    if (max !== undefined && length > max) throw this.#refused(path, atMost('length', max), repeatedValue(value, shape))
  }

  #refused(path: Path | undefined, reason: string, value?: string) {
    return invalidParameter(printPath(path, this.#spelling), reason, undefined, value)
  }
}

/** Seconds since 1970, with a fraction. */
function timestamp(value: unknown): Date {
  const date = typeof value === 'number' ? new Date(value * 1000) : unconvertible(value, 'a Timestamp')
  return Number.isNaN(date.getTime()) ? unconvertible(value, 'a Timestamp') : date
}

function decodeBase64(text: string): Uint8Array {
  try {
    // The decoder skips white space and supplies padding; AWS does neither.
    if (text.length % 4 !== 0 || /\s/.test(text)) throw new SyntaxError()
    return Uint8Array.fromBase64(text, { lastChunkHandling: 'strict' })
  } catch {
    throw requestMalformed('A blob is not valid base64')
  }
}

function atLeast(what: 'length' | 'value', min: number): string {
  return `Member must have ${what} greater than or equal to ${min}`
}

function atMost(what: 'length' | 'value', max: number): string {
  return `Member must have ${what} less than or equal to ${max}`
}

/** A value of the wrong type, in the words of AWS's JSON reader. */
function unconvertible(value: unknown, type: string): never {
  if (Array.isArray(value)) throw requestMalformed('Start of list found where not expected')
  if (isObject(value)) throw requestMalformed('Start of structure or map found where not expected')
  throw requestMalformed(`${tokenName(value)} can not be converted to ${type}`)
}

function tokenName(value: unknown): string {
  if (typeof value === 'string') return 'STRING_VALUE'
  if (typeof value === 'number') return 'NUMBER_VALUE'
  return value === true ? 'TRUE_VALUE' : 'FALSE_VALUE'
}
