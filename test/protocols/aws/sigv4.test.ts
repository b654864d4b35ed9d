import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type ErrorCode, isRegistryError } from '../../../src/domain/errors.ts'
import type { KeySecrets } from '../../../src/protocols/aws/context.ts'
import { sha256Hex } from '../../../src/protocols/aws/sigv4/canonical-request.ts'
import { type SignedBy, type VerifyOptions, verifySigV4 } from '../../../src/protocols/aws/sigv4/verify.ts'
import recorded from './botocore-signatures.json' with { type: 'json' }
import { KEY, NOW, presigned, signed } from './sign.ts'

const TOKEN = 'FwoGZXIvYXdzEBYaD//+=='
const KNOWN: Readonly<Record<string, KeySecrets>> = {
  [KEY.accessKeyId]: { secretAccessKey: KEY.secretAccessKey },
  ASIAEXAMPLEEXAMPLE12: { secretAccessKey: KEY.secretAccessKey, sessionTokenHash: sha256Hex(TOKEN) },
}
const STRICT: VerifyOptions = { services: ['ecr'], acceptsUnknownKeys: false }

async function verify(request: Request, options: VerifyOptions = STRICT, now: Date = NOW): Promise<SignedBy> {
  const { method, headers } = request
  const body = async () => new Uint8Array(await request.clone().arrayBuffer())
  return verifySigV4({ method, url: new URL(request.url), headers, body }, async (id) => KNOWN[id], now, options)
}

async function refusal(request: Request, options?: VerifyOptions, now?: Date): Promise<[ErrorCode, string]> {
  const thrown = await verify(request, options, now).catch((thrown: unknown) => thrown)
  if (!isRegistryError(thrown)) throw new Error(`not refused: ${JSON.stringify(thrown)}`)
  return [thrown.code, thrown.message]
}

function changed(request: Request, headers: Readonly<Record<string, string | null>>): Request {
  const copy = new Request(request)
  for (const [name, value] of Object.entries(headers))
    value === null ? copy.headers.delete(name) : copy.headers.set(name, value)
  return copy
}

function minutes(count: number): Date {
  return new Date(NOW.getTime() + count * 60_000)
}

describe('requests as botocore signs them', () => {
  for (const { name, url, method, headers, body } of Object.values(recorded).flat())
    test(name, async () => {
      const request = new Request(url, { method, headers: { ...headers }, ...(body === '' ? {} : { body }) })
      const options = { acceptsUnknownKeys: false }
      const signedBy: object = await verify(request, options)
      expect(signedBy).toMatchObject({ region: 'eu-west-3', isVerified: true })
    })
})

describe('requests as the AWS SDK for JavaScript signs them', () => {
  const variants = {
    plain: {},
    'with a body': { body: '{"repositoryName":"aé"}' },
    'with the hash of the body': { body: '{}', withChecksum: true },
    'to a host without a port': { url: 'http://api.ecr.eu-west-3.example.com/' },
    'with headers of any spacing': {
      headers: { 'x-amz-user-agent': ' a  b\t\tc ', 'Amz-Sdk-Request': 'attempt=1; max=3' },
    },
    'with a path': { url: 'http://localhost:4566/a/b%20c/' },
    'with a query': { url: "http://localhost:4566/?b=2&a=~!*'()%2F&empty=" },
    'with a session token': {
      credentials: { ...KEY, accessKeyId: 'ASIAEXAMPLEEXAMPLE12', sessionToken: TOKEN },
    },
  }
  for (const [name, variant] of Object.entries(variants)) {
    test(`${name}, in the header`, async () => {
      const { isVerified, accessKeyId, region, service } = await verify(await signed(variant))
      expect<object>({ isVerified, region, service }).toEqual({ isVerified: true, region: 'eu-west-3', service: 'ecr' })
      expect(accessKeyId in KNOWN).toBe(true)
    })
    test(`${name}, in the query`, async () => {
      expect((await verify(await presigned(variant))).isVerified).toBe(true)
    })
  }

  test('headers that were added on the way do no harm', async () => {
    const request = changed(await signed(), { 'x-forwarded-for': '10.0.0.1', 'user-agent': 'proxy', via: '1.1 p' })
    expect((await verify(request)).isVerified).toBe(true)
  })
})

