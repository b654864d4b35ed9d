import { expect, test } from 'bun:test'
import { Gate } from './gate.ts'

test('steps pass while nobody holds the gate, and one that fails stops no other', async () => {
  const gate = new Gate()
  expect(await gate.pass(async () => 1)).toBe(1)
  const failing = gate.pass(async () => {
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  expect(await gate.pass(async () => 2)).toBe(2)
})

test('whoever holds it waits for the step under way, and none begins before all have let go', async () => {
  const gate = new Gate()
  const step = Promise.withResolvers<void>()
  const order: string[] = []
  const stepping = gate.pass(async () => {
    await step.promise
    order.push('step')
  })
  await Promise.resolve()
  const first = Promise.withResolvers<void>()
  const holding = gate.hold(async () => {
    order.push('held')
    await first.promise
  })
  const second = Promise.withResolvers<void>()
  const holdingToo = gate.hold(() => second.promise)
  step.resolve()
  await stepping
  expect(await gate.pass(async () => order.push('never'))).toBeUndefined()
  first.resolve()
  await holding
  expect(await gate.pass(async () => order.push('never'))).toBeUndefined()
  second.resolve()
  await holdingToo
  expect(await gate.pass(async () => 'through')).toBe('through')
  expect(order).toEqual(['step', 'held'])
})

test('the gate is let go when the work fails', async () => {
  const gate = new Gate()
  await expect(gate.hold(() => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await gate.pass(async () => 1)).toBe(1)
})
