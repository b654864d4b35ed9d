import { type ServiceModel, shapeOf } from '../../../src/protocols/aws/model.ts'

/** Throws unless the answer has the members of the model's output, of the right types, and no others. */
export function checkOutput(model: ServiceModel, target: string, body: Uint8Array): void {
  const operation = target.slice(target.lastIndexOf('.') + 1)
  const output = model.operations[operation]?.output?.shape
  const answer: unknown = JSON.parse(new TextDecoder().decode(body))
  if (output !== undefined) checkValue(model, output, answer, operation)
  else if (Object.keys(answer as object).length > 0) throw new Error(`${operation} has no output`)
}

function checkValue(model: ServiceModel, name: string, value: unknown, path: string): void {
  const { type, members = {}, member } = shapeOf(model, name)
  const types: Readonly<Record<string, string>> = {
    string: 'string',
    blob: 'string',
    boolean: 'boolean',
    structure: 'object',
    list: 'object',
    map: 'object',
  }
  if (typeof value !== (types[type] ?? 'number') || value === null || Array.isArray(value) !== (type === 'list'))
    throw new Error(`${path} is no ${type}: ${JSON.stringify(value)}`)
  if (Array.isArray(value)) for (const item of value) checkValue(model, member?.shape ?? '', item, `${path}[]`)
  else if (typeof value === 'object' && type !== 'map')
    for (const [key, item] of Object.entries(value)) {
      const shape = members[key]?.shape
      if (shape === undefined) throw new Error(`${path}.${key} is not in the model`)
      checkValue(model, shape, item, `${path}.${key}`)
    }
}
