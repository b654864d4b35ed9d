import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { noise, sha256 } from '../support/image-builder.ts'
import { ociRequest, type RawRequest, type RawTarget, rawRequest, verdict } from '../support/raw-request.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { Wire } from '../torture/wire.ts'

const NAME = 'hostile/app'
const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024

const blob = noise('hostile', 1_000)
const digest = sha256(blob)
const absent = sha256('absent')

let registry: RunningRegistry
let target: RawTarget
let upload: string

beforeAll(async () => {
  registry = await startRegistry({ env: { ECRU_LOG_LEVEL: 'warn', ECRU_LOG_FORMAT: 'pretty' } })
  const wire = new Wire(registry.port)
  const basic = `Basic ${Buffer.from(`AWS:${await wire.logIn()}`).toString('base64')}`
  target = { port: registry.port, basic }
  await wire.ecr('CreateRepository', { repositoryName: NAME })
  const put = await wire.oci('POST', `${NAME}/blobs/uploads/?digest=${digest}`, { body: blob })
  expect(put.status).toBe(201)
  const begun = await wire.oci('POST', `${NAME}/blobs/uploads/`)
  upload = new URL(begun.headers.get('location') ?? '').pathname
})

afterAll(async () => {
  const said = await registry.log()
  await registry.stop()
  expect(said).not.toMatch(/ (ERROR|FATAL) /)
})

/** One row: what is asked, and status with code of the answer. */
type Row = readonly [what: string, request: RawRequest | (() => RawRequest), verdict: string]

function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    for (const [what, request, expected] of rows) {
      test(`${what}: ${expected}`, async () => {
        const answer = await ociRequest(target, typeof request === 'function' ? request() : request)
        expect(verdict(answer)).toBe(expected)
      })
    }
  })
}

const tags = (name: string): RawRequest => ({ path: `/v2/${name}/tags/list` })

table('names', [
  ['capitals', tags('Hostile/App'), '400 NAME_INVALID'],
  ['one character', tags('a'), '400 NAME_INVALID'],
  ['257 characters', tags('a'.repeat(257)), '400 NAME_INVALID'],
  ['8000 characters', tags('a/'.repeat(4_000)), '400 NAME_INVALID'],
  ['a separator at the start', tags('-app'), '400 NAME_INVALID'],
  ['a separator at the end', tags('app.'), '400 NAME_INVALID'],
  ['two dots', tags('a..b'), '400 NAME_INVALID'],
  ['three underscores', tags('a___b'), '400 NAME_INVALID'],
  ['an empty part', tags('hostile//app'), '400 NAME_INVALID'],
  ['NUL', tags('hostile%00app'), '400 NAME_INVALID'],
  ['a line end', tags('hostile%0d%0aapp'), '400 NAME_INVALID'],
  ['not ASCII', tags('h%C3%B6stile'), '400 NAME_INVALID'],
  ['a backslash', tags('hostile%5capp'), '400 NAME_INVALID'],
  ['SQL', tags("x';drop%20table%20images--"), '400 NAME_INVALID'],
  ['no UTF-8', tags('hostile%ff'), '400 UNSUPPORTED'],
  ['a percent sign and no number', tags('hostile%zz'), '400 UNSUPPORTED'],
  ['one that is slow for a careless expression', tags(`${'a-'.repeat(120)}A`), '400 NAME_INVALID'],
  ['one that nobody has made', tags('hostile/none'), '404 NAME_UNKNOWN'],
])

