import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { createPlane, createRepository, ORIGIN, type Plane, putBlob, putImage, REQUEST_ID, refusalOf } from './plane.ts'

let plane: Plane
let digest: string
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, 'team/app')
  await putImage(plane, 'team/app', 'latest', 'an image')
  digest = await putBlob(plane, 'team/app', 'a blob')
})
afterAll(() => plane.close())

test('the base says that this is a registry', async () => {
  for (const path of ['/v2/', '/v2']) {
    const response = await plane.ask('GET', path)
    expect(response.status).toBe(200)
    expect(await response.text()).toBe('{}\n')
  }
})

describe('methods', () => {
  test.each([
    ['PUT', '/v2/', 'GET, HEAD'],
    ['DELETE', '/v2/_catalog', 'GET, HEAD'],
    ['POST', '/v2/team/app/tags/list', 'GET, HEAD'],
    ['PATCH', '/v2/team/app/manifests/latest', 'HEAD, GET, PUT, DELETE'],
    ['PUT', '/v2/team/app/blobs/sha256:abc', 'HEAD, GET, DELETE'],
    ['GET', '/v2/team/app/blobs/uploads/', 'POST'],
    ['HEAD', '/v2/team/app/blobs/uploads/', 'POST'],
    ['POST', '/v2/team/app/blobs/uploads/an-id', 'GET, PATCH, PUT, DELETE, HEAD'],
    ['DELETE', '/v2/team/app/referrers/sha256:abc', 'GET, HEAD'],
    ['OPTIONS', '/v2/', 'GET, HEAD'],
  ])('%s %s is not supported, and Allow says what is', async (method, path, allow) => {
    const response = await plane.ask(method, path)
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe(allow)
    if (method !== 'HEAD') expect((await refusalOf(response)).code).toBe('UNSUPPORTED')
  })

  test.each(['/v2/', '/v2/_catalog', '/v2/team/app/tags/list', `/v2/team/app/referrers/sha256:${'0'.repeat(64)}`])(
    'HEAD %s is GET without the body',
    async (path) => {
      const get = await plane.ask('GET', path)
      const head = await plane.ask('HEAD', path)
      expect(head.status).toBe(200)
      expect(head.body).toBeNull()
      expect([...head.headers]).toEqual([...get.headers])
    },
  )
})

