import { afterAll, beforeAll, expect, test } from 'bun:test'
import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { noise, sha256 } from '../support/image-builder.ts'
import { ECR_HEADERS, ecrRequest, ociRequest, type RawTarget, rawRequest } from '../support/raw-request.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { Wire } from '../torture/wire.ts'

const NAME = 'hostile/app'
const RUNS = Number(process.env.ECRU_TEST_FUZZ_RUNS ?? '400')
const TIMEOUT_MS = 240_000

/** What a pass over the same hostile requests may leave in the process after two passes before it: what the heap swings by itself. */
const GROWTH_BYTES_MAX = 24 * 1024 * 1024
const REQUESTS_PER_PASS = 3_000
const OPEN_UPLOADS = 3_000

const blob = noise('hostile input', 5_000)
const digest = sha256(blob)

let registry: RunningRegistry
let target: RawTarget
let wire: Wire

beforeAll(async () => {
  registry = await startRegistry({ env: { ECRU_LOG_LEVEL: 'warn', ECRU_LOG_FORMAT: 'pretty' } })
  wire = new Wire(registry.port)
  const basic = `Basic ${Buffer.from(`AWS:${await wire.logIn()}`).toString('base64')}`
  target = { port: registry.port, basic }
  await wire.ecr('CreateRepository', { repositoryName: NAME })
  expect((await wire.oci('POST', `${NAME}/blobs/uploads/?digest=${digest}`, { body: blob })).status).toBe(201)
})

afterAll(async () => {
  const said = await registry.log()
  await registry.stop()
  expect(said).not.toMatch(/ (ERROR|FATAL) /)
})

// ── what arrives: mostly almost right ──

