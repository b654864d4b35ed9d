import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { MasterKey, openText, SealBroken, sealText } from './master-key.ts'

const bytes = (fill: number) => new Uint8Array(32).fill(fill)
const key = new MasterKey(bytes(1))
const secret = new TextEncoder().encode('a secret')

describe('a master key', () => {
  test('opens what it sealed, and only for what it was sealed', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.string(), fc.string(), (plaintext, context, other) => {
        const sealed = key.seal(plaintext, context)
        expect(key.open(sealed, context)).toEqual(plaintext)
        if (other !== context) expect(() => key.open(sealed, other)).toThrow(SealBroken)
      }),
      { numRuns: 100 },
    )
  })

  test('notices every changed bit', () => {
    const sealed = key.seal(secret, 'context')
    for (let index = 0; index < sealed.length * 8; index++) {
      const changed = sealed.slice()
      const at = index >> 3
      changed[at] = (changed[at] ?? 0) ^ (1 << (index & 7))
      expect(() => key.open(changed, 'context')).toThrow(SealBroken)
    }
    for (let length = 0; length < sealed.length; length++)
      expect(() => key.open(sealed.subarray(0, length), 'context')).toThrow(SealBroken)
  })

  test('seals the same secret differently each time, and shows nothing of it', () => {
    const [one, other] = [key.seal(secret, 'context'), key.seal(secret, 'context')]
    expect(one).not.toEqual(other)
    expect(Buffer.from(one).includes(Buffer.from(secret))).toBe(false)
  })

  test('of several keys the first seals, and each opens what it sealed', () => {
    const rotated = new MasterKey(bytes(2), bytes(1))
    const old = key.seal(secret, 'context')
    expect(rotated.open(old, 'context')).toEqual(secret)
    expect(rotated.isCurrent(old)).toBe(false)
    const fresh = rotated.seal(secret, 'context')
    expect(rotated.isCurrent(fresh)).toBe(true)
    expect(() => key.open(fresh, 'context')).toThrow(`It was sealed with the key ${rotated.id}, which is not at hand`)
    expect(rotated.id).toBe(new MasterKey(bytes(2)).id)
    expect(rotated.id).not.toBe(key.id)
  })

  test('has 32 bytes', () => {
    expect(() => new MasterKey(new Uint8Array(31))).toThrow('A master key has 32 bytes')
  })

  test('seals texts as base64', () => {
    const sealed = sealText(key, 'Grüße', 'context')
    expect(sealed).toMatch(/^[A-Za-z0-9+/]+=*$/)
    expect(openText(key, sealed, 'context')).toBe('Grüße')
  })
})
