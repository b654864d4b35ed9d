import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { RegistryClientSettings } from '../../src/clients/registry.ts'
import { parseDigest } from '../../src/domain/digest.ts'
import { noise, sha256 } from '../support/image-builder.ts'
import { BLOB, DIGEST, NAME, RegistryClientFixture, withCode } from '../support/registry-client-fixture.ts'
import type { UpstreamOptions, UpstreamRegistry } from '../support/upstream-registry.ts'

let upstream: UpstreamRegistry
let client: RegistryClientFixture['client']

async function begin(options?: UpstreamOptions): Promise<void> {
  await upstream?.stop()
  const fixture = await RegistryClientFixture.begin(options)
  upstream = fixture.upstream
  client = (...how) => fixture.client(...how)
}

beforeEach(() => begin())
afterEach(() => upstream.stop())

describe('uploads', () => {
  const source = (bytes: Buffer) => ({
    sizeBytes: bytes.length,
    async *read(from: number) {
      for (let at = from; at < bytes.length; at += 64 * 1024) yield bytes.subarray(at, at + 64 * 1024)
    },
  })
  const NEW = noise('new', 2_500_000)
  const NEW_DIGEST = parseDigest(sha256(NEW))

  test('go in one stream, or in one request when they are small', async () => {
    await begin({ auth: 'bearer', password: 'secret', username: 'me' })
    const here = client({ username: 'me', password: 'secret' })
    expect(await here.pushBlob(NAME, NEW_DIGEST, source(NEW))).toBe('uploaded')
    expect(upstream.blobs.get(NEW_DIGEST)).toEqual(NEW)
    expect(await here.pushBlob(NAME, NEW_DIGEST, source(NEW))).toBe('present')
    const small = Buffer.from('small')
    expect(await here.pushBlob(NAME, parseDigest(sha256(small)), source(small))).toBe('uploaded')
    expect(await here.pushBlob(NAME, parseDigest(sha256('')), source(Buffer.alloc(0)))).toBe('uploaded')
  })

  test('are mounted where that works', async () => {
    upstream.fault = ({ method, path }, response) => {
      if (method !== 'HEAD' || !path.includes('/blobs/')) return false
      response.writeHead(404).end()
      return true
    }
    expect(await client().pushBlob(NAME, DIGEST, source(BLOB), { mountFrom: 'other' })).toBe('mounted')
    expect(await client().pushBlob(NAME, NEW_DIGEST, source(NEW), { mountFrom: 'other' })).toBe('uploaded')
  })

  test('are taken up where the other side lost them', async () => {
    let isFirst = true
    const from: number[] = []
    upstream.fault = ({ method }, response) => {
      if (method !== 'PATCH' || !isFirst) return false
      isFirst = false
      setTimeout(() => response.destroy(), 20)
      return false
    }
    const slow = {
      sizeBytes: NEW.length,
      async *read(at: number) {
        from.push(at)
        for (const chunk of [NEW.subarray(at, 1_000_000), NEW.subarray(Math.max(at, 1_000_000))]) {
          yield chunk
          if (from.length === 1) await new Promise((resolve) => setTimeout(resolve, 60))
        }
      },
    }
    expect(await client().pushBlob(NAME, NEW_DIGEST, slow)).toBe('uploaded')
    expect(upstream.blobs.get(NEW_DIGEST)).toEqual(NEW)
    expect(from.length).toBe(2)
  })
})

describe('uploads with notes', () => {
  const NEW = noise('noted', 4_000_000)
  const NEW_DIGEST = parseDigest(sha256(NEW))
  let from: number[]
  const source = {
    sizeBytes: NEW.length,
    async *read(at: number) {
      from.push(at)
      for (let begin = at; begin < NEW.length; begin += 256 * 1024)
        yield Buffer.from(NEW.subarray(begin, begin + 256 * 1024))
    },
  }
  let noted: string | undefined
  const notes = {
    find: async () => noted,
    keep: async (location: string) => {
      noted = location
    },
    forget: async () => {
      noted = undefined
    },
  }
  const pushNew = (change: Partial<RegistryClientSettings> = { attempts: 1 }) =>
    client(undefined, change).pushBlob(NAME, NEW_DIGEST, source, { notes })

  beforeEach(() => {
    from = []
    noted = undefined
  })

  /** The first PATCH arrives, and its answer does not. */
  function loseAnswer() {
    let isFirst = true
    upstream.fault = ({ method }, response) => {
      if (method !== 'PATCH' || !isFirst) return false
      isFirst = false
      response.writeHead = () => response.destroy()
      return false
    }
  }

  test('are taken up by a later call, which sends only what is missing', async () => {
    loseAnswer()
    await expect(pushNew()).rejects.toEqual(withCode('upstream-unavailable'))
    expect(noted).toContain('/blobs/uploads/')
    expect(await pushNew()).toBe('uploaded')
    expect(upstream.blobs.get(NEW_DIGEST)).toEqual(NEW)
    expect([from, noted]).toEqual([[0], undefined])
  })

  test('begin anew where the other side has forgotten them, or is another by now', async () => {
    for (const old of [
      new URL(`/v2/${NAME}/blobs/uploads/none?state=a%2Bb`, upstream.url).href,
      'http://127.0.0.1:9/x',
    ]) {
      upstream.blobs.delete(NEW_DIGEST)
      noted = old
      expect(await pushNew()).toBe('uploaded')
    }
    expect(from).toEqual([0, 0])
  })

  test('that turn out wrong in the end are not taken up again', async () => {
    let isFirst = true
    upstream.fault = ({ method }, response) => {
      if (method !== 'PUT' || !isFirst) return false
      isFirst = false
      response.writeHead(400).end()
      return true
    }
    await expect(pushNew()).rejects.toEqual(withCode('upstream-wrong'))
    expect(noted).toBeUndefined()
    expect(await pushNew()).toBe('uploaded')
    expect(from).toEqual([0, 0])
  })

  test('whose source fails fail for that, and not for the other side', async () => {
    const broken = {
      sizeBytes: NEW.length,
      async *read() {
        yield Buffer.from(NEW.subarray(0, 1000))
        throw new Error('EIO')
      },
    }
    await expect(client().pushBlob(NAME, NEW_DIGEST, broken)).rejects.toThrow('EIO')
  })
})
