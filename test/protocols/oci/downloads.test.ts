import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseDigest } from '../../../src/domain/digest.ts'
import { DOWNLOAD_URL_LIFETIME_MS } from '../../../src/services/images/download-urls.ts'
import { sha256 } from '../../support/image-builder.ts'
import { admin, refTo } from '../../support/service-fixture.ts'
import { createPlane, createRepository, type Plane, putBlob, putImage, refusalOf } from './plane.ts'

const CONTENT = 'layer of an image'
const DIGEST = sha256(CONTENT)

let plane: Plane
let ticket: string
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, 'team/app')
  await putImage(plane, 'team/app', 'v1', 'an image')
  ticket = await plane.services.layers.ticketFor(admin, refTo('team/app'), parseDigest(DIGEST))
})
afterAll(() => plane.close())

const get = (digest: string, ticketText: string, headers: Record<string, string> = {}, method = 'GET') =>
  plane.ask(method, `/_ecru/layers/${digest}?ticket=${ticketText}`, { isLoggedIn: false, headers })

test('whoever holds a ticket reads the layer', async () => {
  const response = await get(DIGEST, ticket)
  expect(response.status).toBe(200)
  expect(response.headers.get('docker-content-digest')).toBe(DIGEST)
  expect(await response.text()).toBe(CONTENT)
})

test('also percent-encoded, in ranges, and by HEAD', async () => {
  expect((await get(DIGEST.replace(':', '%3A'), ticket)).status).toBe(200)
  const part = await get(DIGEST, ticket, { range: 'bytes=-5' })
  expect(part.status).toBe(206)
  expect(await part.text()).toBe('image')
  expect((await get(DIGEST, ticket, { range: 'bytes=99-' })).status).toBe(416)
  const head = await get(DIGEST, ticket, {}, 'HEAD')
  expect(head.headers.get('content-length')).toBe(String(CONTENT.length))
  expect(head.body).toBeNull()
})

test('a ticket that is missing, forged or of another kind is refused', async () => {
  const login = Buffer.from(plane.authorization.slice(6), 'base64').toString().slice(4)
  for (const text of ['', 'x', `${ticket.slice(0, -3)}abc`, login])
    expect(await refusalOf(await get(DIGEST, text))).toMatchObject({ status: 403, code: 'DENIED' })
  const head = await get(DIGEST, 'x', {}, 'HEAD')
  expect(head.status).toBe(403)
  expect(head.body).toBeNull()
})

test('a ticket opens its own layer alone', async () => {
  const other = await putBlob(plane, 'team/app', 'another layer')
  expect((await refusalOf(await get(other, ticket))).code).toBe('BLOB_UNKNOWN')
})

test('what is no digest is refused', async () => {
  for (const digest of ['', 'latest', '%zz', '..%2Fetc'])
    expect(await refusalOf(await get(digest, ticket))).toMatchObject({ status: 400, code: 'DIGEST_INVALID' })
})

test('nothing is uploaded here', async () => {
  const response = await get(DIGEST, ticket, {}, 'PUT')
  expect(response.status).toBe(405)
  expect(response.headers.get('allow')).toBe('GET, HEAD')
})

test('a ticket expires', async () => {
  const other = await createPlane()
  await createRepository(other, 'team/app')
  await putImage(other, 'team/app', 'v1', 'an image')
  const expired = await other.services.layers.ticketFor(admin, refTo('team/app'), parseDigest(DIGEST))
  other.services.clock.advance(DOWNLOAD_URL_LIFETIME_MS + 1000)
  const response = await other.ask('GET', `/_ecru/layers/${DIGEST}?ticket=${expired}`, { isLoggedIn: false })
  expect((await refusalOf(response)).status).toBe(403)
  await other.close()
})
