import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { IssuerKeys } from '../../src/clients/issuer-keys.ts'
import { type PublicFetchSettings, publicFetch } from '../../src/clients/public-fetch.ts'
import { FakeClock } from '../support/fake-clock.ts'

const KEY = { kty: 'EC', crv: 'P-256', kid: 'one', x: 'x', y: 'y' }

let server: ReturnType<typeof Bun.serve>
let answers: Record<string, (request: Request) => Response | Promise<Response>>
let asked: string[]
let clock: FakeClock
let issuer: string

beforeEach(() => {
  asked = []
  clock = new FakeClock()
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: (request) => {
      const { pathname } = new URL(request.url)
      asked.push(pathname)
      return answers[pathname]?.(request) ?? new Response('', { status: 404 })
    },
  })
  issuer = `http://127.0.0.1:${server.port}`
  answers = {
    '/.well-known/openid-configuration': () => Response.json({ issuer, jwks_uri: `${issuer}/keys` }),
    '/keys': () => Response.json({ keys: [KEY] }),
  }
})
afterEach(() => server.stop(true))

const LOCAL: PublicFetchSettings = { allowsPrivateAddresses: true, allowsHttp: true, timeoutMs: 2000, bytesMax: 4096 }
const keys = (change: Partial<PublicFetchSettings> = {}) => new IssuerKeys({ ...LOCAL, ...change }, clock)
const withCode = (code: string) => expect.objectContaining({ code })

describe('the keys of an issuer', () => {
  test('are found by its discovery document, once for everybody who waits', async () => {
    const found = keys()
    const [first, second] = await Promise.all([found.find(issuer, 'one'), found.find(issuer, 'one')])
    expect(first).toEqual([KEY])
    expect(second).toEqual([KEY])
    await found.find(issuer, 'one')
    expect(asked).toEqual(['/.well-known/openid-configuration', '/keys'])
  })

  test('are revalidated when they are stale', async () => {
    const tags: (string | null)[] = []
    answers['/keys'] = ({ headers }) => {
      tags.push(headers.get('if-none-match'))
      if (tags.length > 1) return new Response(null, { status: 304 })
      return Response.json({ keys: [KEY] }, { headers: { etag: '"v1"', 'cache-control': 'public, max-age=600' } })
    }
    const found = keys()
    await found.find(issuer, 'one')
    clock.advance(599_000)
    await found.find(issuer, 'one')
    clock.advance(2_000)
    expect(await found.find(issuer, 'one')).toEqual([KEY])
    expect(tags).toEqual([null, '"v1"'])
  })

  test('are looked for anew for an unknown id, once a minute at the most', async () => {
    const found = keys()
    await found.find(issuer, 'one')
    await found.find(issuer, 'two')
    expect(asked).toHaveLength(2)
    clock.advance(61_000)
    answers['/keys'] = () => Response.json({ keys: [KEY, { ...KEY, kid: 'two' }] })
    expect(await found.find(issuer, 'two')).toHaveLength(2)
    await found.find(issuer, 'three')
    expect(asked).toHaveLength(4)
  })

  test('are public keys for signatures, nothing else', async () => {
    answers['/keys'] = () =>
      Response.json({ keys: [KEY, { kty: 'oct', k: 'c2VjcmV0' }, { ...KEY, use: 'enc' }, null, 1] })
    expect(await keys().find(issuer, 'one')).toEqual([KEY])
  })

  test.each<[string, () => void]>([
    ['no discovery document', () => delete answers['/.well-known/openid-configuration']],
    ['no key set', () => delete answers['/keys']],
    [
      'no JSON',
      () => {
        answers['/keys'] = () => new Response('<html>')
      },
    ],
    [
      'a list',
      () => {
        answers['/keys'] = () => Response.json([])
      },
    ],
    [
      'too many keys',
      () => {
        answers['/keys'] = () => Response.json({ keys: Array(101).fill({}) })
      },
    ],
    [
      'too many bytes',
      () => {
        answers['/keys'] = () => Response.json({ keys: [{ ...KEY, x: 'x'.repeat(5000) }] })
      },
    ],
    [
      'a redirect elsewhere',
      () => {
        answers['/keys'] = () => Response.redirect('http://localhost:1/keys')
      },
    ],
    [
      'redirects without end',
      () => {
        answers['/keys'] = () => Response.redirect(`${issuer}/keys`)
      },
    ],
    [
      'a redirect to another scheme',
      () => {
        answers['/keys'] = () => Response.redirect('file:///etc/passwd')
      },
    ],
  ])('with %s are not to be had', async (_, spoil) => {
    spoil()
    const found = keys()
    await expect(found.find(issuer, 'one')).rejects.toEqual(withCode('identity-provider-unreachable'))
    const count = asked.length
    await expect(found.find(issuer, 'one')).rejects.toEqual(withCode('identity-provider-unreachable'))
    expect(asked).toHaveLength(count)
  })

  test('of an issuer whose document names another are not taken', async () => {
    answers['/.well-known/openid-configuration'] = () =>
      Response.json({ issuer: 'https://other', jwks_uri: `${issuer}/keys` })
    await expect(keys().find(issuer, 'one')).rejects.toEqual(withCode('identity-token-invalid'))
  })
})

