import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sha256 } from '../../support/image-builder.ts'
import { createPlane, createRepository, type Plane, putBlob, putImage, refusalOf } from './plane.ts'

const CONTENT = '0123456789'
const DIGEST = sha256(CONTENT)
const PATH = `/v2/team/app/blobs/${DIGEST}`

let plane: Plane
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, 'team/app')
  await createRepository(plane, 'team/other')
  await putBlob(plane, 'team/app', CONTENT)
})
afterAll(() => plane.close())

const get = (headers: Record<string, string> = {}, path = PATH) => plane.ask('GET', path, { headers })

describe('whole', () => {
  test('GET sends the bytes, HEAD says how many there are', async () => {
    const whole = await get()
    expect(whole.status).toBe(200)
    expect(await whole.text()).toBe(CONTENT)
    const head = await plane.ask('HEAD', PATH)
    expect(head.status).toBe(200)
    expect(head.body).toBeNull()
    for (const { headers } of [whole, head]) {
      expect(headers.get('content-length')).toBe('10')
      expect(headers.get('content-type')).toBe('application/octet-stream')
      expect(headers.get('docker-content-digest')).toBe(DIGEST)
      expect(headers.get('etag')).toBe(`"${DIGEST}"`)
      expect(headers.get('accept-ranges')).toBe('bytes')
      expect(headers.get('content-disposition')).toBe('attachment')
    }
  })

  test('an empty blob is sent as one', async () => {
    const digest = await putBlob(plane, 'team/app', '')
    const response = await get({ range: 'bytes=0-' }, `/v2/team/app/blobs/${digest}`)
    expect(response.status).toBe(200)
    expect(response.headers.get('content-length')).toBe('0')
    expect(await response.text()).toBe('')
  })

  test('only through a repository that holds it', async () => {
    const refusal = await refusalOf(await get({}, `/v2/team/other/blobs/${DIGEST}`))
    expect(refusal).toMatchObject({ status: 404, code: 'BLOB_UNKNOWN' })
  })
})

describe('ranges', () => {
  test.each([
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
    ['bytes=0-', CONTENT, 'bytes 0-9/10'],
  ])('%s', async (range, content, contentRange) => {
    const response = await get({ range })
    expect(response.status).toBe(206)
    expect(response.headers.get('content-range')).toBe(contentRange)
    expect(response.headers.get('content-length')).toBe(String(content.length))
    expect(await response.text()).toBe(content)
  })

  test.each(['bytes=10-', 'bytes=20-30', 'bytes=5-2', 'bytes=-0'])('%s cannot be satisfied', async (range) => {
    const response = await get({ range })
    expect(response.headers.get('content-range')).toBe('bytes */10')
    expect((await refusalOf(response)).status).toBe(416)
  })

  test.each(['bytes=0-1,3-4', 'items=0-1', 'bytes=x'])('%s brings the whole blob', async (range) => {
    const response = await get({ range })
    expect(response.status).toBe(200)
    expect(await response.text()).toBe(CONTENT)
  })

  test('If-Range of this blob keeps the range, of another drops it', async () => {
    const range = 'bytes=2-4'
    expect((await get({ range, 'if-range': `"${DIGEST}"` })).status).toBe(206)
    expect((await get({ range, 'if-range': `"${sha256('other')}"` })).status).toBe(200)
    expect((await get({ range, 'if-range': 'Mon, 02 Mar 2026 08:00:00 GMT' })).status).toBe(200)
  })

  test('HEAD knows no ranges', async () => {
    const response = await plane.ask('HEAD', PATH, { headers: { range: 'bytes=2-4' } })
    expect(response.status).toBe(200)
    expect(response.headers.get('content-length')).toBe('10')
  })
})

test.each([`"${DIGEST}"`, `W/"${DIGEST}"`, `"other", "${DIGEST}"`, DIGEST, '*'])(
  'If-None-Match %s: nothing is sent again',
  async (condition) => {
    for (const method of ['GET', 'HEAD']) {
      const response = await plane.ask(method, PATH, { headers: { 'if-none-match': condition } })
      expect(response.status).toBe(304)
      expect(response.body).toBeNull()
      expect(response.headers.get('etag')).toBe(`"${DIGEST}"`)
    }
    expect((await get({ 'if-none-match': '"other"' })).status).toBe(200)
  },
)

describe('delete', () => {
  test('takes a blob out of the repository', async () => {
    const digest = await putBlob(plane, 'team/app', 'to be deleted')
    const path = `/v2/team/app/blobs/${digest}`
    expect((await plane.ask('DELETE', path)).status).toBe(202)
    expect((await plane.ask('HEAD', path)).status).toBe(404)
    expect((await refusalOf(await plane.ask('DELETE', path))).code).toBe('BLOB_UNKNOWN')
  })

  test('spares what an image needs', async () => {
    await putImage(plane, 'team/app', 'v1', 'needed')
    const path = `/v2/team/app/blobs/${sha256('layer of needed')}`
    expect(await refusalOf(await plane.ask('DELETE', path))).toMatchObject({ status: 405, code: 'UNSUPPORTED' })
    expect((await plane.ask('HEAD', path)).status).toBe(200)
  })

  test('is unknown to ECR', async () => {
    const ecr = await createPlane({ fidelity: 'aws' })
    await createRepository(ecr, 'team/app')
    expect(await refusalOf(await ecr.ask('DELETE', PATH))).toMatchObject({ status: 405, code: 'UNSUPPORTED' })
    await ecr.close()
  })
})