describe('refusals', () => {
  test('the envelope ends with a newline and carries the headers of every answer', async () => {
    const response = await plane.ask('GET', '/v2/no/such/tags/list')
    const body =
      '{"errors":[{"code":"NAME_UNKNOWN","message":"The repository with name \'no/such\' does not exist in the registry with id \'123456789012\'"}]}\n'
    expect(response.status).toBe(404)
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-length': String(body.length),
      'content-type': 'application/json; charset=utf-8',
      'docker-distribution-api-version': 'registry/2.0',
      'x-amzn-requestid': REQUEST_ID,
    })
    expect(await response.text()).toBe(body)
  })

  test.each([
    ['/v2/Team/tags/list', 400, 'NAME_INVALID'],
    ['/v2/a/tags/list', 400, 'NAME_INVALID'],
    ['/v2/a..b/tags/list', 400, 'NAME_INVALID'],
    ['/v2/team//app/tags/list', 400, 'NAME_INVALID'],
    [`/v2/${'a'.repeat(257)}/tags/list`, 400, 'NAME_INVALID'],
    ['/v2/team%2F..%2Fapp/tags/list', 400, 'NAME_INVALID'],
    ['/v2/team%00/tags/list', 400, 'NAME_INVALID'],
    ['/v2/%zz/tags/list', 400, 'UNSUPPORTED'],
    ['/v2/team/app', 404, 'UNSUPPORTED'],
    ['/v2/team/app/manifests/', 404, 'UNSUPPORTED'],
    ['/v2/team/app/manifests/-tag', 400, 'TAG_INVALID'],
    [`/v2/team/app/manifests/${'t'.repeat(301)}`, 400, 'TAG_INVALID'],
    ['/v2/team/app/manifests/sha256:abc', 400, 'DIGEST_INVALID'],
    ['/v2/team/app/manifests/md5:d41d8cd98f00b204e9800998ecf8427e', 400, 'DIGEST_INVALID'],
    ['/v2/team/app/blobs/sha256:ABC', 400, 'DIGEST_INVALID'],
    ['/v2/team/app/blobs/latest', 400, 'DIGEST_INVALID'],
    ['/v2/team/app/referrers/latest', 400, 'DIGEST_INVALID'],
    ['/v2/team/app/manifests/missing', 404, 'MANIFEST_UNKNOWN'],
    [`/v2/team/app/blobs/sha256:${'0'.repeat(64)}`, 404, 'BLOB_UNKNOWN'],
    ['/v2/team/app/blobs/uploads/an-id', 404, 'BLOB_UPLOAD_UNKNOWN'],
    ['/v2/no/such/manifests/latest', 404, 'NAME_UNKNOWN'],
  ])('GET %s → %p %s', async (path, status, code) => {
    expect(await refusalOf(await plane.ask('GET', path))).toMatchObject({ status, code })
    const head = await plane.ask('HEAD', path)
    expect(head.status).toBe(status)
    expect(head.body).toBeNull()
  })

  test('our own mistakes are reported, and the client learns nothing but that', async () => {
    const broken = await createPlane()
    await broken.services.metadata.close()
    const refusal = await refusalOf(await broken.ask('GET', '/v2/team/app/tags/list'))
    expect(refusal).toMatchObject({ status: 500, code: 'UNKNOWN' })
    expect(refusal.message).not.toContain('closed')
    expect(broken.reported).toHaveLength(1)
  })
})

test('no request is a mistake of ours', async () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 30 }).map(encodeURIComponent)
  const segment = fc.oneof(
    fc.constantFrom('team', 'app', 'blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers', 'latest', '..', ''),
    fc.constantFrom('%', '%zz', '%2f', '%00', 'sha256:', `sha256:${'0'.repeat(64)}`, `sha512:${'0'.repeat(128)}`),
    text,
  )
  const path = fc.oneof(
    fc.array(segment, { maxLength: 8 }).map((segments) => `/v2/${segments.join('/')}`),
    fc
      .constantFrom('manifests/latest', 'blobs/uploads/', 'tags/list', `blobs/${digest}`)
      .map((end) => `/v2/team/app/${end}`),
  )
  const name = fc.constantFrom('n', 'last', 'digest', 'mount', 'from', 'tag', 'artifactType', 'nextToken')
  const value = fc.oneof(fc.constantFrom('', '0', '-1', '1001', '1e3', 'sha256:abc', 'team/app', '%zz'), text)
  const query = fc.array(
    fc.tuple(name, value).map((pair) => pair.join('=')),
    { maxLength: 3 },
  )
  const method = fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND')
  const line = fc.stringMatching(/^[\x21-\x7e]{0,20}$/)
  const headers = fc.dictionary(
    fc.constantFrom(
      'range',
      'if-range',
      'if-none-match',
      'content-range',
      'content-type',
      'accept',
      'x-forwarded-proto',
    ),
    fc.oneof(line, fc.constantFrom('bytes=0-1', 'bytes=9-1', '0-1', '5-1', '*', 'application/json')),
    { noNullPrototype: true },
  )
  const body = fc.oneof(fc.constant(''), fc.json(), fc.string())
  await fc.assert(
    fc.asyncProperty(method, path, query, headers, body, async (verb, place, parameters, sent, content) => {
      const url = `${place}?${parameters.join('&')}`
      if (!URL.canParse(ORIGIN + url)) return
      const response = await plane.ask(verb, url, {
        headers: sent,
        ...(verb === 'GET' || verb === 'HEAD' ? {} : { body: content }),
      })
      expect(response.status).toBeLessThan(500)
    }),
    { numRuns: 400 },
  )
  expect(plane.reported).toEqual([])
})
