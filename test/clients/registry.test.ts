import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseChallenges } from '../../src/clients/challenge.ts'
import { RegistryClient, type RegistryClientSettings } from '../../src/clients/registry.ts'
import type { Login } from '../../src/clients/registry-auth.ts'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { noise, sha256 } from '../support/image-builder.ts'
import { type UpstreamOptions, UpstreamRegistry } from '../support/upstream-registry.ts'

const NAME = 'team/app'
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const MANIFEST = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST_TYPE, layers: [] }))
const BLOB = noise('blob', 3_000_000)
const DIGEST: Digest = parseDigest(sha256(BLOB))

let upstream: UpstreamRegistry
let clock: FakeClock
let pauses: number[]

beforeEach(async () => {
  clock = new FakeClock()
  pauses = []
  await begin()
})
afterEach(() => upstream.stop())

async function begin(options: UpstreamOptions = {}) {
  await upstream?.stop()
  upstream = await UpstreamRegistry.start(options)
  upstream.blobs.set(DIGEST, BLOB)
  upstream.add({ mediaType: MANIFEST_TYPE, bytes: MANIFEST, digest: '' }, NAME, 'v1')
}

const SETTINGS: RegistryClientSettings = {
  allowsPrivateAddresses: true,
  allowsHttp: true,
  answerMs: 2000,
  stallMs: 2000,
  attempts: 3,
  waitMsMax: 10_000,
  pause: async (ms) => void pauses.push(ms),
  random: () => 0.5,
}

const client = (login?: Login, change: Partial<RegistryClientSettings> = {}) =>
  new RegistryClient(upstream.url, async () => login, { ...SETTINGS, ...change }, clock)
const withCode = (code: string) => expect.objectContaining({ code })

async function read(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks)
}

const pullBlob = async (from: RegistryClient, sizeBytes?: number) =>
  read((await from.openBlob(NAME, DIGEST, { sizeBytes })).bytes())

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

describe('challenges', () => {
  test('are read with their parameters, quoted or not', () => {
    const header =
      'Negotiate, Bearer realm="https://a/t?x=1,2",service=reg , scope="repository:a/b:pull,push", Basic realm="x \\"y\\""'
    expect(parseChallenges(header)).toEqual([
      {
        scheme: 'bearer',
        parameters: { realm: 'https://a/t?x=1,2', service: 'reg', scope: 'repository:a/b:pull,push' },
      },
      { scheme: 'basic', parameters: { realm: 'x "y"' } },
    ])
    expect(parseChallenges('')).toEqual([])
    expect(parseChallenges('Bearer')).toEqual([{ scheme: 'bearer', parameters: {} }])
    expect(parseChallenges('"=,=')).toEqual([])
  })
})

