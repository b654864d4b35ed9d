import { expect, test } from 'bun:test'
import { type Compression, decompressed } from './decompressed.ts'
import { compressionByName, packed } from './packed.ts'

async function* pieces(count: number) {
  for (let n = 0; n < count; n++) yield Buffer.from(`piece ${n} `.repeat(1000))
}

async function whole(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

for (const compression of ['none', 'gzip', 'zstd'] as const)
  test(`what is packed is unpacked again: ${compression}`, async () => {
    const expected = await whole(pieces(50))
    expect((await whole(decompressed(packed(pieces(50), compression), compression))).equals(expected)).toBe(true)
    const { length } = await whole(packed(pieces(50), compression))
    if (compression !== 'none') expect(length).toBeLessThan(expected.length / 10)
  })

for (const compression of ['gzip', 'zstd'] as const)
  test(`a source that fails is heard of, and one that is left is ended: ${compression}`, async () => {
    async function* failing() {
      yield Buffer.alloc(10)
      throw new Error('lost')
    }
    await expect(whole(packed(failing(), compression))).rejects.toThrow('lost')
    let isEnded = false
    async function* endless() {
      try {
        for (;;) yield Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))
      } finally {
        isEnded = true
      }
    }
    for await (const _ of packed(endless(), compression)) break
    for (let n = 0; n < 100 && !isEnded; n++) await new Promise((resolve) => setImmediate(resolve))
    expect(isEnded).toBe(true)
  })

test('the name of an archive says how it is packed', () => {
  const names: Readonly<Record<string, Compression | undefined>> = {
    'a.tar': 'none',
    '/b/a.tar.gz': 'gzip',
    'a.tgz': 'gzip',
    'a.tar.zst': 'zstd',
    a: undefined,
    'tar.gz/a': undefined,
  }
  for (const [name, compression] of Object.entries(names)) expect(compressionByName(name)).toBe(compression)
})
