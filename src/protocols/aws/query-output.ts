import { type ServiceModel, shapeOf } from './model.ts'

/** An operation's answer as the elements of the Query protocol: lists as `member`, maps as `entry`, moments in ISO 8601. */
export function queryOutput(model: ServiceModel, operation: string, output: object): object {
  const name = model.operations[operation]?.output?.shape
  return name === undefined ? {} : (elementsOf(model, name, output) as object)
}

function elementsOf(model: ServiceModel, name: string, value: unknown): unknown {
  const shape = shapeOf(model, name)
  switch (shape.type) {
    case 'structure': {
      // In the order in which they are given, as AWS has its own.
      return Object.fromEntries(
        Object.entries(value as object).flatMap(([name, one]) => {
          const member = shape.members?.[name]
          return member === undefined || one === undefined ? [] : [[name, elementsOf(model, member.shape, one)]]
        }),
      )
    }
    case 'list': {
      const member = (value as readonly unknown[]).map((one) => elementsOf(model, shape.member?.shape ?? '', one))
      return member.length === 0 ? '' : { member }
    }
    case 'map': {
      const entry = Object.entries(value as object).map(([key, one]) => ({
        key,
        value: elementsOf(model, shape.value?.shape ?? '', one),
      }))
      return entry.length === 0 ? '' : { entry }
    }
    case 'timestamp':
      return (value as Date).toISOString().replace(/\.\d{3}Z$/, 'Z')
    default:
      return String(value)
  }
}