table('paths', [
  ['dots that climb out of the interface', { path: '/v2/../../etc/passwd' }, '404'],
  ['the same in percent-encoding', { path: '/v2/%2e%2e/%2e%2e/etc/passwd/tags/list' }, '404'],
  ['dots that stay inside', { path: `/v2/x/../${NAME}/tags/list` }, '200'],
  ['an encoded slash is a slash', { path: '/v2/hostile%2fapp/tags/list' }, '200'],
  ['encoded dots and slash', { path: '/v2/hostile/app/blobs/..%2f..%2f..%2fmetadata.db' }, '404 UNSUPPORTED'],
  ['a digest that climbs', { path: `/v2/${NAME}/blobs/sha256:..%2f..%2fmetadata.db` }, '404 UNSUPPORTED'],
  ['an upload that climbs', { path: `/v2/${NAME}/blobs/uploads/..%2fblobs` }, '404 UNSUPPORTED'],
  ['nothing behind the name', { path: `/v2/${NAME}` }, '404 UNSUPPORTED'],
  ['nothing behind the word', { path: `/v2/${NAME}/manifests/` }, '404 UNSUPPORTED'],
  ['only words', { path: '/v2/tags/list' }, '404 UNSUPPORTED'],
  ['a member of every object', { path: `/v2/${NAME}/__proto__/x` }, '404 UNSUPPORTED'],
  ['another one', { path: `/v2/${NAME}/constructor/x` }, '404 UNSUPPORTED'],
  // Bun's parser knows the methods of HTTP and hangs up on others.
  ['a method that is none', { method: 'BREW', path: `/v2/${NAME}/tags/list` }, 'hung up'],
  ['a method that is elsewhere', { method: 'DELETE', path: `/v2/${NAME}/tags/list` }, '405 UNSUPPORTED'],
  [
    "an operator's path with a host that is none",
    { path: '/metrics', headers: { host: 'x:y', origin: 'http://x' } },
    '400 SerializationException',
  ],
  ['a rare one', { method: 'PROPFIND', path: `/v2/${NAME}/tags/list` }, '405 UNSUPPORTED'],
])

const blobPath = `/v2/${NAME}/blobs/`

table('digests', [
  ['no digest', { path: `${blobPath}latest` }, '400 DIGEST_INVALID'],
  ['unknown algorithm', { path: `${blobPath}md5:d41d8cd98f00b204e9800998ecf8427e` }, '400 DIGEST_INVALID'],
  ['too short', { path: `${blobPath}${digest.slice(0, -1)}` }, '400 DIGEST_INVALID'],
  ['too long', { path: `${blobPath}${digest}0` }, '400 DIGEST_INVALID'],
  ['capitals', { path: `${blobPath}${digest.toUpperCase().replace('SHA', 'sha')}` }, '400 DIGEST_INVALID'],
  ['a sha512 of the length of sha256', { path: `${blobPath}${digest.replace('256', '512')}` }, '400 DIGEST_INVALID'],
  ['a million digits', { path: `${blobPath}sha256:${'0'.repeat(12_000)}` }, '400 DIGEST_INVALID'],
  ['a line end behind', { path: `${blobPath}${digest}%0a` }, '400 DIGEST_INVALID'],
  ['absent', { path: blobPath + absent }, '404 BLOB_UNKNOWN'],
  ['absent, asked for its head', { method: 'HEAD', path: blobPath + absent }, '404'],
  ['referrers of nothing', { path: `/v2/${NAME}/referrers/latest` }, '400 DIGEST_INVALID'],
])

const tagged = (reference: string): RawRequest => ({ path: `/v2/${NAME}/manifests/${reference}` })

table('references', [
  ['a tag with a dash first', tagged('-x'), '400 TAG_INVALID'],
  ['a tag of 301 characters', tagged('x'.repeat(301)), '400 TAG_INVALID'],
  ['NUL', tagged('x%00'), '400 TAG_INVALID'],
  ['a picture', tagged('%F0%9F%90%8B'), '400 TAG_INVALID'],
  ['a line end behind', tagged('latest%0a'), '400 TAG_INVALID'],
  ['half a digest', tagged('sha256:'), '400 DIGEST_INVALID'],
  ['absent tag', tagged('latest'), '404 MANIFEST_UNKNOWN'],
  ['absent digest', tagged(absent), '404 MANIFEST_UNKNOWN'],
])

const ranged = (range: string): RawRequest => ({ path: blobPath + digest, headers: { range } })