describe('tampering', () => {
  const target = { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.ListImages' }

  test('the body', async () => {
    const request = await signed({ body: '{}' })
    expect((await refusal(new Request(request, { body: '{ }' })))[0]).toBe('signature-mismatch')
  })

  test('the body with a named hash that is not its own', async () => {
    const request = new Request(await signed({ body: '{}', withChecksum: true }), { body: '{ }' })
    expect((await refusal(request))[0]).toBe('signature-mismatch')
    expect((await refusal(request, { acceptsUnknownKeys: true }))[0]).toBe('signature-mismatch')
  })

  test('an unsigned payload is not accepted', async () => {
    const headers = { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
    expect((await refusal(await signed({ body: '{}', headers })))[0]).toBe('signature-mismatch')
  })

  test('a signed header', async () => {
    const request = changed(await signed({ headers: target }), { 'x-amz-target': 'Other.Operation' })
    expect((await refusal(request))[0]).toBe('signature-mismatch')
  })

  test('a signed header taken away', async () => {
    expect((await refusal(changed(await signed({ headers: target }), { 'x-amz-target': null })))[0]).toBe(
      'signature-mismatch',
    )
  })

  test('an unsigned header that would decide what the request does', async () => {
    const [code, message] = await refusal(changed(await signed(), target))
    expect(code).toBe('signature-mismatch')
    expect(message).toBe('There were headers present in the request which were not signed: x-amz-target')
  })

  test('the method, the host, the query', async () => {
    const request = await signed({ url: 'http://localhost:4566/?a=1' })
    const { headers } = request
    expect((await refusal(new Request(request, { method: 'PUT' })))[0]).toBe('signature-mismatch')
    expect((await refusal(changed(request, { host: 'other:4566' })))[0]).toBe('signature-mismatch')
    expect((await refusal(new Request('http://localhost:4566/?a=2', { method: 'POST', headers })))[0]).toBe(
      'signature-mismatch',
    )
  })

  test('every part of the credential, and the signature', async () => {
    const request = await signed()
    const authorization = request.headers.get('authorization') ?? ''
    const edits: readonly [string, string][] = [
      ['eu-west-3', 'eu-west-1'],
      ['/20260101/', '/20260102/'],
      ['/ecr/', '/sts/'],
      ['aws4_request', 'aws5_request'],
      ['host;', ''],
      ['Signature=', 'Signature=0'],
      [authorization.slice(-64), '0'.repeat(64)],
      [authorization.slice(-64), authorization.slice(-64).toUpperCase()],
    ]
    for (const [from, to] of edits) {
      const edited = changed(request, { authorization: authorization.replace(from, to) })
      expect((await refusal(edited))[0], `${from} → ${to}`).toBe('signature-mismatch')
    }
  })

  test('another secret', async () => {
    const credentials = { ...KEY, secretAccessKey: 'another' }
    expect((await refusal(await signed({ credentials })))[0]).toBe('signature-mismatch')
  })

  test('the expiry of a pre-signed request', async () => {
    const request = await presigned()
    const url = request.url.replace('X-Amz-Expires=60', 'X-Amz-Expires=600')
    expect((await refusal(new Request(url, request)))[0]).toBe('signature-mismatch')
  })
})

describe('scope and session token', () => {
  test('another service', async () => {
    expect(await refusal(await signed({ service: 'sts' }))).toEqual([
      'signature-mismatch',
      "Credential should be scoped to correct service: 'ecr'.",
    ])
  })

  test('a token where the key has none, another one, or none where it has one', async () => {
    const temporary = { ...KEY, accessKeyId: 'ASIAEXAMPLEEXAMPLE12' }
    for (const credentials of [{ ...KEY, sessionToken: TOKEN }, { ...temporary, sessionToken: 'x' }, temporary])
      expect((await refusal(await signed({ credentials })))[0]).toBe('security-token-invalid')
  })

  test('host must be signed', async () => {
    const request = await signed()
    const authorization = (request.headers.get('authorization') ?? '').replace('host;', '')
    expect((await refusal(changed(request, { authorization })))[1]).toStartWith("'Host' or ':authority' must be")
  })
})

describe('time', () => {
  test('five minutes either way are fine', async () => {
    for (const now of [minutes(5), minutes(-5)])
      expect((await verify(await signed(), STRICT, now)).isVerified).toBe(true)
  })

  test('later is expired', async () => {
    expect(await refusal(await signed(), STRICT, minutes(6))).toEqual([
      'signature-expired',
      'Signature expired: 20260101T120000Z is now earlier than 20260101T120100Z (20260101T120600Z - 5 min.)',
    ])
  })

  test('earlier is not yet current', async () => {
    expect(await refusal(await signed(), STRICT, minutes(-6))).toEqual([
      'signature-expired',
      'Signature not yet current: 20260101T120000Z is still later than 20260101T115900Z (20260101T115400Z + 5 min.)',
    ])
  })

  test('a pre-signed request lives as long as it says', async () => {
    const request = await presigned({ expiresIn: 3600 })
    expect((await verify(request, STRICT, minutes(60))).isVerified).toBe(true)
    expect((await refusal(request, STRICT, minutes(61)))[0]).toBe('signature-expired')
    expect((await refusal(request, STRICT, minutes(-6)))[0]).toBe('signature-expired')
  })

  test('and never longer than a week', async () => {
    const request = await presigned()
    for (const expires of ['604801', '-1', '1e3', '9999999', 'x']) {
      const url = request.url.replace('X-Amz-Expires=60', `X-Amz-Expires=${expires}`)
      expect((await refusal(new Request(url, request)))[0], expires).toBe('signature-incomplete')
    }
  })
})

describe('keys that nobody knows', () => {
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }

  test('are refused in the server profile', async () => {
    expect((await refusal(await signed({ credentials })))[0]).toBe('security-token-invalid')
  })

  test('without their body being read', async () => {
    const { method, headers, url } = await signed({ credentials, body: '{}' })
    const body = () => Promise.reject(new Error('read'))
    const thrown = await verifySigV4(
      { method, headers, url: new URL(url), body },
      async () => undefined,
      NOW,
      STRICT,
    ).catch((thrown: unknown) => thrown)
    expect(isRegistryError(thrown, 'security-token-invalid')).toBe(true)
  })

  test('are accepted as they are in the dev profile, at any time', async () => {
    const signedBy = await verify(await signed({ credentials }), { acceptsUnknownKeys: true }, minutes(1000))
    expect(signedBy).toMatchObject({ accessKeyId: 'test', region: 'eu-west-3', isVerified: false })
  })

  test('a known key is verified in the dev profile too', async () => {
    const forged = await signed({ credentials: { ...KEY, secretAccessKey: 'guessed' } })
    expect((await refusal(forged, { acceptsUnknownKeys: true }))[0]).toBe('signature-mismatch')
  })
})

describe('malformed signatures', () => {
  const CREDENTIAL = 'Credential=AKID/20260101/eu-west-3/ecr/aws4_request'
  const REST = 'SignedHeaders=host;x-amz-date, Signature=abc'

  async function headerRefusal(authorization: string | null, date: string | null = '20260101T120000Z') {
    return refusal(changed(new Request('http://h/', { method: 'POST' }), { authorization, 'x-amz-date': date }))
  }

  test('none, or of another kind', async () => {
    for (const authorization of [null, 'Basic QVdTOng=', 'Bearer x'])
      expect(await headerRefusal(authorization)).toEqual(['authentication-missing', 'Missing Authentication Token'])
  })

  test('another algorithm', async () => {
    expect(await headerRefusal(`AWS4-ECDSA-P256-SHA256 ${CREDENTIAL}, ${REST}`)).toEqual([
      'signature-incomplete',
      "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'.",
    ])
  })

  const incomplete: Readonly<Record<string, string>> = {
    "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter.":
      'AWS4-HMAC-SHA256',
    "Authorization header requires 'Signature' parameter.": `AWS4-HMAC-SHA256 ${CREDENTIAL}, SignedHeaders=host`,
    'Invalid key=value pair (missing equal-sign)': `AWS4-HMAC-SHA256 ${CREDENTIAL} ${REST}, x`,
    "Authorization header has 'Signature' more than once.": `AWS4-HMAC-SHA256 ${CREDENTIAL}, ${REST}, Signature=abc`,
    'Credential must have exactly 5 slash-delimited elements': `AWS4-HMAC-SHA256 Credential=AKID/20260101, ${REST}`,
    'Credential must begin with an access key id.': `AWS4-HMAC-SHA256 ${CREDENTIAL.replace('AKID', '')}, ${REST}`,
    'SignedHeaders must be a list': `AWS4-HMAC-SHA256 ${CREDENTIAL}, SignedHeaders=host;;a, Signature=abc`,
  }
  for (const [message, authorization] of Object.entries(incomplete))
    test(message, async () => {
      const [code, text] = await headerRefusal(authorization)
      expect(code).toBe('signature-incomplete')
      expect(text).toStartWith(message)
    })

  test('a date that is none, missing, or not of the scope', async () => {
    const authorization = `AWS4-HMAC-SHA256 ${CREDENTIAL}, ${REST}`
    for (const date of ['2026-01-01T12:00:00Z', '20260230T120000Z', '20260101T250000Z', 'x'])
      expect((await headerRefusal(authorization, date))[1]).toStartWith("Date must be in ISO-8601 'basic format'.")
    expect((await headerRefusal(authorization, null))[1]).toContain("existence of a 'X-Amz-Date' header")
    expect(await headerRefusal(authorization, '20260102T120000Z')).toEqual([
      'signature-mismatch',
      "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260101' != '20260102', from '20260102T120000Z'.",
    ])
  })

  test('in the query: missing parts are named', async () => {
    const [code, message] = await refusal(new Request('http://h/?X-Amz-Algorithm=AWS4-HMAC-SHA256', { method: 'POST' }))
    expect(code).toBe('signature-incomplete')
    for (const name of ['Credential', 'Signature', 'SignedHeaders', 'Date', 'Expires'])
      expect(message).toContain(`'X-Amz-${name}'`)
  })

  test('in header and query at once', async () => {
    const { url } = await presigned()
    const { headers } = await signed()
    expect((await refusal(new Request(url, { method: 'POST', headers })))[1]).toStartWith('Found both')
  })

  test('error texts never repeat a signature', async () => {
    const secret = 'deadbeef'.repeat(8)
    const [, message] = await headerRefusal(`AWS4-HMAC-SHA256 Signature=${secret}`)
    expect(message).not.toContain(secret)
  })
})

describe('whatever is sent, the answer is a refusal', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'AWS4-HMAC-SHA256',
      ' ',
      ',',
      '=',
      ';',
      '/',
      'Credential=',
      'SignedHeaders=host',
      'Signature=',
      `${KEY.accessKeyId}/20260101/eu-west-3/ecr/aws4_request`,
    ),
    fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) }),
  )

  test('in the header', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(piece), fc.constantFrom('20260101T120000Z', '', 'x'), async (pieces, date) => {
        const headers = { authorization: `AWS4-HMAC-SHA256 ${pieces.join('')}`, 'x-amz-date': date, host: 'h' }
        await refusal(new Request('http://h/', { method: 'POST', headers }))
      }),
    )
  })

  test('in the query', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(piece, piece)), fc.string({ unit: 'binary' }), async (pairs, tail) => {
        const query = pairs.map(([name, value]) => `X-Amz-${name}=${value}`).join('&')
        const url = `http://h/?X-Amz-Algorithm=AWS4-HMAC-SHA256&${query}&${encodeURI(tail.toWellFormed())}&%ff%`
        await refusal(new Request(url, { method: 'POST' }))
      }),
    )
  })

  test('a comma too many', async () => {
    const request = await signed({ headers: { 'x-amz-target': 'A.B' } })
    const authorization = request.headers.get('authorization') ?? ''
    for (const edited of [authorization.replace(', ', ',,'), `${authorization},`])
      expect((await refusal(changed(request, { authorization: edited })))[0]).toBe('signature-incomplete')
  })

  test('one changed character of a good header', async () => {
    const request = await signed({ headers: { 'x-amz-target': 'A.B' } })
    const authorization = request.headers.get('authorization') ?? ''
    await fc.assert(
      fc.asyncProperty(fc.nat(authorization.length - 1), fc.integer({ min: 0x21, max: 0x7e }), async (at, code) => {
        const char = String.fromCharCode(code)
        const edited = authorization.slice(0, at) + char + authorization.slice(at + 1)
        // Header names are compared without regard to case, so there a change of case is none.
        fc.pre(edited.toLowerCase() !== authorization.toLowerCase())
        await refusal(changed(request, { authorization: edited }))
      }),
    )
  })
})
