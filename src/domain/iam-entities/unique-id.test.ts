import { expect, test } from 'bun:test'
import { newAccessKeyId, newSecretAccessKey, newUniqueId, UNIQUE_ID_BYTES } from './unique-id.ts'

test("ids of entities are 21 characters of AWS's alphabet, and say what they are of", () => {
  const bytes = new Uint8Array(UNIQUE_ID_BYTES).fill(0xa5)
  for (const [kind, prefix] of [
    ['user', 'AIDA'],
    ['group', 'AGPA'],
    ['role', 'AROA'],
    ['policy', 'ANPA'],
  ] as const)
    expect(newUniqueId(kind, bytes)).toMatch(new RegExp(`^${prefix}[A-Z2-7]{17}$`))
})

test('access keys are 20 characters, their secrets 40', () => {
  expect(newAccessKeyId(new Uint8Array(10))).toBe(`AKIA${'A'.repeat(16)}`)
  expect(newAccessKeyId(new Uint8Array(10).fill(255))).toBe(`AKIA${'7'.repeat(16)}`)
  expect(newSecretAccessKey(new Uint8Array(30).fill(255))).toBe('/'.repeat(40))
})