table('ranges of a blob of 1000 bytes', [
  ['behind the end', ranged('bytes=1000-'), '416 BLOB_UNKNOWN'],
  ['ends before it begins', ranged('bytes=5-2'), '416 BLOB_UNKNOWN'],
  ['the last 0 bytes', ranged('bytes=-0'), '416 BLOB_UNKNOWN'],
  ['a number beyond all numbers', ranged(`bytes=${'9'.repeat(400)}-`), '416 BLOB_UNKNOWN'],
  ['an end beyond all numbers', ranged(`bytes=0-${'9'.repeat(400)}`), '206'],
  ['more last bytes than there are', ranged('bytes=-99999'), '206'],
  ['no numbers', ranged('bytes=a-b'), '200'],
  ['negative', ranged('bytes=-5-10'), '200'],
  ['several', ranged('bytes=0-9,20-29'), '200'],
  ['a thousand', ranged(`bytes=${'0-0,'.repeat(1_000)}1-1`), '200'],
  ['another unit', ranged('lines=0-5'), '200'],
])

const part = (contentRange: string, bytes: string, method = 'PATCH'): (() => RawRequest) => {
  return () => ({ method, path: upload, headers: { 'content-range': contentRange }, body: bytes })
}
const complete = (query: string): (() => RawRequest) => {
  return () => ({ method: 'PUT', path: `${upload}${query}`, body: '' })
}
const start = (query: string): RawRequest => ({ method: 'POST', path: `/v2/${NAME}/blobs/uploads/${query}`, body: '' })

table('uploads', [
  ['a gap', part('10-19', 'x'.repeat(10)), '416 BLOB_UPLOAD_INVALID'],
  ['a range longer than the body', part('0-19', 'x'.repeat(10)), '400 UNSUPPORTED'],
  ['a range shorter than the body', part('0-4', 'x'.repeat(10)), '400 UNSUPPORTED'],
  ['a range that ends before it begins', part('5-2', 'x'), '400 UNSUPPORTED'],
  ['a range of words', part('from-to', 'x'), '400 UNSUPPORTED'],
  ['a negative range', part('-5-4', 'x'.repeat(10)), '400 UNSUPPORTED'],
  ['a range beyond all numbers', part(`${'9'.repeat(30)}-${'9'.repeat(30)}`, 'x'), '400 UNSUPPORTED'],
  ['no digest', complete(''), '400 DIGEST_INVALID'],
  ['an empty digest', complete('?digest='), '400 DIGEST_INVALID'],
  ['a digest that is none', complete('?digest=latest'), '400 DIGEST_INVALID'],
  ['the digest of something else', complete(`?digest=${absent}`), '400 DIGEST_INVALID'],
  ['unknown', { path: `/v2/${NAME}/blobs/uploads/00000000-0000-0000-0000-000000000000` }, '404 BLOB_UPLOAD_UNKNOWN'],
  [
    'an id that is none',
    { method: 'PATCH', path: `/v2/${NAME}/blobs/uploads/x`, body: 'x' },
    '404 BLOB_UPLOAD_UNKNOWN',
  ],
  ['an id with NUL', { path: `/v2/${NAME}/blobs/uploads/%00` }, '404 BLOB_UPLOAD_UNKNOWN'],
  ['of another repository', () => ({ path: upload.replace(NAME, 'hostile/none') }), '404 NAME_UNKNOWN'],
  ['begun with a digest that is none', start('?digest=x'), '400 DIGEST_INVALID'],
  ['begun with a mount that is none', start('?mount=x'), '400 DIGEST_INVALID'],
  ['begun whole, of something else', { ...start(`?digest=${absent}`), body: 'x' }, '400 DIGEST_INVALID'],
  ['mounted from a name that is none', start(`?mount=${absent}&from=../../etc`), '202'],
  ['mounted from nowhere', start(`?mount=${absent}&from=hostile/none`), '202'],
])

const put = (body: string | Uint8Array, mediaType = OCI_MANIFEST, reference = 'latest'): RawRequest => ({
  method: 'PUT',
  path: `/v2/${NAME}/manifests/${reference}`,
  headers: { 'content-type': mediaType },
  body,
})
const descriptor = { mediaType: 'application/octet-stream', digest, size: blob.length }
const manifest = (members: object) =>
  put(JSON.stringify({ schemaVersion: 2, mediaType: OCI_MANIFEST, config: descriptor, layers: [], ...members }))
