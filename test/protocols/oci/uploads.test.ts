import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { AWS_QUOTAS, GENEROUS_QUOTAS } from '../../../src/domain/quotas.ts'
import { ClientGone } from '../../../src/protocols/http/body.ts'
import { sha256 } from '../../support/image-builder.ts'
import { admin, OCI_MANIFEST, registry } from '../../support/service-fixture.ts'
import {
  createPlane,
  createRepository,
  manifestIn,
  ORIGIN,
  type Plane,
  putBlob,
  putImage,
  REQUEST_ID,
  refusalOf,
} from './plane.ts'

const UPLOADS = '/v2/team/app/blobs/uploads/'
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

let plane: Plane
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, 'team/app')
  await createRepository(plane, 'team/source')
})
afterAll(() => plane.close())

async function begin(on = plane): Promise<string> {
  const response = await on.ask('POST', UPLOADS)
  expect(response.status).toBe(202)
  return response.headers.get('location') ?? ''
}

const patch = (location: string, body: string, headers: Record<string, string> = {}, on = plane) =>
  on.ask('PATCH', location, { body, headers })

const complete = (location: string, digest: string, body = '', headers: Record<string, string> = {}) =>
  plane.ask('PUT', `${location}?digest=${digest}`, { body, headers })

const read = async (digest: string) => (await plane.ask('GET', `/v2/team/app/blobs/${digest}`)).text()

