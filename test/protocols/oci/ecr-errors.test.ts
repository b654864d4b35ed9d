import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseDigest } from '../../../src/domain/digest.ts'
import { sha256 } from '../../support/image-builder.ts'
import { manifestOf, OCI_MANIFEST } from '../../support/service-fixture.ts'
import { createPlane, createRepository, manifestIn, type Plane, putBlob, refusalOf } from './plane.ts'

let strict: Plane
let plane: Plane
beforeAll(async () => {
  strict = await createPlane({ fidelity: 'aws', areLayersWanted: true })
  plane = await createPlane()
  for (const one of [strict, plane]) await createRepository(one, 'team/app')
})
afterAll(async () => {
  for (const one of [strict, plane]) await one.close()
})

async function complete(to: Plane, digest: string, body?: string): Promise<Response> {
  const begun = await to.ask('POST', '/v2/team/app/blobs/uploads/')
  const location = begun.headers.get('location') ?? ''
  return to.ask('PUT', `${location}?digest=${digest}`, body === undefined ? {} : { body })
}

function put(to: Plane, reference: string, body: string): Promise<Response> {
  return to.ask('PUT', `/v2/team/app/manifests/${reference}`, { body, headers: { 'content-type': OCI_MANIFEST } })
}

describe('where ECR is followed to the letter, `/v2/` says as ECR does', () => {
  test('that no digest is that of the layer', async () => {
    const response = await complete(strict, sha256('other'), 'bytes')
    expect(response.headers.get('content-length')).toBe('125')
    expect(await refusalOf(response)).toEqual({
      status: 400,
      code: 'BLOB_UPLOAD_INVALID',
      message: 'None of the provided layer digests match the calculated layer digest',
    })
  })

  test('that a layer without a byte is none', async () => {
    const { status, code, message } = await refusalOf(await complete(strict, sha256('')))
    expect([status, code]).toEqual([400, 'BLOB_UPLOAD_INVALID'])
    expect(message).toMatch(
      /^The upload with id '[0-9a-f-]{36}' in the repository with name 'team\/app' in registry with id '\d{12}' cannot be completed because it does not have any parts$/,
    )
  })

  test('that a manifest is none', async () => {
    expect(await refusalOf(await put(strict, 'bad', '{'))).toEqual({
      status: 405,
      code: 'UNSUPPORTED',
      message: "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    })
  })

  test('that an image has layers', async () => {
    const begun = await strict.ask('POST', '/v2/team/app/blobs/uploads/')
    const config = sha256('config')
    await strict.ask('PUT', `${begun.headers.get('location')}?digest=${config}`, { body: 'config' })
    const body = Buffer.from(manifestOf(parseDigest(config), [])).toString()
    expect(await refusalOf(await put(strict, 'none', body))).toEqual({
      status: 405,
      code: 'UNSUPPORTED',
      message:
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Image has to have at least 1 layer'",
    })
  })
})

describe('otherwise it says as OCI does', () => {
  test('of a layer with another digest, and of no manifest', async () => {
    expect(await refusalOf(await complete(plane, sha256('other'), 'bytes'))).toMatchObject({ code: 'DIGEST_INVALID' })
    expect(await refusalOf(await put(plane, 'bad', '{'))).toMatchObject({ status: 400, code: 'MANIFEST_INVALID' })
  })

  test('and takes layers without bytes, and images without layers', async () => {
    expect((await complete(plane, sha256(''))).status).toBe(201)
    const config = await putBlob(plane, 'team/app', 'config')
    const body = Buffer.from(manifestOf(parseDigest(config), [])).toString()
    expect((await put(plane, 'none', body)).status).toBe(201)
    expect((await put(plane, 'some', await manifestIn(plane, 'team/app', 'some'))).status).toBe(201)
  })
})
