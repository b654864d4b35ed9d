import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { isRegistryError } from '../domain/errors.ts'
import { pageAfter, pageOf } from './paging.ts'

test('a page ends in a token that leads to the next', () => {
  const page = pageOf(['a', 'b', 'c'], 2, (item) => item)
  expect(page.items).toEqual(['a', 'b'])
  expect(pageAfter({ limit: 2, token: page.nextToken })).toBe('b')
})

test('the last page has none', () => {
  expect(pageOf(['a', 'b'], 2, (item) => item)).toEqual({ items: ['a', 'b'] })
})

test('a token that was never made is refused', () => {
  fc.assert(
    fc.property(fc.string(), (token) => {
      try {
        return typeof pageAfter({ limit: 1, token }) === 'string'
      } catch (thrown) {
        return isRegistryError(thrown, 'invalid-parameter')
      }
    }),
  )
})