describe('who one is', () => {
  test('anonymous: nothing is sent', async () => {
    await client().ping()
    expect(upstream.authorizations).toEqual([undefined])
  })

  test('Basic: sent once it is asked for, and with every request from then on', async () => {
    await begin({ auth: 'basic' })
    const here = client({ username: 'user', password: 'secret' })
    await here.ping()
    await here.headManifest(NAME, 'v1')
    expect(upstream.authorizations.map((one) => one !== undefined)).toEqual([false, true, true])
    expect(client({ username: 'user', password: 'wrong' }).ping()).rejects.toEqual(withCode('upstream-denied'))
    expect(client().ping()).rejects.toEqual(withCode('upstream-denied'))
  })

  test('Basic: a password that has run out, is replaced by another; one that is only not allowed something is not', async () => {
    await begin({ auth: 'basic', username: 'AWS', password: 'new' })
    let password = 'old'
    upstream.fault = ({ headers }, response) => {
      if (headers.authorization !== `Basic ${Buffer.from('AWS:old').toString('base64')}`) return false
      response.writeHead(403).end()
      return true
    }
    const here = new RegistryClient(
      upstream.url,
      async (isRefused) => {
        if (isRefused) password = 'new'
        return { username: 'AWS', password }
      },
      SETTINGS,
      clock,
    )
    expect((await here.headManifest(NAME, 'v1')).mediaType).toBe(MANIFEST_TYPE)
    const before = upstream.asked.length
    upstream.fault = ({ path }, response) => {
      if (path === '/v2/') return false
      response.writeHead(403).end()
      return true
    }
    await expect(here.headManifest(NAME, 'v1')).rejects.toEqual(withCode('upstream-denied'))
    expect(upstream.asked.slice(before)).toEqual([`HEAD /v2/${NAME}/manifests/v1`, 'GET /v2/'])
  })

  test('Bearer: a token for each scope, fetched once, again when it has expired', async () => {
    await begin({ auth: 'bearer', username: 'me', password: 'secret' })
    const here = client({ username: 'me', password: 'secret' })
    await here.headManifest(NAME, 'v1')
    await here.headManifest(NAME, 'v1')
    expect(upstream.asked).toEqual([
      `HEAD /v2/${NAME}/manifests/v1`,
      `GET /token?service=up&scope=repository%3Ateam%2Fapp%3Apull&account=me`,
      `HEAD /v2/${NAME}/manifests/v1`,
      `HEAD /v2/${NAME}/manifests/v1`,
    ])
    clock.advance(296_000)
    await here.headManifest(NAME, 'v1')
    expect(upstream.count('GET /token')).toBe(2)
    expect(client({ username: 'me', password: 'no' }).ping()).rejects.toEqual(withCode('upstream-denied'))
  })

  test('a token service without an address is nobody to tell anything', async () => {
    upstream.fault = (_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="::not an address::"' }).end()
      return true
    }
    expect(client().ping()).rejects.toEqual(withCode('upstream-wrong'))
  })

  test('a redirect to another host is followed without secrets', async () => {
    await begin({ auth: 'basic' })
    const cdn = await UpstreamRegistry.start()
    cdn.blobs.set(DIGEST, BLOB)
    upstream.fault = ({ path, headers }, response) => {
      if (!path.includes('/blobs/') || headers.authorization === undefined) return false
      response.writeHead(307, { location: new URL(path, cdn.url).href }).end()
      return true
    }
    expect(await pullBlob(client({ username: 'user', password: 'secret' }))).toEqual(BLOB)
    expect(cdn.authorizations).toEqual([undefined])
    await cdn.stop()
  })

  test('addresses of the own network are asked only if that is allowed, redirects included', async () => {
    expect(client(undefined, { allowsPrivateAddresses: false }).ping()).rejects.toEqual(withCode('upstream-denied'))
    expect(client(undefined, { allowsHttp: false }).ping()).rejects.toEqual(withCode('upstream-denied'))
    expect(upstream.asked).toEqual([])
  })
})

describe('manifests', () => {
  test('come as they are, with the digest of their bytes', async () => {
    const { bytes, digest, mediaType } = await client().getManifest(NAME, 'v1')
    expect([Buffer.from(bytes), digest as string, mediaType]).toEqual([MANIFEST, sha256(MANIFEST), MANIFEST_TYPE])
    expect((await client().headManifest(NAME, 'v1')).digest as string).toBe(sha256(MANIFEST))
    expect(client().getManifest(NAME, 'v2')).rejects.toEqual(withCode('upstream-not-found'))
  })

  test('of other bytes than their digest says are refused', async () => {
    upstream.manifests.set(`${NAME}@${sha256(MANIFEST)}`, { mediaType: MANIFEST_TYPE, bytes: Buffer.from('{}') })
    for (const reference of ['v1', sha256(MANIFEST)])
      expect(client().getManifest(NAME, reference)).rejects.toEqual(withCode('upstream-wrong'))
  })

  test('without end are refused', async () => {
    upstream.fault = (_, response) => {
      response.writeHead(200).end(Buffer.alloc(4 * 1024 * 1024 + 1))
      return true
    }
    expect(client().getManifest(NAME, 'v1')).rejects.toEqual(withCode('upstream-wrong'))
  })

  test('are put', async () => {
    await client().putManifest('other', 'v2', MANIFEST, MANIFEST_TYPE)
    expect(upstream.tags.get('other:v2')).toBe(sha256(MANIFEST))
  })
})

