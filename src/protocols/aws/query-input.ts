import { requestMalformed } from '../../domain/errors.ts'
import { type ServiceModel, shapeOf } from './model.ts'

/** More elements than any list of a model may have. */
const ELEMENTS_MAX = 1000

/**
 * The parameters of a Query request as the JSON that they stand for: `Tags.member.1.Key=a` is `{ Tags: [{ Key: 'a' }] }`.
 * Texts become numbers and truths where the model has such; whether the values satisfy the model is for others to say.
 * Throws `request-malformed`.
 */
export function queryInput(model: ServiceModel, operation: string, parameters: URLSearchParams): object {
  const name = model.operations[operation]?.input?.shape
  if (name === undefined) return {}
  const values = new Map<string, string>()
  for (const [key, value] of parameters) values.set(key, value)
  return structureOf(model, name, '', { values, structures: structuresOf(values.keys()) })
}

/** What a request gives. */
interface Given {
  /** The texts by their whole paths. */
  readonly values: ReadonlyMap<string, string>
  /** The paths under which there is something, so that nobody has to look through all the others for each. */
  readonly structures: ReadonlySet<string>
}

/** No path of a model is deeper. */
const DEPTH_MAX = 16

function structuresOf(paths: Iterable<string>): ReadonlySet<string> {
  const structures = new Set<string>()
  for (const path of paths) {
    let dot = path.indexOf('.')
    for (let depth = 0; dot > 0 && depth < DEPTH_MAX; depth++) {
      structures.add(path.slice(0, dot))
      dot = path.indexOf('.', dot + 1)
    }
  }
  return structures
}

function structureOf(model: ServiceModel, name: string, prefix: string, given: Given): object {
  const members = Object.entries(shapeOf(model, name).members ?? {})
  return Object.fromEntries(
    members.flatMap(([member, target]) => {
      const value = target && parsedAt(model, target.shape, prefix + member, given)
      return value === undefined ? [] : [[member, value]]
    }),
  )
}

/** What stands under a path; `undefined` when nothing does. */
function parsedAt(model: ServiceModel, name: string, path: string, given: Given): unknown {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure':
      return given.structures.has(path) ? structureOf(model, name, `${path}.`, given) : undefined
    case 'list':
      return listOf(model, shape.member?.shape ?? '', path, given)
    case 'map':
      return mapOf(model, shape.value?.shape ?? '', path, given)
    default: {
      const text = given.values.get(path)
      return text === undefined ? undefined : scalarOf(shape.type, text)
    }
  }
}

/** An empty parameter of the list's own name is the empty list. */
function listOf(model: ServiceModel, of: string, path: string, given: Given): readonly unknown[] | undefined {
  const list: unknown[] = []
  for (let index = 1; index <= ELEMENTS_MAX; index++) {
    const value = parsedAt(model, of, `${path}.member.${index}`, given)
    if (value === undefined) break
    list.push(value)
  }
  return list.length > 0 || given.values.get(path) === '' ? list : undefined
}

function mapOf(model: ServiceModel, of: string, path: string, given: Given): object | undefined {
  const entries: [string, unknown][] = []
  for (let index = 1; index <= ELEMENTS_MAX; index++) {
    const key = given.values.get(`${path}.entry.${index}.key`)
    if (key === undefined) break
    entries.push([key, parsedAt(model, of, `${path}.entry.${index}.value`, given) ?? null])
  }
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function scalarOf(type: string, text: string): unknown {
  switch (type) {
    case 'integer':
    case 'long':
      return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : malformed(text)
    case 'float':
    case 'double':
      return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : malformed(text)
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : malformed(text)
    case 'timestamp': {
      const seconds = Date.parse(text) / 1000
      return Number.isNaN(seconds) ? malformed(text) : seconds
    }
    default:
      return text
  }
}

function malformed(text: string): never {
  throw requestMalformed(`The value ${text.slice(0, 64)} is not of the type that the parameter has`)
}