const index = (members: object) =>
  put(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [], ...members }), OCI_INDEX)
const child = { mediaType: OCI_MANIFEST, digest: absent, size: 5 }

table('manifests', [
  ['nothing', put(''), '400 MANIFEST_INVALID'],
  ['no JSON', put('hello'), '400 MANIFEST_INVALID'],
  ['half of it', put('{"schemaVersion":2,'), '400 MANIFEST_INVALID'],
  ['an unfinished string', put('{"schemaVersion":2,"mediaType":"x'), '400 MANIFEST_INVALID'],
  ['a list', put('[]'), '400 MANIFEST_INVALID'],
  ['null', put('null'), '400 MANIFEST_INVALID'],
  ['no UTF-8', put(Uint8Array.of(0x7b, 0xff, 0xfe, 0x7d)), '400 MANIFEST_INVALID'],
  ['deep', put('['.repeat(200_000) + ']'.repeat(200_000)), '400 MANIFEST_INVALID'],
  ['deep and unfinished', put('{"a":'.repeat(300_000)), '400 MANIFEST_INVALID'],
  ['too large', put(' '.repeat(MANIFEST_BYTES_MAX + 1)), '413 SIZE_INVALID'],
  ['a key twice', put(`{"schemaVersion":2,"schemaVersion":2,"mediaType":"${OCI_MANIFEST}"}`), '400 MANIFEST_INVALID'],
  ['a key twice, once escaped', put('{"layers":[],"l\\u0061yers":[]}'), '400 MANIFEST_INVALID'],
  ['image and index at once', manifest({ manifests: [child] }), '400 MANIFEST_INVALID'],
  ['index and image at once', index({ layers: [descriptor] }), '400 MANIFEST_INVALID'],
  ['schema 1', manifest({ schemaVersion: 1 }), '400 MANIFEST_INVALID'],
  ['a schema of text', manifest({ schemaVersion: '2' }), '400 MANIFEST_INVALID'],
  ['layers of text', manifest({ layers: 'x' }), '400 MANIFEST_INVALID'],
  ['a layer of text', manifest({ layers: ['x'] }), '400 MANIFEST_INVALID'],
  ['a layer of null', manifest({ layers: [null] }), '400 MANIFEST_INVALID'],
  ['no config', manifest({ config: undefined }), '400 MANIFEST_INVALID'],
  [
    'a digest that is none',
    manifest({ config: { ...descriptor, digest: '../../etc/passwd' } }),
    '400 MANIFEST_INVALID',
  ],
  ['a negative size', manifest({ layers: [{ ...descriptor, size: -1 }] }), '400 MANIFEST_INVALID'],
  ['half a byte', manifest({ layers: [{ ...descriptor, size: 0.5 }] }), '400 MANIFEST_INVALID'],
  ['a size of text', manifest({ layers: [{ ...descriptor, size: '5' }] }), '400 MANIFEST_INVALID'],
  ['a size beyond all numbers', manifest({ layers: [{ ...descriptor, size: 2 ** 60 }] }), '400 MANIFEST_INVALID'],
  ['annotations of numbers', manifest({ annotations: { a: 1 } }), '400 MANIFEST_INVALID'],
  ['a subject of text', manifest({ subject: absent }), '400 MANIFEST_INVALID'],
  ['an artifact type of numbers', manifest({ artifactType: 5 }), '400 MANIFEST_INVALID'],
  [
    'two media types',
    put(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX }), OCI_MANIFEST),
    '400 MANIFEST_INVALID',
  ],
  ['an unknown media type', put('{"schemaVersion":2}', 'text/html'), '400 MANIFEST_INVALID'],
  ['a media type of numbers', put('{"schemaVersion":2,"mediaType":5}'), '400 MANIFEST_INVALID'],
  ['no media type', put('{"schemaVersion":2}', ''), '405 UNSUPPORTED'],
  ['another digest', put('{}', OCI_MANIFEST, absent), '400 MANIFEST_INVALID'],
  ['a layer that is not there', manifest({ layers: [{ ...descriptor, digest: absent }] }), '404 BLOB_UPLOAD_UNKNOWN'],
  ['a child that is not there', index({ manifests: [child] }), '404 MANIFEST_BLOB_UNKNOWN'],
  ['ten thousand layers that are not there', manifest({ layers: manyAbsent(10_000) }), '404 BLOB_UPLOAD_UNKNOWN'],
])

