import { expect, test } from 'bun:test'
import { parseDigest } from '../domain/digest.ts'
import { ObjectNames } from './object-names.ts'

const hex = (n: number) => new Bun.CryptoHasher('sha256').update(String(n)).digest('hex')

test('every name that was added is found, however often, and no other one', () => {
  const names = new ObjectNames()
  for (const round of [1, 2, 3]) for (let n = 0; n < 5000; n += round) names.add(parseDigest(`sha256:${hex(n)}`))
  for (let n = 0; n < 5000; n++) expect(names.has(hex(n))).toBe(true)
  for (let n = 5000; n < 10_000; n++) expect(names.has(hex(n))).toBe(false)
})
