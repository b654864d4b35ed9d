import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isTagImmutable, type MutabilityMode, matchesWildcard } from './mutability.ts'

describe('a wildcard', () => {
  test.each([
    ['v1', 'v1', true],
    ['v1', 'v10', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['v*', 'v', true],
    ['v*', 'xv', false],
    ['*-rc', '1-rc', true],
    ['*-rc', '1-rc2', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'abc', true],
    ['a*b*c', 'acb', false],
    ['a*a', 'a', false],
    ['*b*', 'abc', true],
    ['V*', 'v1', false],
    ['a.c', 'abc', false],
  ])('%p on %p: %p', (pattern, text, expected) => {
    expect(matchesWildcard(pattern, text)).toBe(expected)
  })

  test('matches what the equal regular expression matches', () => {
    const letters = fc.constantFrom('a', 'b', '.')
    const pattern = fc.string({ unit: fc.oneof(letters, fc.constant('*')), maxLength: 8 })
    fc.assert(
      fc.property(pattern, fc.string({ unit: letters, maxLength: 10 }), (wildcard, text) => {
        const source = wildcard.replaceAll('.', '\\.').replaceAll('*', '.*')
        return matchesWildcard(wildcard, text) === new RegExp(`^${source}$`).test(text)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('a tag', () => {
  const cases: readonly [MutabilityMode, string, boolean][] = [
    ['MUTABLE', 'v1', false],
    ['IMMUTABLE', 'v1', true],
    ['IMMUTABLE_WITH_EXCLUSION', 'dev-1', false],
    ['IMMUTABLE_WITH_EXCLUSION', 'v1', true],
    ['MUTABLE_WITH_EXCLUSION', 'dev-1', true],
    ['MUTABLE_WITH_EXCLUSION', 'v1', false],
  ]
  test.each(cases)('in a repository that is %s, %p is immutable: %p', (mode, tag, expected) => {
    const exclusionFilters = mode.endsWith('EXCLUSION') ? ['latest', 'dev-*'] : []
    expect(isTagImmutable({ mode, exclusionFilters }, tag)).toBe(expected)
  })
})
