import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { noise, sha256 } from '../support/image-builder.ts'
import { ECR_HEADERS, ecrRequest, type RawTarget, rawRequest, verdict } from '../support/raw-request.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { Wire } from '../torture/wire.ts'

const repositoryName = 'hostile/app'
const IPE = '400 InvalidParameterException'
const SERIALIZATION = '400 SerializationException'
const absent = sha256('absent')
const PART_BYTES_MAX = 20_971_520

let registry: RunningRegistry
let target: RawTarget
let uploadId: string

beforeAll(async () => {
  registry = await startRegistry({ env: { ECRU_LOG_LEVEL: 'warn', ECRU_LOG_FORMAT: 'pretty' } })
  target = { port: registry.port, basic: '' }
  const wire = new Wire(registry.port)
  await wire.ecr('CreateRepository', { repositoryName })
  const { output } = await wire.ecr('InitiateLayerUpload', { repositoryName })
  uploadId = String(output.uploadId)
})

afterAll(async () => {
  const said = await registry.log()
  await registry.stop()
  expect(said).not.toMatch(/ (ERROR|FATAL) /)
})

type Row = readonly [
  what: string,
  operation: string,
  body: string | Uint8Array | (() => object) | object,
  verdict: string,
]

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    for (const [what, operation, body, expected] of rows) {
      test(`${operation} with ${what}: ${expected}`, async () => {
        const given = typeof body === 'function' ? body() : body
        const sent = typeof given === 'string' || given instanceof Uint8Array ? given : JSON.stringify(given)
        expect(verdict(await ecrRequest(target, operation, sent))).toBe(expected)
      })
    }
  })
}

table('documents', [
  ['no JSON', 'CreateRepository', 'hello', SERIALIZATION],
  ['half of it', 'CreateRepository', '{"repositoryName":', SERIALIZATION],
  ['a list', 'CreateRepository', '[]', SERIALIZATION],
  ['a text', 'CreateRepository', '"x"', SERIALIZATION],
  ['no UTF-8', 'CreateRepository', Uint8Array.of(0x7b, 0xff, 0x7d), SERIALIZATION],
  ['NUL', 'CreateRepository', '\0', SERIALIZATION],
  ['nothing', 'CreateRepository', '', IPE],
  ['null', 'CreateRepository', 'null', IPE],
  ['200 000 brackets', 'CreateRepository', '['.repeat(200_000), SERIALIZATION],
  ['200 000 brackets and their ends', 'CreateRepository', '['.repeat(200_000) + ']'.repeat(200_000), SERIALIZATION],
  ['a prototype', 'DescribeRegistry', '{"__proto__":{"x":1},"constructor":{"prototype":{"x":1}}}', '200'],
  ['a number beyond all numbers', 'DescribeRepositories', '{"maxResults":1e999}', SERIALIZATION],
  ['half a surrogate pair', 'CreateRepository', '{"repositoryName":"a\\ud800"}', SERIALIZATION],
  ['more than it may send', 'CreateRepository', ' '.repeat(40_000_000), '413 RequestEntityTooLargeException'],
])

