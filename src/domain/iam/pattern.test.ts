import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { patternMatcher } from './pattern.ts'

test.each([
  ['*', '', true],
  ['?', '', false],
  ['a?c', 'abc', true],
  ['a?c', 'ac', false],
  ['a*c', 'ac', true],
  ['a*b*c', 'aXbXbXc', true],
  ['a*b*c', 'aXbXbX', false],
  ['*.*', 'a.b', true],
  ['[a-z]', 'a', false],
] as const)('%p on %p: %p', (pattern, text, isMatch) => {
  expect(patternMatcher(pattern)(text)).toBe(isMatch)
})

test('matches as the regular expression does', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b') })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (given, tried) => {
      const expression = new RegExp(`^${given.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      return patternMatcher(given)(tried) === expression.test(tried)
    }),
  )
})

test('no pattern is slow', () => {
  expect(patternMatcher(`${'*a'.repeat(2000)}b`)('a'.repeat(2000))).toBe(false)
})
