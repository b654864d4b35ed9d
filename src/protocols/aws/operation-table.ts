import type { AwsCall } from './context.ts'
import type { ServiceModel } from './model.ts'

/** Performs an operation: parsed input in, what AWS answers out. `Context` is what the service's operations share. */
export type Handler<Context> = (input: never, context: Context) => Promise<object>

/** An operation ready to be called, or one that the service has and this registry has not. */
export type Operation = ((input: object, call: AwsCall) => Promise<object>) | 'unsupported'

export type OperationTable = ReadonlyMap<string, Operation>

/**
 * Every operation of a service's model with what performs it. Throws when an operation is neither handled nor listed as
 * unsupported, is both, or is not in the model, so that nothing can be forgotten in silence.
 */
export function operationTable<Context>(
  model: ServiceModel,
  handlers: Readonly<Record<string, Handler<Context>>>,
  unsupported: readonly string[],
  contextFor: (call: AwsCall) => Context,
): OperationTable {
  const table = new Map<string, Operation>()
  for (const [name, handle] of Object.entries(handlers))
    table.set(name, (input, call) => handle(input as never, contextFor(call)))
  const twice = unsupported.filter((name) => table.has(name))
  for (const name of unsupported) table.set(name, 'unsupported')
  const missing = Object.keys(model.operations).filter((name) => !table.has(name))
  const unknown = [...table.keys()].filter((name) => !Object.hasOwn(model.operations, name))
  const faults = [
    fault('neither handled nor listed as unsupported', missing),
    fault('handled and listed as unsupported', twice),
    fault('not in the model', unknown),
  ].join('')
  if (faults !== '') throw new Error(`The operations of ${model.metadata.serviceId} and its model differ:${faults}`)
  return table
}

function fault(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `\n  ${what}: ${names.join(', ')}`
}
