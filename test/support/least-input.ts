import { type ServiceModel, type Shape, shapeOf } from '../../src/protocols/aws/model.ts'

/** What members are given, by name; a value that is `undefined` leaves a required member out. */
export type Given = Readonly<Record<string, unknown>>

/** The least input that an operation takes by its model: its required members and those that are given, as JSON has them. */
export function leastInput(
  model: ServiceModel,
  operation: string,
  given: Given = {},
): Readonly<Record<string, unknown>> {
  const input = model.operations[operation]?.input
  return input === undefined ? {} : structure(model, shapeOf(model, input.shape), given)
}

function structure(model: ServiceModel, { members = {}, required = [] }: Shape, given: Given): Record<string, unknown> {
  const names = Object.keys(members).filter((name) => Object.hasOwn(given, name) || required.includes(name))
  return Object.fromEntries(
    names.map((name) => {
      const own = Object.hasOwn(given, name)
      return [name, own ? given[name] : value(model, shapeOf(model, members[name]?.shape ?? ''), given)]
    }),
  )
}

function value(model: ServiceModel, shape: Shape, given: Given): unknown {
  switch (shape.type) {
    case 'structure':
      return structure(model, shape, given)
    case 'list':
      return Array.from({ length: Math.max(shape.min ?? 1, 1) }, () =>
        value(model, shapeOf(model, shape.member?.shape ?? ''), given),
      )
    case 'map':
      return {}
    case 'boolean':
      return false
    case 'integer':
    case 'long':
    case 'double':
      return Math.max(shape.min ?? 1, 1)
    case 'timestamp':
      return 1_767_225_600
    case 'blob':
      return 'YQ=='
    default:
      return shape.enum?.[0] ?? 'abcd'.repeat(Math.ceil(Math.max(shape.min ?? 1, 4) / 4)).slice(0, shape.max ?? 10_000)
  }
}

/** An input as the Query protocol writes it. */
export function queryForm(operation: string, version: string, input: object): string {
  const form = new URLSearchParams({ Action: operation, Version: version })
  const add = (prefix: string, given: unknown): void => {
    if (Array.isArray(given)) for (const [index, one] of given.entries()) add(`${prefix}.member.${index + 1}`, one)
    else if (typeof given === 'object' && given !== null)
      for (const [name, one] of Object.entries(given)) add(prefix === '' ? name : `${prefix}.${name}`, one)
    else form.set(prefix, String(given))
  }
  add('', input)
  return form.toString()
}
