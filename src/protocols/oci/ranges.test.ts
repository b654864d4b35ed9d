import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isRegistryError } from '../../domain/errors.ts'
import { parsePartRange, parseRange, receivedRange } from './ranges.ts'

describe('Range of a download', () => {
  test.each([
    [null, 10, 'whole'],
    ['bytes=0-3', 10, { first: 0, last: 3 }],
    ['bytes=3-', 10, { first: 3, last: 9 }],
    ['bytes=-3', 10, { first: 7, last: 9 }],
    ['bytes=-30', 10, { first: 0, last: 9 }],
    ['bytes=8-99999999999999999999999', 10, { first: 8, last: 9 }],
    ['Bytes=1-1', 10, { first: 1, last: 1 }],
    ['bytes=9-9', 10, { first: 9, last: 9 }],
    ['bytes=10-', 10, 'unsatisfiable'],
    ['bytes=10-12', 10, 'unsatisfiable'],
    ['bytes=5-2', 10, 'unsatisfiable'],
    ['bytes=-0', 10, 'unsatisfiable'],
    ['bytes=99999999999999999999999-', 10, 'unsatisfiable'],
    ['bytes=0-1,4-5', 10, 'whole'],
    ['bytes=-', 10, 'whole'],
    ['bytes=', 10, 'whole'],
    ['bytes=a-b', 10, 'whole'],
    ['bytes=+1-2', 10, 'whole'],
    ['items=0-3', 10, 'whole'],
    ['', 10, 'whole'],
    ['bytes=0-', 0, 'whole'],
    ['bytes=5-9', 0, 'whole'],
  ] as const)('%p of %p bytes', (header, sizeBytes, expected) => {
    expect(parseRange(header, sizeBytes)).toEqual(expected)
  })

  test('whatever the header says, the range lies within the blob', () => {
    const digits = fc.stringMatching(/^[0-9]{0,20}$/)
    const header = fc.oneof(
      fc.string(),
      fc.tuple(digits, digits).map(([from, to]) => `bytes=${from}-${to}`),
    )
    fc.assert(
      fc.property(header, fc.nat(5000), (text, sizeBytes) => {
        const range = parseRange(text, sizeBytes)
        if (typeof range === 'string') return
        expect(range.first).toBeGreaterThanOrEqual(0)
        expect(range.last).toBeGreaterThanOrEqual(range.first)
        expect(range.last).toBeLessThan(sizeBytes)
      }),
    )
  })
})

describe('Content-Range of a part', () => {
  test.each([
    [null, undefined, undefined],
    ['0-9', 10, { firstByte: 0, lengthBytes: 10 }],
    ['5-9', undefined, { firstByte: 5, lengthBytes: 5 }],
    ['bytes 5-9/10', 5, { firstByte: 5, lengthBytes: 5 }],
    ['bytes=5-9', 5, { firstByte: 5, lengthBytes: 5 }],
    ['bytes 5-9/*', 5, { firstByte: 5, lengthBytes: 5 }],
  ] as const)('%p with a body of %p bytes', (header, contentLength, expected) => {
    expect(parsePartRange(header, contentLength)).toEqual(expected)
  })

  test.each([
    ['9-5', undefined],
    ['0-9', 11],
    ['0-9', 0],
    ['-9', undefined],
    ['0-', undefined],
    ['0-99999999999999999999', undefined],
    ['', undefined],
    ['abc', undefined],
  ])('%p with a body of %p bytes is refused', (header, contentLength) => {
    expect(() => parsePartRange(header, contentLength)).toThrow(expect.objectContaining({ code: 'request-malformed' }))
  })

  test('any text is read or refused', () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.nat(), { nil: undefined }), (header, contentLength) => {
        try {
          parsePartRange(header, contentLength)
        } catch (thrown) {
          expect(isRegistryError(thrown, 'request-malformed')).toBe(true)
        }
      }),
    )
  })
})

test('an upload says what it holds, and 0-0 when it is empty', () => {
  expect([0, 1, 2, 4096].map(receivedRange)).toEqual(['0-0', '0-0', '0-1', '0-4095'])
})
