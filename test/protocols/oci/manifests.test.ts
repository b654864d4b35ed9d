import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { parseDigest } from '../../../src/domain/digest.ts'
import { MANIFEST_BYTES_MAX } from '../../../src/domain/manifest.ts'
import { sha256 } from '../../support/image-builder.ts'
import { admin, indexOf, OCI_INDEX, OCI_MANIFEST, refTo } from '../../support/service-fixture.ts'
import { createPlane, createRepository, manifestIn, ORIGIN, type Plane, putImage, refusalOf } from './plane.ts'

let plane: Plane
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, 'team/app')
})
afterAll(() => plane.close())

const at = (reference: string) => `/v2/team/app/manifests/${reference}`
const put = (reference: string, body: string, contentType: string | undefined = OCI_MANIFEST) =>
  plane.ask('PUT', at(reference), { body, headers: { 'content-type': contentType } })

describe('push', () => {
  test('by tag answers where the manifest is', async () => {
    const body = await manifestIn(plane, 'team/app', 'pushed by tag')
    const response = await put('by-tag', body)
    expect(response.status).toBe(201)
    expect(response.headers.get('docker-content-digest')).toBe(sha256(body))
    expect(response.headers.get('location')).toBe(ORIGIN + at(sha256(body)))
    expect(response.headers.has('oci-subject')).toBe(false)
    expect(response.headers.has('oci-tag')).toBe(false)
    expect(await response.text()).toBe('')
  })

  test('again is accepted again', async () => {
    const body = await manifestIn(plane, 'team/app', 'pushed twice')
    expect((await put('twice', body)).status).toBe(201)
    expect((await put('twice', body)).status).toBe(201)
    expect((await put(sha256(body), body)).status).toBe(201)
  })

  test('by digest leaves it untagged', async () => {
    const body = await manifestIn(plane, 'team/app', 'pushed by digest')
    expect((await put(sha256(body), body)).status).toBe(201)
    expect(await (await plane.ask('GET', at(sha256(body)))).text()).toBe(body)
  })

  test('by digest with tags as parameters sets them all', async () => {
    const body = await manifestIn(plane, 'team/app', 'pushed with tags')
    const response = await put(`${sha256(body)}?tag=1.2&tag=1&tag=stable`, body)
    expect(response.status).toBe(201)
    expect(response.headers.get('oci-tag')).toBe('1.2, 1, stable')
    for (const tag of ['1.2', '1', 'stable'])
      expect((await plane.ask('HEAD', at(tag))).headers.get('docker-content-digest')).toBe(sha256(body))
    expect((await refusalOf(await put(`${sha256(body)}?tag=-bad`, body))).code).toBe('TAG_INVALID')
  })

  test('by sha512 keeps that digest', async () => {
    const body = await manifestIn(plane, 'team/app', 'pushed by sha512')
    const digest = `sha512:${createHash('sha512').update(body).digest('hex')}`
    expect((await put(digest, body)).headers.get('docker-content-digest')).toBe(digest)
    expect(await (await plane.ask('GET', at(digest))).text()).toBe(body)
  })

  test('with a subject names it, present or not', async () => {
    const subject = sha256('nobody has pushed this')
    const extra = { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 } }
    const body = await manifestIn(plane, 'team/app', 'a signature', extra)
    expect((await put('signature', body)).headers.get('oci-subject')).toBe(subject)
  })

  test('parameters of the content type are ignored', async () => {
    const body = await manifestIn(plane, 'team/app', 'with charset')
    expect((await put('charset', body, `${OCI_MANIFEST}; charset=utf-8`)).status).toBe(201)
  })
})

describe('push refused', () => {
  test('another digest than the body has', async () => {
    const body = await manifestIn(plane, 'team/app', 'mismatch')
    const refusal = await refusalOf(await put(sha256('other'), body))
    expect(refusal).toMatchObject({ status: 400, code: 'DIGEST_INVALID' })
  })

  test.each([
    ['nothing', ''],
    ['no JSON', '{"schemaVersion":'],
    ['another schema', '{"schemaVersion":1}'],
    ['a list', '[]'],
    ['no config', `{"schemaVersion":2,"mediaType":"${OCI_MANIFEST}","layers":[]}`],
  ])('%s', async (_, body) => {
    expect(await refusalOf(await put('bad', body))).toMatchObject({ status: 400, code: 'MANIFEST_INVALID' })
  })

  test('an unknown media type', async () => {
    const refusal = await refusalOf(await put('bad', '{"schemaVersion":2}', 'application/x-tar'))
    expect(refusal).toMatchObject({ status: 400, code: 'MANIFEST_INVALID' })
  })

  test('layers that are not there, in the words of ECR', async () => {
    await createRepository(plane, 'team/empty')
    const body = await manifestIn(plane, 'team/app', 'layers elsewhere')
    const headers = { 'content-type': OCI_MANIFEST }
    const missing = `${sha256('config of layers elsewhere')}, ${sha256('layer of layers elsewhere')}`
    expect(await refusalOf(await plane.ask('PUT', '/v2/team/empty/manifests/v1', { body, headers }))).toEqual({
      status: 404,
      code: 'BLOB_UPLOAD_UNKNOWN',
      message: `Layers with digests '[${missing}]' required for pushing image into repository with name 'team/empty' in the registry with id '123456789012' do not exist`,
    })
  })

  test('an index whose images are not there', async () => {
    const body = Buffer.from(indexOf([parseDigest(sha256('absent'))])).toString()
    const refusal = await refusalOf(await put('index', body, OCI_INDEX))
    expect(refusal).toMatchObject({ status: 404, code: 'MANIFEST_BLOB_UNKNOWN' })
  })

  test('a tag that is immutable', async () => {
    await createRepository(plane, 'team/fixed')
    await plane.services.repositories.putMutability(admin, refTo('team/fixed'), { mode: 'IMMUTABLE' })
    await putImage(plane, 'team/fixed', 'v1', 'first')
    const body = await manifestIn(plane, 'team/fixed', 'second')
    const headers = { 'content-type': OCI_MANIFEST }
    expect(await refusalOf(await plane.ask('PUT', '/v2/team/fixed/manifests/v1', { body, headers }))).toEqual({
      status: 400,
      code: 'TAG_INVALID',
      message:
        "The image tag 'v1' already exists in the 'team/fixed' repository and cannot be overwritten because the tag is immutable.",
    })
  })

  test('more than 4 MiB, promised or not', async () => {
    const body = 'x'.repeat(MANIFEST_BYTES_MAX + 1)
    expect((await refusalOf(await put('large', body))).status).toBe(413)
    const stream = new Blob([body]).stream()
    const headers = { 'content-type': OCI_MANIFEST }
    expect((await refusalOf(await plane.ask('PUT', at('large'), { body: stream, headers }))).status).toBe(413)
  })
})

