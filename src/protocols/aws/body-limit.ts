import { type ServiceModel, shapeOf } from './model.ts'

/** Room for everything of an input that has no large member. */
const BASE_BYTES = 5 * 1024 * 1024

/** How many bytes the JSON of an operation's input may have: a base, and room for the large members its model allows. */
export function bodyLimitBytes(model: ServiceModel, operation: string): number {
  const input = model.operations[operation]?.input?.shape
  const members = input === undefined ? {} : (shapeOf(model, input).members ?? {})
  const names = Object.values(members).flatMap((member) => (member === undefined ? [] : [member.shape]))
  return names.reduce((sum, name) => sum + roomFor(model, name), BASE_BYTES)
}

function roomFor(model: ServiceModel, name: string): number {
  const { type, max } = shapeOf(model, name)
  if (max === undefined) return 0
  if (type === 'blob') return Math.ceil(max / 3) * 4
  // A document inside a JSON string: its quotes and line ends take two characters.
  return type === 'string' ? max * 2 : 0
}