table('listings', [
  ['a negative page', { path: `/v2/${NAME}/tags/list?n=-1` }, '405 UNSUPPORTED'],
  ['a page of words', { path: `/v2/${NAME}/tags/list?n=all` }, '405 UNSUPPORTED'],
  ['a page beyond all numbers', { path: `/v2/${NAME}/tags/list?n=${'9'.repeat(40)}` }, '405 UNSUPPORTED'],
  ['behind a tag that is none', { path: `/v2/${NAME}/tags/list?last=%00` }, '400 TAG_INVALID'],
  ['behind a name that is none', { path: '/v2/_catalog?last=..' }, '400 NAME_INVALID'],
  ['a catalog page of words', { path: '/v2/_catalog?n=all' }, '405 UNSUPPORTED'],
  ['a page token of somebody else', { path: `/v2/${NAME}/referrers/${absent}?nextToken=x` }, '405 UNSUPPORTED'],
])

describe('credentials', () => {
  const rows: readonly (readonly [what: string, authorization: string | undefined, verdict: string])[] = [
    ['none', undefined, '401'],
    ['empty', '', '401'],
    ['another scheme', 'Bearer abc', '401'],
    ['another user', `Basic ${Buffer.from('root:secret').toString('base64')}`, '401'],
    ['no base64', 'Basic !!!!', '400 DENIED'],
    ['no colon', `Basic ${Buffer.from('AWS').toString('base64')}`, '400 DENIED'],
    ['a password that is no token', `Basic ${Buffer.from('AWS:secret').toString('base64')}`, '400 DENIED'],
    ['an unsigned token', `Basic ${Buffer.from(`AWS:${unsigned()}`).toString('base64')}`, '400 DENIED'],
    [
      'a password of 7000 characters',
      `Basic ${Buffer.from(`AWS:${'x'.repeat(7_000)}`).toString('base64')}`,
      '400 DENIED',
    ],
  ]
  for (const [what, authorization, expected] of rows) {
    test(`${what}: ${expected}`, async () => {
      const headers = authorization === undefined ? {} : { authorization }
      expect(verdict(await rawRequest(target, { path: `/v2/${NAME}/tags/list`, headers }))).toBe(expected)
    })
  }

  test('a token with one changed letter: 400 DENIED', async () => {
    const token = Buffer.from(target.basic.slice('Basic '.length), 'base64').toString()
    const at = token.length - 20
    const forged = `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`
    const headers = { authorization: `Basic ${Buffer.from(forged).toString('base64')}` }
    expect(verdict(await rawRequest(target, { path: '/v2/', headers }))).toBe('400 DENIED')
  })
})

test('after all that, the registry is as it was', async () => {
  const answer = await ociRequest(target, { path: blobPath + digest })
  expect(verdict(answer)).toBe('200')
  expect(verdict(await ociRequest(target, tags(NAME)))).toBe('200')
  const status = await ociRequest(target, { path: upload })
  expect(status?.headers.get('range')).toBe('0-0')
})

function manyAbsent(count: number): readonly object[] {
  return Array.from({ length: count }, (_, n) => ({ ...descriptor, digest: sha256(`absent ${n}`) }))
}

/** A token with the algorithm `none`, which careless verifiers take. */
function unsigned(): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part({ alg: 'none' })}.${part({ iss: 'ecru', aud: 'registry-login', acct: '000000000000', reg: 'us-east-1', exp: 9e9 })}.`
}
