import { expect, test } from 'bun:test'
import { isRegistryError } from '../../domain/errors.ts'
import { Attempts, guesserOf } from './attempts.ts'

function isThrottled(work: () => void): boolean {
  try {
    work()
    return false
  } catch (thrown) {
    if (isRegistryError(thrown, 'throttled')) return true
    throw thrown
  }
}

test('after too many failures, attempts are looked at as fast as failures are forgotten', () => {
  let now = new Date(0)
  const attempts = new Attempts({ now: () => now }, 30)
  for (let failure = 1; failure <= 30; failure++) {
    expect(isThrottled(() => attempts.admit('a'))).toBe(false)
    expect(isThrottled(() => attempts.failed('a'))).toBe(false)
  }
  expect(isThrottled(() => attempts.admit('a'))).toBe(true)
  expect(isThrottled(() => attempts.failed('a'))).toBe(true)
  expect(isThrottled(() => attempts.admit('b'))).toBe(false)
  now = new Date(2000)
  expect(isThrottled(() => attempts.admit('a'))).toBe(false)
  attempts.failed('a')
  expect(isThrottled(() => attempts.admit('a'))).toBe(true)
})

test('a clock that was set back forgets nothing and excludes nobody', () => {
  let now = new Date(1_000_000)
  const attempts = new Attempts({ now: () => now }, 2)
  attempts.failed('a')
  now = new Date(0)
  expect(isThrottled(() => attempts.admit('a'))).toBe(false)
})

test.each([
  ['192.0.2.1', '192.0.2.1'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%p is counted as %p', (address, expected) => expect(guesserOf(address)).toBe(expected))
