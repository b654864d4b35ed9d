import { expect, test } from 'bun:test'
import { Once } from './once.ts'

test('what was made is kept, also while it is being made', async () => {
  let made = 0
  const once = new Once(async () => ++made)
  expect(await Promise.all([once.get(), once.get()])).toEqual([1, 1])
  expect(await once.get()).toBe(1)
})

test('what failed is made anew', async () => {
  let tries = 0
  const once = new Once(async () => {
    if (++tries === 1) throw new Error('not yet')
    return tries
  })
  await expect(Promise.all([once.get(), once.get()])).rejects.toThrow('not yet')
  expect(await once.get()).toBe(2)
})