const badText = fc.oneof(
  fc.constantFrom(
    '',
    '..',
    '../..',
    '%00',
    '%2e%2e%2f',
    '%ff',
    '%',
    "'",
    '"',
    '\\',
    '//',
    '*',
    '?',
    '#',
    'é',
    '__proto__',
    'NaN',
    '-1',
    '1e999',
  ),
  fc.string({ maxLength: 40, unit: fc.constantFrom(...'abcXYZ019._-/:%~!@$&()*+,;=\'"\\') }),
  fc.integer({ min: 1, max: 3_000 }).map((length) => 'a'.repeat(length)),
)
const name = fc.oneof(fc.constantFrom(NAME, 'hostile/none', 'a', 'A/b'), badText)
const reference = fc.oneof(fc.constantFrom(digest, sha256('absent'), 'latest', 'sha512:00', `${digest}x`), badText)
const place = fc.constantFrom('manifests', 'blobs', 'blobs/uploads', 'referrers', 'tags', '_catalog', 'tags/list', '')
const query = fc.oneof(
  fc.constant(''),
  fc
    .record({
      key: fc.constantFrom('digest', 'mount', 'from', 'n', 'last', 'artifactType', 'tag', 'nextToken'),
      value: reference,
    })
    .map(({ key, value }) => `?${key}=${value}`),
)
const path = fc
  .tuple(name, place, reference, query)
  .map((parts) => `/v2/${parts.slice(0, 3).join('/')}${parts[3]}`.replace(/[\s#\0-\x20\x7f-\uffff]/g, '_'))
const headerValue = fc.oneof(
  fc.constantFrom(
    '',
    '0',
    '-1',
    '0-0',
    '0-9',
    'bytes=0-',
    'bytes=-1',
    'bytes 0-4/5',
    'application/vnd.oci.image.manifest.v1+json',
    'text/html',
    '*',
    '"x"',
  ),
  fc.string({ maxLength: 60, unit: fc.constantFrom(...'abc019 ._-/:;,=*"()<>@[]{}') }),
)
const headers = fc.dictionary(
  fc.constantFrom(
    'range',
    'content-range',
    'content-type',
    'accept',
    'if-none-match',
    'if-range',
    'x-forwarded-proto',
    'x-forwarded-for',
    'accept-encoding',
    'cookie',
    'origin',
    'x-amz-target',
  ),
  headerValue,
  { maxKeys: 4 },
)
const json = fc.jsonValue({ maxDepth: 4 })
const body = fc.oneof(
  fc.constant(undefined),
  fc.uint8Array({ maxLength: 300 }),
  json.map((value) => JSON.stringify(value)),
  fc
    .record(
      {
        schemaVersion: fc.constantFrom(2, 1, '2'),
        mediaType: headerValue,
        config: json,
        layers: json,
        manifests: json,
        subject: json,
        annotations: json,
      },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
)
const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')

const operation = fc.constantFrom(
  ...[
    'CreateRepository',
    'DescribeRepositories',
    'ListTagsForResource',
    'TagResource',
    'UntagResource',
    'PutImageTagMutability',
  ],
  ...['PutImage', 'BatchGetImage', 'BatchDeleteImage', 'ListImages', 'DescribeImages', 'BatchCheckLayerAvailability'],
  ...[
    'InitiateLayerUpload',
    'UploadLayerPart',
    'CompleteLayerUpload',
    'GetDownloadUrlForLayer',
    'DescribeRegistry',
    'GetAuthorizationToken',
  ],
)
const member = fc.constantFrom(
  ...[
    'repositoryName',
    'repositoryNames',
    'registryId',
    'registryIds',
    'imageIds',
    'imageManifest',
    'imageManifestMediaType',
    'imageTag',
    'imageDigest',
  ],
  ...[
    'layerDigests',
    'layerDigest',
    'uploadId',
    'partFirstByte',
    'partLastByte',
    'layerPartBlob',
    'nextToken',
    'maxResults',
    'filter',
    'tags',
  ],
  ...[
    'tagKeys',
    'resourceArn',
    'imageTagMutability',
    'imageTagMutabilityExclusionFilters',
    'acceptedMediaTypes',
    'encryptionConfiguration',
    '__proto__',
  ],
)
const memberValue = fc.oneof(
  json,
  badText,
  fc.constantFrom(
    digest,
    NAME,
    'MUTABLE',
    'arn:aws:ecr:us-east-1:000000000000:repository/hostile/app',
    crypto.randomUUID(),
  ),
  fc.array(
    fc.oneof(
      badText,
      fc.constant(null),
      fc.record({ imageTag: badText, imageDigest: reference }),
      fc.record({ Key: badText, Value: badText }),
    ),
    { maxLength: 3 },
  ),
)
const input = fc
  .tuple(fc.dictionary(member, memberValue, { maxKeys: 6 }), fc.boolean())
  .map(([members, isAtHome]) => JSON.stringify(isAtHome ? { ...members, repositoryName: NAME } : members))

/** Anything but a fault of ours. Bun's parser hangs up on what is no HTTP at all. */
function isSound(answer: { readonly status: number } | undefined): boolean {
  return answer === undefined || (answer.status >= 200 && answer.status < 500)
}

test(
  'no request to the OCI interface is answered with 5xx',
  async () => {
    const request = fc.record({ method, path, headers, body })
    await fc.assert(
      fc.asyncProperty(request, async ({ body: sent, ...rest }) => {
        const answer = await ociRequest(target, sent === undefined ? rest : { ...rest, body: sent })
        expect({ answer, isSound: isSound(answer) }).toMatchObject({ isSound: true })
      }),
      { numRuns: RUNS * 3, endOnFailure: false },
    )
  },
  TIMEOUT_MS,
)

test(
  'no call of the ECR API is answered with 5xx',
  async () => {
    await fc.assert(
      fc.asyncProperty(operation, input, async (called, sent) => {
        const answer = await ecrRequest(target, called, sent)
        expect({ answer, isSound: isSound(answer) }).toMatchObject({ isSound: true })
      }),
      { numRuns: RUNS * 3 },
    )
  },
  TIMEOUT_MS,
)

test(
  'no signature, target or form is answered with 5xx',
  async () => {
    const authorization = fc.oneof(
      headerValue,
      fc
        .tuple(badText, badText, badText)
        .map(([a, b, c]) => `AWS4-HMAC-SHA256 Credential=${a}/${b}/${c}, SignedHeaders=${b}, Signature=${c}`),
      fc.constant(ECR_HEADERS.authorization),
    )
    const one = fc.record({
      authorization,
      'x-amz-target': headerValue,
      'x-amz-date': headerValue,
      'content-type': fc.oneof(headerValue, fc.constant('application/x-www-form-urlencoded')),
    })
    await fc.assert(
      fc.asyncProperty(one, badText, query, async (sent, form, search) => {
        const printable = Object.fromEntries(
          Object.entries(sent).map(([key, value]) => [key, value.replace(/[^\x20-\x7e]/g, '_')]),
        )
        const at = search.replace(/[^\x21-\x7e]/g, '_')
        for (const asked of [
          { method: 'POST', path: `/${at}`, headers: printable, body: `Action=${form}&Version=2011-06-15` },
          {
            method: 'GET',
            path: `/?Action=${encodeURIComponent(form.slice(0, 100))}&X-Amz-Signature=1${at.replace('?', '&')}`,
          },
          { method: 'POST', path: `/_ecru/${encodeURIComponent(form.slice(0, 20))}`, headers: printable, body: '' },
          { path: `/_ecru/layers/${encodeURIComponent(form.slice(0, 100))}${at}` },
        ]) {
          const answer = await rawRequest(target, asked)
          expect({ asked, answer, isSound: isSound(answer) }).toMatchObject({ isSound: true })
        }
      }),
      { numRuns: RUNS },
    )
  },
  TIMEOUT_MS,
)

test(
  'hostile requests leave nothing in memory',
  async () => {
    // The same requests in every pass: what grows is kept.
    const random = { seed: 1, numRuns: REQUESTS_PER_PASS }
    const oci = fc.sample(fc.record({ method, path, headers, body }), random)
    const calls = fc.sample(fc.tuple(operation, input), random)
    const pass = async () => {
      for (const [n, { body: sent, ...rest }] of oci.entries()) {
        const [called, text] = calls[n] ?? ['DescribeRegistry', '{}']
        await Promise.all([
          ociRequest(target, sent === undefined ? rest : { ...rest, body: sent }),
          ecrRequest(target, called, text),
        ])
      }
      // Deletes what the pass may have made, so that the next one finds the same.
      await wire.own('POST', 'gc')
      return residentBytes()
    }
    const warm = Math.max(await pass(), await pass())
    const after = await pass()
    console.log(`resident: ${mb(warm)} after two passes, ${mb(after)} after three of ${2 * REQUESTS_PER_PASS} requests`)
    expect(after - warm).toBeLessThanOrEqual(GROWTH_BYTES_MAX)
  },
  TIMEOUT_MS,
)

test(
  'thousands of open uploads cost next to nothing, and the first of them is as good as the last',
  async () => {
    const begin = async () => {
      const { status, headers: answered } = await wire.oci('POST', `${NAME}/blobs/uploads/`)
      expect(status).toBe(202)
      return answered.get('location') ?? ''
    }
    const first = await begin()
    expect((await wire.at('PATCH', first, { body: blob.subarray(0, 2_000) })).status).toBe(202)
    for (let n = 0; n < OPEN_UPLOADS / 2; n++) await begin()
    const before = await residentBytes()
    for (let n = 0; n < OPEN_UPLOADS / 2; n++) await begin()
    expect((await residentBytes()) - before).toBeLessThanOrEqual(GROWTH_BYTES_MAX)
    const put = await wire.at('PUT', `${first}?digest=${digest}`, { body: blob.subarray(2_000) })
    expect(put.status).toBe(201)
  },
  TIMEOUT_MS,
)

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${registry.process.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? Number.NaN) * 1024
}

function mb(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`
}
