import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { digestAlgorithm, digestHex, parseDigest, tryParseDigest } from './digest.ts'
import { isRegistryError } from './errors.ts'

const HEX = 'a'.repeat(64)

describe('a digest', () => {
  test('is an algorithm and its hex', () => {
    const digest = parseDigest(`sha256:${HEX}`)
    expect(digestAlgorithm(digest)).toBe('sha256')
    expect(digestHex(digest)).toBe(HEX)
    expect(digestAlgorithm(parseDigest(`sha512:${HEX}${HEX}`))).toBe('sha512')
  })

  test.each([
    '',
    'sha256:',
    HEX,
    `sha256:${HEX}0`,
    `sha256:${HEX.slice(1)}`,
    `sha256:${HEX.toUpperCase()}`,
    `sha512:${HEX}`,
    `md5:${'a'.repeat(32)}`,
    `sha256:${HEX}\n`,
    ` sha256:${HEX}`,
    `sha256:../${HEX.slice(3)}`,
  ])('is not %p', (text) => {
    expect(tryParseDigest(text)).toBeUndefined()
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'digest-invalid' }))
  })

  test('parsing any text ends in a digest or in the one error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          return parseDigest(text) === text
        } catch (thrown) {
          return isRegistryError(thrown, 'digest-invalid')
        }
      }),
    )
  })
})
