import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseDigest } from '../../src/domain/digest.ts'
import { sha256 } from '../support/image-builder.ts'
import { BLOB, DIGEST, NAME, pullBlob, RegistryClientFixture, withCode } from '../support/registry-client-fixture.ts'
import { type UpstreamOptions, UpstreamRegistry } from '../support/upstream-registry.ts'

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

/** Answers the first `times` downloads with a part of what they want. */
function breakOff(times: number, bytes = 100_000) {
  let left = times
  upstream.fault = ({ method, path, headers }, response) => {
    if (method !== 'GET' || !path.includes('/blobs/') || left-- <= 0) return false
    const from = Number(/(\d+)/.exec(headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from === 0 ? 200 : 206, {
      'content-length': String(BLOB.length - from),
      ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${BLOB.length - 1}/${BLOB.length}` }),
    })
    response.write(BLOB.subarray(from, from + bytes), () => response.destroy())
    return true
  }
}

describe('blobs', () => {
  test('come whole', async () => {
    expect(await pullBlob(client())).toEqual(BLOB)
    expect(await client().findBlob(NAME, DIGEST)).toEqual({ sizeBytes: BLOB.length })
    expect(await client().findBlob(NAME, parseDigest(sha256('x')))).toBeUndefined()
  })

  test('are taken up where the connection broke, as long as bytes come', async () => {
    breakOff(10)
    expect(await pullBlob(client())).toEqual(BLOB)
    expect(upstream.count('GET')).toBe(11)
    breakOff(Number.POSITIVE_INFINITY, 0)
    await expect(pullBlob(client())).rejects.toEqual(withCode('upstream-unavailable'))
  })

  test('are taken up from a registry that knows no ranges', async () => {
    let hasBroken = false
    upstream.fault = ({ path }, response) => {
      if (!path.includes('/blobs/')) return false
      response.writeHead(200, { 'content-length': String(BLOB.length) })
      if (hasBroken) response.end(BLOB)
      else response.write(BLOB.subarray(0, 70_000), () => response.destroy())
      hasBroken = true
      return true
    }
    expect(await pullBlob(client())).toEqual(BLOB)
  })

  test('that stand still are taken up as well', async () => {
    let isFirst = true
    upstream.fault = ({ path }, response) => {
      if (!path.includes('/blobs/') || !isFirst) return false
      isFirst = false
      response.writeHead(200, { 'content-length': String(BLOB.length) })
      response.write(BLOB.subarray(0, 70_000))
      return true
    }
    expect(await pullBlob(client(undefined, { stallMs: 50 }))).toEqual(BLOB)
  })

  test('of other bytes never come whole', async () => {
    const other = Buffer.from(BLOB)
    other[other.length - 1] = (other.at(-1) ?? 0) ^ 1
    upstream.blobs.set(DIGEST, other)
    const received: Uint8Array[] = []
    const download = await client().openBlob(NAME, DIGEST)
    const reading = async () => {
      for await (const chunk of download.bytes()) received.push(chunk)
    }
    await expect(reading()).rejects.toEqual(withCode('upstream-wrong'))
    await reading().catch(() => undefined)
    expect(Buffer.concat(received).length).toBeLessThan(BLOB.length)
  })

  test('of another size are refused', async () => {
    await expect(pullBlob(client(), 17)).rejects.toEqual(withCode('upstream-wrong'))
  })

  test('that are only begun leave no connection behind', async () => {
    const download = await client().openBlob(NAME, DIGEST)
    download.discard()
    for await (const _ of (await client().openBlob(NAME, DIGEST)).bytes()) break
    await upstream.stop()
    upstream = await UpstreamRegistry.start()
  })
})
