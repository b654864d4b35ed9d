import { expect, test } from 'bun:test'
import { parsePaxRecords, parseTarHeader } from './tar-header.ts'
import { padding, tarHeader } from './tar-writer.ts'

test('a header says what was said to it', () => {
  expect(parseTarHeader(tarHeader('blobs/sha256/abc', 1234))).toMatchObject({
    path: 'blobs/sha256/abc',
    sizeBytes: 1234,
    mode: 0o644,
    flag: '0',
  })
})

for (const [path, sizeBytes] of [
  [`blobs/sha512/${'a'.repeat(128)}`, 5],
  ['large', 10 * 1024 ** 3],
  [`${'n'.repeat(85)}/ü${'x'.repeat(20)}`, 2 ** 40],
] as const)
  test(`what has no room in it stands before it: ${path.slice(0, 20)}… of ${sizeBytes} bytes`, () => {
    const header = tarHeader(path, sizeBytes)
    expect(header.byteLength).toBe(3 * 512)
    const extension = parseTarHeader(header.subarray(0, 512))
    expect(extension?.flag).toBe('x')
    const records = parsePaxRecords(header.subarray(512, 512 + (extension?.sizeBytes ?? 0)))
    expect(Object.fromEntries(records)).toEqual({ path, size: String(sizeBytes) })
    expect(parseTarHeader(header.subarray(1024))?.flag).toBe('0')
  })

test('a last block is filled, a full one is not', () => {
  expect([0, 1, 511, 512, 513].map((size) => padding(size).byteLength)).toEqual([0, 511, 1, 0, 511])
})
