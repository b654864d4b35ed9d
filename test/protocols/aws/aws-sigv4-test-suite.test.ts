import { describe, expect, test } from 'bun:test'
import { isRegistryError } from '../../../src/domain/errors.ts'
import { sha256Hex } from '../../../src/protocols/aws/sigv4/canonical-request.ts'
import { verifySigV4 } from '../../../src/protocols/aws/sigv4/verify.ts'
import suite from './aws-sigv4-test-suite.json' with { type: 'json' }

const ACCESS_KEY_ID = 'AKIDEXAMPLE'
const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
const NOW = new Date('2015-08-30T12:36:00Z')

/**
 * What cannot be sent to a server of today as the suite writes it: headers of one name come joined by a comma and a blank,
 * folded ones not at all, and a path with blanks or letters beyond ASCII is encoded before it is sent.
 */
const UNSENDABLE = new Set([
  ...['get-header-key-duplicate', 'get-header-value-multiline', 'get-header-value-order'],
  ...['get-space-normalized', 'get-utf8'],
])
/** A session token beside the signature, which Ecru refuses: whoever passes a request on could change it. */
const TOKEN_UNSIGNED = 'post-sts-header-after'

interface RawRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: string
}

/** A request as the suite writes it: a line, headers, an empty line, the body. */
function read(text: string): RawRequest {
  const [head = '', ...rest] = text.split('\n\n')
  const [line = '', ...fields] = head.split('\n')
  const [method = ''] = line.split(' ', 1)
  const target = line.slice(method.length + 1, line.lastIndexOf(' '))
  const headers = new Headers()
  for (const field of fields) headers.append(field.slice(0, field.indexOf(':')), field.slice(field.indexOf(':') + 1))
  return { method, url: new URL(`http://example.amazonaws.com${target}`), headers, body: rest.join('\n\n') }
}

function verify({ body, ...request }: RawRequest, token: string | undefined) {
  const secrets = { secretAccessKey: SECRET, sessionTokenHash: token === undefined ? undefined : sha256Hex(token) }
  return verifySigV4(
    { ...request, body: async () => new TextEncoder().encode(body) },
    async (id) => (id === ACCESS_KEY_ID ? secrets : undefined),
    NOW,
    { services: ['service'], acceptsUnknownKeys: false },
  )
}

const cases = suite.cases.filter(({ name }) => !UNSENDABLE.has(name) && name !== TOKEN_UNSIGNED)

describe.each(['header', 'query'] as const)("AWS's own test suite, signed in the %s", (where) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (_name, one) => {
    const signedBy = await verify(read(one[where]), one.token)
    expect(signedBy).toMatchObject({ accessKeyId: ACCESS_KEY_ID, region: 'us-east-1', isVerified: true })
  })

  test.each(cases.map((one) => [one.name, one] as const))('%s, changed, is refused', async (_name, one) => {
    const request = read(one[where])
    const changes: readonly RawRequest[] = [
      { ...request, method: request.method === 'GET' ? 'POST' : 'GET' },
      { ...request, url: new URL(`${request.url}${request.url.search === '' ? '?' : '&'}more=1`) },
      { ...request, body: `${request.body} ` },
    ]
    for (const changed of changes) {
      const thrown: unknown = await verify(changed, one.token).catch((thrown: unknown) => thrown)
      expect([isRegistryError(thrown, 'signature-mismatch'), String(thrown)]).toEqual([true, expect.anything()])
    }
  })
})

test('a session token that is not signed is refused', async () => {
  const { header = '', token } = suite.cases.find(({ name }) => name === TOKEN_UNSIGNED) ?? {}
  const thrown: unknown = await verify(read(header), token).catch((thrown: unknown) => thrown)
  expect(String(thrown)).toContain(
    'There were headers present in the request which were not signed: x-amz-security-token',
  )
})
