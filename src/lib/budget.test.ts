import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { Budget } from './budget.ts'

/** Takes, and tells whether that has come to pass. */
function taking(budget: Budget, amount: number, signal?: AbortSignal) {
  const state: { giveBack?: () => void; failure?: unknown } = {}
  const done = budget.take(amount, signal).then(
    (giveBack) => {
      state.giveBack = giveBack
    },
    (failure: unknown) => {
      state.failure = failure
    },
  )
  return { state, done }
}

/** Lets everything happen that nothing holds up. */
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('what is left is given at once', async () => {
  const budget = new Budget(10)
  const first = taking(budget, 6)
  const second = taking(budget, 4)
  await settled()
  expect([first, second].map(({ state }) => state.giveBack !== undefined)).toEqual([true, true])
})

test('who does not want to wait gets what is there at once, or nothing', async () => {
  const budget = new Budget(10)
  const giveBack = budget.tryTake(6)
  expect(budget.tryTake(5)).toBeUndefined()
  const waiting = taking(budget, 5)
  await settled()
  expect(budget.tryTake(1)).toBeUndefined()
  giveBack?.()
  await waiting.done
  expect(budget.tryTake(5)).toBeDefined()
  expect(budget.tryTake(1)).toBeUndefined()
})

test('whoever asks for more than is left waits until it was given back', async () => {
  const budget = new Budget(10)
  const giveBack = await budget.take(6)
  const second = taking(budget, 5)
  await settled()
  expect(second.state.giveBack).toBeUndefined()
  giveBack()
  await second.done
  expect(second.state.giveBack).toBeDefined()
})

test('a small wish does not overtake a large one', async () => {
  const budget = new Budget(10)
  const giveBack = await budget.take(6)
  const large = taking(budget, 10)
  const small = taking(budget, 1)
  await settled()
  expect(small.state.giveBack).toBeUndefined()
  giveBack()
  await large.done
  expect(small.state.giveBack).toBeUndefined()
  large.state.giveBack?.()
  await small.done
  expect(small.state.giveBack).toBeDefined()
})

test('more than there is at all counts as all', async () => {
  const budget = new Budget(10)
  const giveBack = await budget.take(1000)
  const second = taking(budget, 1)
  await settled()
  expect(second.state.giveBack).toBeUndefined()
  giveBack()
  await second.done
})

test('giving back twice gives back once', async () => {
  const budget = new Budget(10)
  const giveBack = await budget.take(10)
  giveBack()
  giveBack()
  await budget.take(10)
  const second = taking(budget, 1)
  await settled()
  expect(second.state.giveBack).toBeUndefined()
})

test('who gives up while waiting takes nothing, and those behind move up', async () => {
  const budget = new Budget(10)
  await budget.take(6)
  const leaving = new AbortController()
  const large = taking(budget, 10, leaving.signal)
  const small = taking(budget, 4)
  await settled()
  expect(small.state.giveBack).toBeUndefined()
  const reason = new Error('gone')
  leaving.abort(reason)
  await Promise.all([large.done, small.done])
  expect(large.state.failure).toBe(reason)
  expect(small.state.giveBack).toBeDefined()
})

test('who has given up before he asks is not served when he would have to wait', async () => {
  const budget = new Budget(1)
  await budget.take(1)
  const reason = new Error('gone')
  expect(await budget.take(1, AbortSignal.abort(reason)).catch((failure: unknown) => failure)).toBe(reason)
})

test('whatever is taken and given back, never is more out than there is, and everybody is served', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 15 }), { maxLength: 30 }), async (amounts) => {
      const budget = new Budget(10)
      let out = 0
      await Promise.all(
        amounts.map(async (amount) => {
          const giveBack = await budget.take(amount)
          out += Math.min(amount, 10)
          expect(out).toBeLessThanOrEqual(10)
          await settled()
          out -= Math.min(amount, 10)
          giveBack()
        }),
      )
      expect(out).toBe(0)
    }),
    { numRuns: 50 },
  )
})
