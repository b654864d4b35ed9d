import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { wildcard } from '../wildcard.ts'
import { TagSearch } from './tag-search.ts'

const tags = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', '-'), minLength: 1, maxLength: 5 }), { maxLength: 8 })
const entry = fc.string({ unit: fc.constantFrom('a', 'b', '-', '*', '\n'), minLength: 1, maxLength: 5 })

for (const list of ['prefix', 'pattern'] as const)
  test(`a search by ${list} finds the tags, and the same tags, that asking each one finds`, () => {
    fc.assert(
      fc.property(tags, entry, (given, sought) => {
        const isMet = list === 'prefix' ? (tag: string) => tag.startsWith(sought) : wildcard(sought)
        const found: number[] = []
        new TagSearch(given).find(list, sought, (at) => found.push(at))
        expect(found).toEqual(given.flatMap((tag, at) => (isMet(tag) ? [at] : [])))
      }),
      { numRuns: 3000 },
    )
  })