table('members', [
  ['a number for a name', 'CreateRepository', { repositoryName: 5 }, SERIALIZATION],
  ['a list for a name', 'CreateRepository', { repositoryName: ['x'] }, SERIALIZATION],
  ['a structure for a name', 'CreateRepository', { repositoryName: { x: 1 } }, SERIALIZATION],
  ['a name of capitals', 'CreateRepository', { repositoryName: 'Hostile' }, IPE],
  ['a name of one character', 'CreateRepository', { repositoryName: 'a' }, IPE],
  ['a name of 257 characters', 'CreateRepository', { repositoryName: 'a'.repeat(257) }, IPE],
  ['a name that climbs', 'CreateRepository', { repositoryName: '../../etc/passwd' }, IPE],
  ['a name with a line end', 'CreateRepository', { repositoryName: 'hostile\n' }, IPE],
  ['a name with NUL', 'CreateRepository', { repositoryName: 'hostile\0' }, IPE],
  [
    'a name that is slow for a careless expression',
    'CreateRepository',
    { repositoryName: `${'a-'.repeat(120)}A` },
    IPE,
  ],
  ['an unknown mutability', 'CreateRepository', { repositoryName: 'a/b', imageTagMutability: 'SOMETIMES' }, IPE],
  ['filters without need', 'CreateRepository', withFilters('MUTABLE', ['x']), IPE],
  ['filters that are needed', 'CreateRepository', withFilters('IMMUTABLE_WITH_EXCLUSION', []), IPE],
  ['six filters', 'CreateRepository', withFilters('MUTABLE_WITH_EXCLUSION', ['a', 'b', 'c', 'd', 'e', 'f']), IPE],
  ['three stars', 'CreateRepository', withFilters('MUTABLE_WITH_EXCLUSION', ['*a*b*']), IPE],
  ['a reserved tag', 'CreateRepository', tagged([{ Key: 'aws:x', Value: '' }]), '400 InvalidTagParameterException'],
  [
    '51 tags',
    'CreateRepository',
    tagged(Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' }))),
    '400 TooManyTagsException',
  ],
  ['an account of letters', 'DescribeRepositories', { registryId: 'abcdefghijkl' }, IPE],
  ['no page', 'DescribeRepositories', { maxResults: 0 }, IPE],
  ['a page of 1001', 'DescribeRepositories', { maxResults: 1001 }, IPE],
  ['half a page', 'DescribeRepositories', { maxResults: 1.5 }, SERIALIZATION],
  ['a page of text', 'DescribeRepositories', { maxResults: '5' }, SERIALIZATION],
  ['a token of somebody else', 'DescribeRepositories', { nextToken: 'x' }, IPE],
  ['a token of 100 000 characters', 'DescribeRepositories', { nextToken: 'x'.repeat(100_000) }, IPE],
  ['101 names', 'DescribeRepositories', { repositoryNames: Array(101).fill('a/b') }, IPE],
  ['no names', 'DescribeRepositories', { repositoryNames: [] }, IPE],
  ['null among names', 'DescribeRepositories', { repositoryNames: [null] }, IPE],
  ['an ARN that is none', 'ListTagsForResource', { resourceArn: 'x' }, IPE],
  ['an ARN of something else', 'ListTagsForResource', { resourceArn: 'arn:aws:s3:::x' }, IPE],
  ['an unknown repository', 'ListImages', { repositoryName: 'hostile/none' }, '400 RepositoryNotFoundException'],
  ['a token of nothing', 'ListImages', { repositoryName, nextToken: '' }, IPE],
  ['both ids and pages', 'DescribeImages', { repositoryName, imageIds: [{ imageTag: 'x' }], maxResults: 5 }, IPE],
  ['no ids', 'BatchGetImage', { repositoryName, imageIds: [] }, IPE],
  ['101 ids', 'BatchGetImage', { repositoryName, imageIds: Array(101).fill({ imageTag: 'x' }) }, IPE],
  ['ids of text', 'BatchDeleteImage', { repositoryName, imageIds: 'x' }, SERIALIZATION],
  ['empty ids', 'BatchDeleteImage', { repositoryName, imageIds: [{}] }, '200 MissingDigestAndTag'],
  [
    'a digest that climbs',
    'BatchDeleteImage',
    { repositoryName, imageIds: [{ imageDigest: '../x' }] },
    '200 InvalidImageDigest',
  ],
  [
    'a digest of nothing',
    'BatchCheckLayerAvailability',
    { repositoryName, layerDigests: [''] },
    '200 MissingLayerDigest',
  ],
  [
    'a digest that is none',
    'BatchCheckLayerAvailability',
    { repositoryName, layerDigests: ['x\0'] },
    '200 InvalidLayerDigest',
  ],
  [
    'an unknown digest',
    'GetDownloadUrlForLayer',
    { repositoryName, layerDigest: absent },
    '400 LayersNotFoundException',
  ],
])

table('uploads', [
  ['an id that is none', 'UploadLayerPart', () => part(0, 'x', { uploadId: '../../x' }), IPE],
  [
    'an unknown id',
    'UploadLayerPart',
    () => part(0, 'x', { uploadId: crypto.randomUUID() }),
    '400 UploadNotFoundException',
  ],
  ['no base64', 'UploadLayerPart', () => part(0, 'x', { layerPartBlob: '????' }), SERIALIZATION],
  ['unfinished base64', 'UploadLayerPart', () => part(0, 'x', { layerPartBlob: 'eA' }), SERIALIZATION],
  ['base64 with white space', 'UploadLayerPart', () => part(0, 'x', { layerPartBlob: 'eA= =' }), SERIALIZATION],
  ['a list of bytes', 'UploadLayerPart', () => part(0, 'x', { layerPartBlob: [120] }), SERIALIZATION],
  ['a negative offset', 'UploadLayerPart', () => part(-1, 'x'), IPE],
  ['an end before its beginning', 'UploadLayerPart', () => part(0, 'x', { partFirstByte: 5, partLastByte: 2 }), IPE],
  ['an offset beyond all numbers', 'UploadLayerPart', () => part(0, 'x', { partFirstByte: 2 ** 60 }), SERIALIZATION],
  ['a gap', 'UploadLayerPart', () => part(10, 'x'), '400 InvalidLayerPartException'],
  [
    'fewer bytes than said',
    'UploadLayerPart',
    () => part(0, 'x', { partLastByte: 5 }),
    '400 InvalidLayerPartException',
  ],
  [
    'more bytes than said',
    'UploadLayerPart',
    () => part(0, 'xyz', { partLastByte: 0 }),
    '400 InvalidLayerPartException',
  ],
  [
    'a part that is too large',
    'UploadLayerPart',
    () => part(0, 'x', { layerPartBlob: Buffer.alloc(PART_BYTES_MAX + 3).toString('base64') }),
    IPE,
  ],
  [
    'nothing uploaded',
    'CompleteLayerUpload',
    () => ({ repositoryName, uploadId, layerDigests: [absent] }),
    '400 EmptyUploadException',
  ],
  [
    'two digests',
    'CompleteLayerUpload',
    () => ({ repositoryName, uploadId, layerDigests: [absent, sha256('x')] }),
    IPE,
  ],
  [
    'md5',
    'CompleteLayerUpload',
    () => ({ repositoryName, uploadId, layerDigests: ['md5:d41d8cd98f00b204e9800998ecf8427e'] }),
    IPE,
  ],
])

const image = (imageManifest: unknown, more: object = {}) => ({ repositoryName, imageManifest, ...more })
const OCI = 'application/vnd.oci.image.manifest.v1+json'

table('images', [
  ['no JSON', 'PutImage', image('hello'), IPE],
  ['an empty manifest', 'PutImage', image(''), IPE],
  ['a manifest that is no text', 'PutImage', image({ schemaVersion: 2 }), SERIALIZATION],
  ['a manifest of more than 4 MiB', 'PutImage', image(' '.repeat(4_194_305)), IPE],
  ['a manifest of 4 MiB that counts double', 'PutImage', image('"'.repeat(4_194_304)), IPE],
  ['a deep manifest', 'PutImage', image('{"a":'.repeat(100_000)), IPE],
  ['a key twice', 'PutImage', image('{"schemaVersion":2,"schemaVersion":1}'), IPE],
  ['no media type', 'PutImage', image('{"schemaVersion":2}'), IPE],
  ['an unknown media type', 'PutImage', image('{"schemaVersion":2}', { imageManifestMediaType: 'text/html' }), IPE],
  ['no layers', 'PutImage', image('{"schemaVersion":2}', { imageManifestMediaType: OCI }), IPE],
  ['a tag that is none', 'PutImage', image('{}', { imageTag: '../x' }), IPE],
  ['a tag of 301 characters', 'PutImage', image('{}', { imageTag: 'x'.repeat(301) }), IPE],
  ['a digest that is none', 'PutImage', image('{}', { imageDigest: 'x' }), IPE],
  ['a layer that is not there', 'PutImage', image(JSON.stringify(absentImage())), '400 LayersNotFoundException'],
  [
    'another digest',
    'PutImage',
    image(JSON.stringify(absentImage()), { imageDigest: absent }),
    '400 ImageDigestDoesNotMatchException',
  ],
])

describe('envelopes', () => {
  const rows: readonly (readonly [what: string, headers: Readonly<Record<string, string>>, verdict: string])[] = [
    ['no target', {}, '400 UnknownOperationException'],
    ['a target without a dot', { 'x-amz-target': 'CreateRepository' }, '400 UnknownOperationException'],
    ['another service', { 'x-amz-target': 'DynamoDB_20120810.ListTables' }, '400 UnknownOperationException'],
    ['an operation that is none', targetOf('Explode'), '400 UnknownOperationException'],
    ['a member of every object', targetOf('constructor'), '400 UnknownOperationException'],
    ['a target of 8000 characters', targetOf('x'.repeat(8_000)), '400 UnknownOperationException'],
    ['no signature', { ...targetOf('DescribeRegistry'), authorization: '' }, '400 MissingAuthenticationTokenException'],
    [
      'half a signature',
      { ...targetOf('DescribeRegistry'), authorization: 'AWS4-HMAC-SHA256 Credential=x' },
      '400 IncompleteSignatureException',
    ],
    [
      'another scheme',
      { ...targetOf('DescribeRegistry'), authorization: 'Basic QVdTOng=' },
      '400 MissingAuthenticationTokenException',
    ],
    [
      'a scope of one part',
      { ...targetOf('DescribeRegistry'), authorization: ECR_HEADERS.authorization.replace('/20260101', '') },
      '400 IncompleteSignatureException',
    ],
    [
      'a region that is none',
      { ...targetOf('DescribeRegistry'), authorization: ECR_HEADERS.authorization.replace('us-east-1', '../..') },
      '400 IncompleteSignatureException',
    ],
  ]
  for (const [what, headers, expected] of rows) {
    test(`${what}: ${expected}`, async () => {
      const answer = await rawRequest(target, {
        method: 'POST',
        path: '/',
        headers: { ...ECR_HEADERS, ...headers },
        body: '{}',
      })
      expect(verdict(answer)).toBe(expected)
    })
  }

  test('a host that is none is no reason to fail', async () => {
    for (const host of ['[', 'a b', '%', 'http://x', 'x:99999', '', '000000000000.dkr.ecr..x', 'a@b']) {
      const answer = await ecrRequest(target, 'DescribeRepositories', '{}', { host })
      expect(`${host}: ${verdict(answer)}`).toMatch(/: (200|400|400 \w+|404|hung up)$/)
    }
  })

  test('forms that are none', async () => {
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    for (const body of [
      '',
      'Action=',
      'Action=GetCallerIdentity',
      'Action=GetCallerIdentity&Version=2011-06-15',
      '%',
      '&&&=',
      'Action=\0',
      'x'.repeat(100_000),
    ]) {
      const answer = await rawRequest(target, { method: 'POST', path: '/', headers: form, body })
      expect(answer?.status).toBeGreaterThanOrEqual(400)
      expect(answer?.status).toBeLessThan(500)
    }
  })
})

test('after all that, the registry is as it was', async () => {
  expect(verdict(await ecrRequest(target, 'ListImages', JSON.stringify({ repositoryName })))).toBe('200')
  const bytes = noise('fine', 1_000)
  const whole = { ...part(0, 'x'), partLastByte: 999, layerPartBlob: bytes.toString('base64') }
  expect(verdict(await ecrRequest(target, 'UploadLayerPart', JSON.stringify(whole)))).toBe('200')
  const complete = { repositoryName, uploadId, layerDigests: [sha256(bytes)] }
  expect(verdict(await ecrRequest(target, 'CompleteLayerUpload', JSON.stringify(complete)))).toBe('200')
})

function part(partFirstByte: number, bytes: string, more: object = {}) {
  const layerPartBlob = Buffer.from(bytes).toString('base64')
  return {
    repositoryName,
    uploadId,
    partFirstByte,
    partLastByte: partFirstByte + bytes.length - 1,
    layerPartBlob,
    ...more,
  }
}

function withFilters(imageTagMutability: string, filters: readonly string[]) {
  const imageTagMutabilityExclusionFilters = filters.map((filter) => ({ filterType: 'WILDCARD', filter }))
  return { repositoryName: 'a/b', imageTagMutability, imageTagMutabilityExclusionFilters }
}

function tagged(tags: readonly object[]) {
  return { repositoryName: 'a/b', tags }
}

function absentImage() {
  const config = { mediaType: 'application/json', digest: absent, size: 5 }
  return { schemaVersion: 2, mediaType: OCI, config, layers: [] }
}

function targetOf(operation: string) {
  return { 'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}` }
}
