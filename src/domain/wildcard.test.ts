import { test } from 'bun:test'
import fc from 'fast-check'
import { wildcard } from './wildcard.ts'

test('a prepared wildcard matches what the equal regular expression matches', () => {
  const letters = fc.constantFrom('a', 'b', '.')
  const pattern = fc.string({ unit: fc.oneof(letters, fc.constant('*')), maxLength: 8 })
  fc.assert(
    fc.property(pattern, fc.array(fc.string({ unit: letters, maxLength: 10 })), (given, texts) => {
      const regex = new RegExp(`^${given.replaceAll('.', '\\.').replaceAll('*', '.*')}$`)
      const matches = wildcard(given)
      return texts.every((text) => matches(text) === regex.test(text))
    }),
    { numRuns: 2000 },
  )
})