describe('pull', () => {
  test('by tag and by digest brings the bytes that were pushed', async () => {
    const body = await manifestIn(plane, 'team/app', 'pulled')
    await put('pulled', body)
    for (const reference of ['pulled', sha256(body), sha256(body).replace(':', '%3A')]) {
      const response = await plane.ask('GET', at(reference), { headers: { accept: 'text/html' } })
      expect(response.status).toBe(200)
      expect(await response.text()).toBe(body)
      const head = await plane.ask('HEAD', at(reference))
      expect(head.body).toBeNull()
      for (const { headers } of [response, head]) {
        expect(headers.get('content-type')).toBe(OCI_MANIFEST)
        expect(headers.get('content-length')).toBe(String(body.length))
        expect(headers.get('docker-content-digest')).toBe(sha256(body))
        expect(headers.get('etag')).toBe(`"${sha256(body)}"`)
      }
    }
  })

  test('what the client holds is not sent again', async () => {
    const digest = await putImage(plane, 'team/app', 'held', 'held')
    for (const method of ['GET', 'HEAD']) {
      const response = await plane.ask(method, at('held'), { headers: { 'if-none-match': `"${digest}"` } })
      expect(response.status).toBe(304)
      expect(response.body).toBeNull()
    }
    const stale = await plane.ask('GET', at('held'), { headers: { 'if-none-match': '"stale"' } })
    expect(stale.status).toBe(200)
  })

  test('GET counts as a pull, HEAD and a conditional GET that hits do not', async () => {
    const digest = await putImage(plane, 'team/app', 'counted', 'counted')
    const pulledAt = async () => {
      const imageIds = [{ digest: parseDigest(digest) }]
      const [image] = await plane.services.imageLists.describeMany(admin, refTo('team/app'), imageIds)
      return image?.pulledAt
    }
    await plane.ask('HEAD', at('counted'))
    await plane.ask('GET', at('counted'), { headers: { 'if-none-match': `"${digest}"` } })
    expect(await pulledAt()).toBeUndefined()
    await plane.ask('GET', at('counted'))
    expect(await pulledAt()).toEqual(plane.services.clock.now())
  })

  test('a missing one is answered in the words of ECR', async () => {
    expect(await refusalOf(await plane.ask('GET', at('missing')))).toEqual({
      status: 404,
      code: 'MANIFEST_UNKNOWN',
      message: 'Requested image not found',
    })
  })
})

describe('delete', () => {
  test('by tag takes the tag alone', async () => {
    const digest = await putImage(plane, 'team/app', 'only-tag', 'delete by tag')
    expect((await plane.ask('DELETE', at('only-tag'))).status).toBe(202)
    expect((await plane.ask('HEAD', at('only-tag'))).status).toBe(404)
    expect((await plane.ask('HEAD', at(digest))).status).toBe(200)
  })

  test('by digest takes the image and its tags', async () => {
    const digest = await putImage(plane, 'team/app', 'one', 'delete by digest')
    await putImage(plane, 'team/app', 'two', 'delete by digest')
    expect((await plane.ask('DELETE', at(digest))).status).toBe(202)
    for (const reference of ['one', 'two', digest]) expect((await plane.ask('HEAD', at(reference))).status).toBe(404)
    expect((await refusalOf(await plane.ask('DELETE', at(digest)))).code).toBe('MANIFEST_UNKNOWN')
  })

  test('spares an image that an index lists', async () => {
    const child = await putImage(plane, 'team/app', 'child', 'a child')
    const body = Buffer.from(indexOf([parseDigest(child)])).toString()
    await put('parent', body, OCI_INDEX)
    expect(await refusalOf(await plane.ask('DELETE', at(child)))).toEqual({
      status: 405,
      code: 'UNSUPPORTED',
      message: `Requested image referenced by manifest list: [${sha256(body)}]`,
    })
    expect((await plane.ask('DELETE', at(sha256(body)))).status).toBe(202)
    expect((await plane.ask('DELETE', at(child))).status).toBe(202)
  })
})