describe('a session', () => {
  test('begins with its address, its id and an empty range', async () => {
    const response = await plane.ask('POST', UPLOADS)
    const id = response.headers.get('docker-upload-uuid') ?? ''
    expect(response.status).toBe(202)
    expect(id).toMatch(UUID)
    expect(Object.fromEntries(response.headers)).toEqual({
      'docker-distribution-api-version': 'registry/2.0',
      'docker-upload-uuid': id,
      location: `${ORIGIN}${UPLOADS}${id}`,
      range: '0-0',
      'x-amzn-requestid': REQUEST_ID,
    })
  })

  test('takes a stream and is completed', async () => {
    const location = await begin()
    const appended = await patch(location, 'streamed bytes')
    expect(appended.status).toBe(202)
    expect(appended.headers.get('range')).toBe('0-13')
    expect(appended.headers.get('location')).toBe(location)
    expect(location).toEndWith(appended.headers.get('docker-upload-uuid') ?? '?')
    const digest = sha256('streamed bytes')
    const created = await complete(location, digest)
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe(`${ORIGIN}/v2/team/app/blobs/${digest}`)
    expect(created.headers.get('docker-content-digest')).toBe(digest)
    expect(await read(digest)).toBe('streamed bytes')
    expect((await refusalOf(await complete(location, digest))).code).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  test('takes the only chunk with the request that completes it', async () => {
    const digest = sha256('only chunk')
    expect((await complete(await begin(), digest, 'only chunk')).status).toBe(201)
    expect(await read(digest)).toBe('only chunk')
  })

  test('takes chunks in order, the last with the request that completes it', async () => {
    const location = await begin()
    expect((await patch(location, 'aaaa', { 'content-range': '0-3' })).headers.get('range')).toBe('0-3')
    expect((await patch(location, 'bbbb', { 'content-range': '4-7' })).headers.get('range')).toBe('0-7')
    const digest = sha256('aaaabbbbcc')
    expect((await complete(location, digest, 'cc', { 'content-range': '8-9' })).status).toBe(201)
    expect(await read(digest)).toBe('aaaabbbbcc')
  })

  test('says how much has arrived', async () => {
    const location = await begin()
    await patch(location, 'four')
    const status = await plane.ask('GET', location)
    expect(status.status).toBe(204)
    expect(status.headers.get('range')).toBe('0-3')
    expect(status.headers.get('location')).toBe(location)
    expect((await plane.ask('HEAD', location)).headers.get('range')).toBe('0-3')
  })

  test('is gone once cancelled', async () => {
    const location = await begin()
    expect((await plane.ask('DELETE', location)).status).toBe(204)
    for (const method of ['GET', 'DELETE'])
      expect((await refusalOf(await plane.ask(method, location))).code).toBe('BLOB_UPLOAD_UNKNOWN')
  })

  test('belongs to its repository', async () => {
    const location = (await begin()).replace('team/app', 'team/source')
    expect((await refusalOf(await plane.ask('GET', location))).status).toBe(404)
  })

  test('addresses follow the scheme that a proxy forwards', async () => {
    const response = await plane.ask('POST', UPLOADS, { headers: { 'x-forwarded-proto': 'https' } })
    expect(response.headers.get('location')).toStartWith('https://')
  })
})

describe('refused', () => {
  test.each(['8-11', '0-3', '2-5'])('a chunk out of order (%s) learns where to go on', async (contentRange) => {
    const location = await begin()
    await patch(location, 'aaaa', { 'content-range': '0-3' })
    for (const method of ['PATCH', 'PUT']) {
      const target = method === 'PUT' ? `${location}?digest=${sha256('x')}` : location
      const response = await plane.ask(method, target, { body: 'bbbb', headers: { 'content-range': contentRange } })
      expect(response.headers.get('range')).toBe('0-3')
      expect(response.headers.get('location')).toBe(location)
      expect(await refusalOf(response)).toEqual({
        status: 416,
        code: 'BLOB_UPLOAD_INVALID',
        message: `First byte of the layer part is ${contentRange.split('-')[0]} instead of 4`,
      })
    }
    expect((await patch(location, 'bbbb', { 'content-range': '4-7' })).status).toBe(202)
  })

  test.each(['4-', 'bytes', '5-2', '0-9'])('a Content-Range of %p for four bytes', async (contentRange) => {
    const headers = { 'content-range': contentRange, 'content-length': '4' }
    expect((await refusalOf(await patch(await begin(), 'aaaa', headers))).status).toBe(400)
  })

  test('a chunk shorter than it promised, when nothing else gave its length', async () => {
    const response = await patch(await begin(), 'aaaa', { 'content-range': '0-9' })
    expect((await refusalOf(response)).status).toBe(416)
  })

  test('another digest than the bytes have: the session stays', async () => {
    const location = await begin()
    const refusal = await refusalOf(await complete(location, sha256('other'), 'bytes'))
    expect(refusal).toMatchObject({ status: 400, code: 'DIGEST_INVALID' })
    expect((await plane.ask('GET', location)).headers.get('range')).toBe('0-4')
    expect((await complete(location, sha256('bytes'))).status).toBe(201)
  })

  test.each(['', '?digest=', '?digest=latest', '?digest=sha256:abc', '?digest=md5:d41d8cd98f00b204e9800998ecf8427e'])(
    'completing with %p',
    async (query) => {
      const location = await begin()
      expect((await refusalOf(await plane.ask('PUT', location + query))).code).toBe('DIGEST_INVALID')
    },
  )

  test('a repository that does not exist', async () => {
    expect((await refusalOf(await plane.ask('POST', '/v2/no/such/blobs/uploads/'))).code).toBe('NAME_UNKNOWN')
  })
})

describe('in one request', () => {
  test('the blob is there at once', async () => {
    const digest = sha256('all at once')
    const response = await plane.ask('POST', `${UPLOADS}?digest=${digest}`, { body: 'all at once' })
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe(`${ORIGIN}/v2/team/app/blobs/${digest}`)
    expect(response.headers.get('docker-content-digest')).toBe(digest)
    expect(await read(digest)).toBe('all at once')
  })

  test('a wrong digest is refused and leaves no session behind', async () => {
    const response = await plane.ask('POST', `${UPLOADS}?digest=${sha256('a')}`, { body: 'b' })
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'DIGEST_INVALID' })
    const stale = await plane.services.metadata.view.uploads.listStale(new Date('2100-01-01'), 1000)
    const keys = new Set(stale.map(({ key }) => key))
    for await (const { key } of plane.services.blobs.listUploads()) expect(keys).toContain(key)
  })

  test('ECR begins a session instead', async () => {
    const ecr = await createPlane({ fidelity: 'aws' })
    await createRepository(ecr, 'team/app')
    const response = await ecr.ask('POST', `${UPLOADS}?digest=${sha256('a')}`, { body: 'a' })
    expect(response.status).toBe(202)
    await ecr.close()
  })
})

describe('mount', () => {
  const mount = (query: string, on = plane) => on.ask('POST', `${UPLOADS}?${query}`)

  test.each(['&from=team/source', '&from=team%2Fsource', ''])('of a blob that is there (%p)', async (from) => {
    const digest = await putBlob(plane, 'team/source', `to be mounted ${from}`)
    const response = await mount(`mount=${digest}${from}`)
    expect(response.status).toBe(201)
    expect(response.headers.get('location')).toBe(`${ORIGIN}/v2/team/app/blobs/${digest}`)
    expect(response.headers.get('docker-content-digest')).toBe(digest)
    expect(await read(digest)).toBe(`to be mounted ${from}`)
  })

  test.each(['&from=team/source', '&from=no/such', '&from=Not-A-Name', '&from=', ''])(
    'of a blob that is not there (%p) begins a session',
    async (from) => {
      const response = await mount(`mount=${sha256('nowhere')}${from}`)
      expect(response.status).toBe(202)
      expect(response.headers.get('docker-upload-uuid')).toMatch(UUID)
    },
  )

  test('of something that is no digest is refused', async () => {
    expect((await refusalOf(await mount('mount=latest&from=team/source'))).code).toBe('DIGEST_INVALID')
  })

  test('begins a session where mounting needs a setting, as in ECR', async () => {
    const ecr = await createPlane({ fidelity: 'aws', isMountOpen: false })
    await createRepository(ecr, 'team/app')
    await createRepository(ecr, 'team/source')
    await putImageInParts(ecr)
    expect((await mount(`mount=${sha256('layer')}&from=team/source`, ecr)).status).toBe(202)
    await ecr.close()
  })
})

