import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { RunningHash } from './hash-stream.ts'

const text = (value: string) => new TextEncoder().encode(value)
const reference = (algorithm: 'sha256' | 'sha512', ...parts: readonly string[]) =>
  `${algorithm}:${createHash(algorithm).update(parts.join('')).digest('hex')}`

async function* bodyOf(...parts: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield text(part)
}

describe('RunningHash', () => {
  for (const algorithm of ['sha256', 'sha512'] as const) {
    test(`${algorithm} agrees with node:crypto, over any division into chunks`, () => {
      const hash = new RunningHash(algorithm)
      expect<string>(hash.digest()).toBe(reference(algorithm))
      for (const part of ['a', '', 'bc', 'def']) hash.update(text(part))
      expect<string>(hash.digest()).toBe(reference(algorithm, 'abcdef'))
    })
  }

  test('is sha256 when nothing else is said', () => {
    expect(new RunningHash().algorithm).toBe('sha256')
  })

  test('goes on after it was asked', () => {
    const hash = new RunningHash()
    hash.update(text('one'))
    expect<string>(hash.digest()).toBe(reference('sha256', 'one'))
    expect<string>(hash.digest()).toBe(reference('sha256', 'one'))
    hash.update(text('two'))
    expect<string>(hash.digest()).toBe(reference('sha256', 'onetwo'))
  })

  test('counts bytes', () => {
    const hash = new RunningHash()
    expect(hash.sizeBytes).toBe(0)
    hash.update(text('four'))
    hash.update(new Uint8Array(3))
    expect(hash.sizeBytes).toBe(7)
  })

  test('passes a body on unchanged while hashing it', async () => {
    const hash = new RunningHash()
    const passed = await Array.fromAsync(hash.through(bodyOf('one', 'two')))
    expect(passed).toEqual([text('one'), text('two')])
    expect<string>(hash.digest()).toBe(reference('sha256', 'onetwo'))
  })

  test('lets the failure of a body pass and keeps what came before', async () => {
    const failure = new Error('connection reset')
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield text('one')
      throw failure
    }
    const hash = new RunningHash()
    await expect(Array.fromAsync(hash.through(failing()))).rejects.toBe(failure)
    expect(hash.sizeBytes).toBe(3)
    expect<string>(hash.digest()).toBe(reference('sha256', 'one'))
  })

  test('ends the body when its reader stops early', async () => {
    let hasEnded = false
    async function* watched(): AsyncGenerator<Uint8Array> {
      try {
        yield text('one')
        yield text('two')
      } finally {
        hasEnded = true
      }
    }
    for await (const _ of new RunningHash().through(watched())) break
    expect(hasEnded).toBe(true)
  })
})
