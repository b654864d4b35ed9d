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

test('long pieces between wildcards are found as the regular expression finds them', () => {
  const letters = fc.constantFrom('a', 'a', 'a', 'b')
  const piece = fc.string({ unit: fc.constantFrom('a', 'a', 'a', 'b', '?'), minLength: 20, maxLength: 120 })
  const text = fc.string({ unit: letters, minLength: 300, maxLength: 900 })
  fc.assert(
    fc.property(piece, piece, text, fc.nat(), (one, two, made, at) => {
      const hidden = made.slice(0, at % made.length) + one.replaceAll('?', 'b') + made.slice(at % made.length)
      const pattern = `*${one}*${two.slice(0, 5)}*`
      const expression = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`)
      return [made, hidden].every((tried) => patternMatcher(pattern)(tried) === expression.test(tried))
    }),
    { numRuns: 200 },
  )
})

test.each([
  ['a star before every letter', `${'*a'.repeat(3000)}b`],
  ['a star and a question mark before every letter', `${'*?a'.repeat(2000)}b`],
  ['one long piece', `*${'a'.repeat(6000)}b*`],
  ['one long piece with question marks', `*${'a?'.repeat(3000)}b*`],
  ['a long piece after many short ones', `${'*a?'.repeat(1000)}*${'?a'.repeat(1500)}b*c`],
])('no pattern is slow: %s', (_what, pattern) => {
  const matches = patternMatcher(pattern)
  const text = 'a'.repeat(16_384)
  // A hundred of these, tried place by place, would take ten thousand million comparisons.
  for (let count = 0; count < 100; count++) expect(matches(text)).toBe(false)
})
