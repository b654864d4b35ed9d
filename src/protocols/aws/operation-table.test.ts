import { expect, test } from 'bun:test'
import type { ServiceModel } from './model.ts'
import { operationTable } from './operation-table.ts'

const model: ServiceModel = {
  metadata: { apiVersion: '1', endpointPrefix: 'x', serviceId: 'X' },
  operations: { A: { name: 'A' }, B: { name: 'B' } },
  shapes: {},
}
const call = {} as never
const handler = async () => ({})

test('every operation is handled or listed as unsupported', () => {
  const table = operationTable(model, { A: handler }, ['B'], () => call)
  expect(table.get('A')).toBeFunction()
  expect(table.get('B')).toBe('unsupported')
  expect(table.get('C')).toBeUndefined()
})

test('a table that leaves out, doubles or invents an operation is refused by name', () => {
  expect(() => operationTable(model, { A: handler }, [], () => call)).toThrow(
    /neither handled nor listed as unsupported: B/,
  )
  expect(() => operationTable(model, { A: handler, B: handler }, ['B'], () => call)).toThrow(
    /handled and listed as unsupported: B/,
  )
  expect(() => operationTable(model, { A: handler, C: handler }, ['B'], () => call)).toThrow(/not in the model: C/)
})