describe('what is not asked', () => {
  test.each([
    'http://127.0.0.1/',
    'http://localhost/',
    'http://[::1]/',
    'http://169.254.169.254/latest',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://10.0.0.1/',
    'http://[::ffff:127.0.0.1]/',
    'http://0/',
    'http://[fd00:ec2::254]/',
  ])('%p, which is not public', async (url) => {
    const settings = { ...LOCAL, allowsPrivateAddresses: false }
    await expect(publicFetch(url, settings)).rejects.toThrow('is not on the public internet')
  })

  test('what has no TLS, is no web address, or holds credentials', async () => {
    const settings = { ...LOCAL, allowsHttp: false }
    for (const url of [
      'http://example.com/',
      'ftp://example.com/',
      'file:///etc/passwd',
      'nothing',
      'https://a:b@example.com/',
    ])
      await expect(publicFetch(url, settings)).rejects.toMatchObject({ name: 'FetchRefused' })
  })

  test('a host of which one address is private', async () => {
    const settings = { ...LOCAL, allowsPrivateAddresses: false, resolve: async () => ['93.184.216.34', '127.0.0.1'] }
    await expect(publicFetch('http://mixed.example.com/', settings)).rejects.toThrow('is not on the public internet')
  })

  test('a key set on a private address that a public document names', async () => {
    const resolve = async (host: string) => [host === 'issuer.example.com' ? '127.0.0.1' : '10.0.0.1']
    answers['/.well-known/openid-configuration'] = () =>
      Response.json({ issuer: `http://issuer.example.com:${server.port}`, jwks_uri: 'http://169.254.169.254/keys' })
    const found = new IssuerKeys({ ...LOCAL, allowsPrivateAddresses: false, resolve }, clock)
    await expect(found.find(`http://issuer.example.com:${server.port}`, 'one')).rejects.toThrow(
      'not on the public internet',
    )
    expect(asked).toEqual([])
  })
})

test('the connection goes to the address that was judged, whatever a name server says next', async () => {
  const said = ['127.0.0.1', '203.0.113.1']
  const settings = { ...LOCAL, resolve: async () => [said.shift() ?? '203.0.113.1'] }
  const { status } = await publicFetch(`http://rebinding.example.com:${server.port}/keys`, settings)
  expect([status, said]).toEqual([200, ['203.0.113.1']])
})

test('an answer that never ends is given up', async () => {
  answers['/keys'] = () => new Promise<Response>(() => undefined)
  await expect(publicFetch(`${issuer}/keys`, { ...LOCAL, timeoutMs: 50 })).rejects.toThrow('does not answer in time')
  answers['/keys'] = () => new Response(new ReadableStream({ start: (body) => body.enqueue(new Uint8Array(10)) }))
  await expect(publicFetch(`${issuer}/keys`, { ...LOCAL, timeoutMs: 100 })).rejects.toMatchObject({
    name: 'FetchRefused',
  })
})
