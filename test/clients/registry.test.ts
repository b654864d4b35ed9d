import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseChallenges } from '../../src/clients/challenge.ts'
import { RegistryClient, type RegistryClientSettings } from '../../src/clients/registry.ts'
import { parseDigest } from '../../src/domain/digest.ts'
import type { FakeClock } from '../support/fake-clock.ts'
import { sha256 } from '../support/image-builder.ts'
import {
  BLOB,
  DIGEST,
  MANIFEST,
  MANIFEST_TYPE,
  NAME,
  pullBlob,
  RegistryClientFixture,
  withCode,
} from '../support/registry-client-fixture.ts'
import { type UpstreamOptions, UpstreamRegistry } from '../support/upstream-registry.ts'

let upstream: UpstreamRegistry
let clock: FakeClock
let pauses: readonly number[]
let settings: RegistryClientSettings
let client: RegistryClientFixture['client']

async function begin(options?: UpstreamOptions): Promise<void> {
  await upstream?.stop()
  const fixture = await RegistryClientFixture.begin(options)
  ;({ upstream, clock, pauses, settings } = fixture)
  client = (...how) => fixture.client(...how)
}

beforeEach(() => begin())
afterEach(() => upstream.stop())

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
    await expect(client({ username: 'user', password: 'wrong' }).ping()).rejects.toEqual(withCode('upstream-denied'))
    await expect(client().ping()).rejects.toEqual(withCode('upstream-denied'))
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
      settings,
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
    await expect(client({ username: 'me', password: 'no' }).ping()).rejects.toEqual(withCode('upstream-denied'))
  })

  test('a token service without an address is nobody to tell anything', async () => {
    upstream.fault = (_, response) => {
      response.writeHead(401, { 'www-authenticate': 'Bearer realm="::not an address::"' }).end()
      return true
    }
    await expect(client().ping()).rejects.toEqual(withCode('upstream-wrong'))
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
    await expect(client(undefined, { allowsPrivateAddresses: false }).ping()).rejects.toEqual(
      withCode('upstream-denied'),
    )
    await expect(client(undefined, { allowsHttp: false }).ping()).rejects.toEqual(withCode('upstream-denied'))
    expect(upstream.asked).toEqual([])
  })
})

describe('manifests', () => {
  test('come as they are, with the digest of their bytes', async () => {
    const { bytes, digest, mediaType } = await client().getManifest(NAME, 'v1')
    expect([Buffer.from(bytes), digest as string, mediaType]).toEqual([MANIFEST, sha256(MANIFEST), MANIFEST_TYPE])
    expect((await client().headManifest(NAME, 'v1')).digest as string).toBe(sha256(MANIFEST))
    await expect(client().getManifest(NAME, 'v2')).rejects.toEqual(withCode('upstream-not-found'))
  })

  test('of other bytes than their digest says are refused', async () => {
    upstream.manifests.set(`${NAME}@${sha256(MANIFEST)}`, { mediaType: MANIFEST_TYPE, bytes: Buffer.from('{}') })
    for (const reference of ['v1', sha256(MANIFEST)])
      await expect(client().getManifest(NAME, reference)).rejects.toEqual(withCode('upstream-wrong'))
  })

  test('without end are refused', async () => {
    upstream.fault = (_, response) => {
      response.writeHead(200).end(Buffer.alloc(4 * 1024 * 1024 + 1))
      return true
    }
    await expect(client().getManifest(NAME, 'v1')).rejects.toEqual(withCode('upstream-wrong'))
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
    await expect(client().headManifest(NAME, 'v1')).rejects.toEqual(withCode('upstream-unavailable'))
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
    await expect(client().ping()).rejects.toEqual(withCode('upstream-denied'))
    expect(upstream.asked.length).toBe(1)
  })

  test('no answer at all ends in time', async () => {
    upstream.fault = () => true
    const hasty = client(undefined, { answerMs: 50, attempts: 2 })
    await expect(hasty.ping()).rejects.toEqual(withCode('upstream-unavailable'))
    await hasty.ping().catch(() => undefined)
    expect(pauses.length).toBeGreaterThan(0)
  })

  test('a host that is not there is unavailable', async () => {
    const { url } = upstream
    await upstream.stop()
    const gone = new RegistryClient(url, async () => undefined, settings, clock)
    await expect(gone.ping()).rejects.toEqual(withCode('upstream-unavailable'))
    upstream = await UpstreamRegistry.start()
  })

  test('whoever waits may leave', async () => {
    upstream.fault = () => true
    const leave = new AbortController()
    const asked = client().openBlob(NAME, DIGEST, { signal: leave.signal })
    leave.abort(new Error('gone'))
    await expect(asked).rejects.toThrow('gone')
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