/** Pushes the blob `layer` as ECR's clients do: begin, stream, complete. */
async function putImageInParts(ecr: Plane): Promise<void> {
  const begun = await ecr.ask('POST', '/v2/team/source/blobs/uploads/')
  const location = begun.headers.get('location') ?? ''
  expect((await patch(location, 'layer', {}, ecr)).status).toBe(201)
  expect((await ecr.ask('PUT', `${location}?digest=${sha256('layer')}`)).status).toBe(201)
}

describe('small parts', () => {
  test('are refused where parts have a least size, which the session tells', async () => {
    const quotas = { ...GENEROUS_QUOTAS, layerPartBytesMin: 5 }
    const strict = await createPlane({ quotas, layerPartBytesMin: 5 })
    await createRepository(strict, 'team/app')
    const begun = await strict.ask('POST', UPLOADS)
    expect(begun.headers.get('oci-chunk-min-length')).toBe('5')
    const location = begun.headers.get('location') ?? ''
    expect((await patch(location, '12345', {}, strict)).status).toBe(202)
    expect((await patch(location, '678', {}, strict)).status).toBe(202)
    expect(await refusalOf(await patch(location, '9', {}, strict))).toEqual({
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'All layer parts except the last part should be at least 5MB',
    })
    await strict.close()
  })

  test('a layer beyond the quota is refused', async () => {
    const small = await createPlane({ quotas: { ...AWS_QUOTAS, layerBytes: 4 } })
    await createRepository(small, 'team/app')
    const response = await patch(await begin(small), '12345', {}, small)
    expect(await refusalOf(response)).toMatchObject({ status: 429, code: 'TOOMANYREQUESTS' })
    await small.close()
  })
})

describe('create on push', () => {
  test('is off, as in ECR', async () => {
    expect((await plane.ask('POST', '/v2/new/app/blobs/uploads/')).status).toBe(404)
  })

  test('makes the repository with whatever comes first', async () => {
    const open = await createPlane({ isEveryPushWelcome: true })
    expect((await open.ask('POST', '/v2/by/session/blobs/uploads/')).status).toBe(202)
    await putBlob(open, 'by/blob', 'content')
    expect((await open.ask('POST', `/v2/by/mount/blobs/uploads/?mount=${sha256('content')}`)).status).toBe(201)
    await putImage(open, 'by/image', 'v1', 'content')
    expect((await open.ask('POST', '/v2/Not-A-Name/blobs/uploads/')).status).toBe(400)
    const { repositories } = (await (await open.ask('GET', '/v2/_catalog')).json()) as { repositories: string[] }
    expect(repositories).toEqual(['by/blob', 'by/image', 'by/mount', 'by/session'])
    await open.close()
  })
})

test('a template for CREATE_ON_PUSH makes the repository of a push', async () => {
  const settings = { appliedFor: ['CREATE_ON_PUSH'], mutabilityMode: 'IMMUTABLE' } as const
  await plane.services.creationTemplates.create(admin, registry, 'templated', settings)
  expect((await plane.ask('POST', '/v2/templated/blobs/uploads/')).status).toBe(404)
  await putImage(plane, 'templated/app', 'v1', 'content')
  const again = await plane.ask('PUT', '/v2/templated/app/manifests/v1', {
    body: await manifestIn(plane, 'templated/app', 'other'),
    headers: { 'content-type': OCI_MANIFEST },
  })
  expect((await refusalOf(again)).code).toBe('TAG_INVALID')
})

test('a client that leaves keeps what has arrived, and nobody calls it a mistake', async () => {
  const location = await begin()
  let pulls = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (pulls++ === 0) controller.enqueue(new TextEncoder().encode('half of'))
      else controller.error(new Error('connection lost'))
    },
  })
  expect((await plane.ask('PATCH', location, { body })).status).toBe(400)
  expect((await plane.ask('GET', location)).headers.get('range')).toBe('0-6')
  expect((await complete(location, sha256('half of it'), ' it', { 'content-range': '7-9' })).status).toBe(201)
  expect(plane.reported.filter((thrown) => thrown instanceof ClientGone)).toEqual([])
  expect(plane.reported).toEqual([])
})
