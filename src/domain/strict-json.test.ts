import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseStrictJson } from './strict-json.ts'

describe('strict JSON', () => {
  test('is JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        expect(parseStrictJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test.each([
    ['{"a":1,"a":2}', 'duplicate key "a"'],
    ['{"a":{"b":1,"b":1}}', 'duplicate key "b"'],
    ['[{"x":1},{"x":1,"\\u0078":2}]', 'duplicate key "x"'],
    ['['.repeat(65), 'nested deeper than 64 levels'],
    [`{${Array.from({ length: 100_001 }, (_, n) => `"${n}":0`).join()}}`, 'more than 100000 members'],
    [`[${'{},'.repeat(100_001)}0]`, 'more than 100000 members'],
  ])('refuses %#', (text, reason) => {
    expect(() => parseStrictJson(text)).toThrow(reason)
  })

  test('knows a key from a value, and one object from another', () => {
    expect(parseStrictJson('{"a":"a","b":["a","a"],"c":{"a":1}}')).toEqual({ a: 'a', b: ['a', 'a'], c: { a: 1 } })
  })

  test('survives 4 MiB of brackets', () => {
    expect(() => parseStrictJson('['.repeat(4 * 1024 * 1024))).toThrow(SyntaxError)
  })

  test('throws nothing but SyntaxErrors', () => {
    const text = fc.string({
      unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'a', '1', ' '),
      maxLength: 30,
    })
    fc.assert(
      fc.property(text, (json) => {
        try {
          parseStrictJson(json)
          return true
        } catch (thrown) {
          return thrown instanceof SyntaxError
        }
      }),
      { numRuns: 3000 },
    )
  })
})