describe('what goes wrong', () => {
  const failing = (times: number, status: number, headers: Record<string, string> = {}) => {
    let left = times
    upstream.fault = (_, response) => {
      if (left-- <= 0) return false
      response.writeHead(status, headers).end()
      return true
    }
  }

  test('is tried again with growing rests, as long as it may pass', async () => {
    failing(2, 503)
    await client().headManifest(NAME, 'v1')
    expect(pauses).toEqual([250, 500])
    failing(3, 500)
    expect(client().headManifest(NAME, 'v1')).rejects.toEqual(withCode('upstream-unavailable'))
  })

  test('rests as long as it is asked to', async () => {
    failing(1, 429, { 'retry-after': '7' })
    await client().headManifest(NAME, 'v1')
    expect(pauses).toEqual([7000])
  })

  test('is left alone for a while that is too long to wait for', async () => {
    failing(9, 429, { 'retry-after': '120' })
    const error = await client()
      .headManifest(NAME, 'v1')
      .catch((thrown) => thrown)
    expect(error).toMatchObject({ code: 'upstream-rate-limited', details: { retryAfterMs: 120_000 } })
    expect(upstream.asked.length).toBe(1)
  })

  test('what is refused stays so', async () => {
    failing(1, 403)
    expect(client().ping()).rejects.toEqual(withCode('upstream-denied'))
    expect(upstream.asked.length).toBe(1)
  })

  test('no answer at all ends in time', async () => {
    upstream.fault = () => true
    const hasty = client(undefined, { answerMs: 50, attempts: 2 })
    expect(hasty.ping()).rejects.toEqual(withCode('upstream-unavailable'))
    await hasty.ping().catch(() => undefined)
    expect(pauses.length).toBeGreaterThan(0)
  })

  test('a host that is not there is unavailable', async () => {
    const { url } = upstream
    await upstream.stop()
    const gone = new RegistryClient(url, async () => undefined, SETTINGS, clock)
    expect(gone.ping()).rejects.toEqual(withCode('upstream-unavailable'))
    upstream = await UpstreamRegistry.start()
  })

  test('whoever waits may leave', async () => {
    upstream.fault = () => true
    const leave = new AbortController()
    const asked = client().openBlob(NAME, DIGEST, { signal: leave.signal })
    leave.abort(new Error('gone'))
    expect(asked).rejects.toThrow('gone')
  })
})

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
    expect(pullBlob(client())).rejects.toEqual(withCode('upstream-unavailable'))
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
    expect(reading()).rejects.toEqual(withCode('upstream-wrong'))
    await reading().catch(() => undefined)
    expect(Buffer.concat(received).length).toBeLessThan(BLOB.length)
  })

  test('of another size are refused', async () => {
    expect(pullBlob(client(), 17)).rejects.toEqual(withCode('upstream-wrong'))
  })

  test('that are only begun leave no connection behind', async () => {
    const download = await client().openBlob(NAME, DIGEST)
    download.discard()
    for await (const _ of (await client().openBlob(NAME, DIGEST)).bytes()) break
    await upstream.stop()
    upstream = await UpstreamRegistry.start()
  })
})

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
    expect(await client().pushBlob(NAME, DIGEST, source(BLOB), 'other')).toBe('mounted')
    expect(await client().pushBlob(NAME, NEW_DIGEST, source(NEW), 'other')).toBe('uploaded')
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
    client(undefined, change).pushBlob(NAME, NEW_DIGEST, source, undefined, undefined, notes)

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

describe('deletions', () => {
  test('of what is not there are fine', async () => {
    await client().deleteManifest(NAME, 'gone')
    expect(upstream.asked.at(-1)).toBe(`DELETE /v2/${NAME}/manifests/gone`)
  })
})

describe('lists', () => {
  test('of tags go page by page', async () => {
    for (const tag of ['v2', 'v3', 'v4', 'v5']) upstream.tags.set(`${NAME}:${tag}`, sha256(MANIFEST))
    const first = await client().listTags(NAME, undefined, 2)
    expect(first.tags).toEqual(['v1', 'v2'])
    const second = await client().listTags(NAME, first.next)
    expect([second.tags, second.next !== undefined]).toEqual([['v3', 'v4'], true])
    expect((await client().listTags(NAME, second.next)).next).toBeUndefined()
  })

  test('of referrers, empty where nobody knows any', async () => {
    const subject = { mediaType: MANIFEST_TYPE, digest: sha256(MANIFEST), size: MANIFEST.length }
    const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, artifactType: 'application/x', layers: [], subject }))
    const digest = upstream.add({ mediaType: MANIFEST_TYPE, bytes, digest: '' }, NAME)
    const of = parseDigest(sha256(MANIFEST))
    expect((await client().listReferrers(NAME, of)).map((one) => one.digest)).toEqual([digest])
    expect(await client().listReferrers(NAME, of, 'application/y')).toEqual([])
    await begin({ hasReferrers: false })
    expect(await client().listReferrers(NAME, of)).toEqual([])
  })
})
