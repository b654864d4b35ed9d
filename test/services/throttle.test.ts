import { expect, test } from 'bun:test'
import { isRegistryError } from '../../src/domain/errors.ts'
import { Throttle } from '../../src/services/throttle.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { admin, registry, stranger } from '../support/service-fixture.ts'

const owner = { accountId: admin.accountId, region: registry.region }
const other = { accountId: stranger.accountId, region: registry.region }

/** How many of `attempts` calls pass. */
function passed(throttle: Throttle, attempts: number, action = 'ecr:PutImage', caller = owner): number {
  let count = 0
  for (let n = 0; n < attempts; n++)
    try {
      throttle.count(caller, action)
      count++
    } catch (thrown) {
      if (!isRegistryError(thrown, 'throttled')) throw thrown
    }
  return count
}

test("a second's calls may come at once, then as many as the rate gives", () => {
  const clock = new FakeClock()
  const throttle = new Throttle({ PutImage: 10 }, clock)
  expect(passed(throttle, 30)).toBe(10)
  clock.advance(99)
  expect(passed(throttle, 30)).toBe(0)
  clock.advance(1)
  expect(passed(throttle, 30)).toBe(1)
  clock.advance(500)
  expect(passed(throttle, 30)).toBe(5)
  clock.advance(3_600_000)
  expect(passed(throttle, 30)).toBe(10)
})

test('accounts and actions have rates of their own, and some have none', () => {
  const throttle = new Throttle({ PutImage: 2, BatchGetImage: 3 }, new FakeClock())
  expect(passed(throttle, 9)).toBe(2)
  expect(passed(throttle, 9, 'ecr:BatchGetImage')).toBe(3)
  expect(passed(throttle, 9, 'ecr:PutImage', other)).toBe(2)
  expect(passed(throttle, 9, 'ecr:ListImages')).toBe(9)
})

test('a clock that is set back neither gives nor takes', () => {
  const clock = new FakeClock()
  const throttle = new Throttle({ PutImage: 2 }, clock)
  expect(passed(throttle, 1)).toBe(1)
  clock.advance(-60_000)
  expect(passed(throttle, 9)).toBe(1)
  clock.advance(500)
  expect(passed(throttle, 9)).toBe(1)
})
