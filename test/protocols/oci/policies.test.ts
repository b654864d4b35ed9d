import { afterEach, beforeEach, expect, test } from 'bun:test'
import { sha256 } from '../../support/image-builder.ts'
import { admin, refTo, registry, stranger } from '../../support/service-fixture.ts'
import { basic, createPlane, createRepository, type Plane, putImage, refusalOf } from './plane.ts'

// The host names the registry, the login another account: policies decide.
const ORIGIN = 'http://123456789012.dkr.ecr.eu-west-3.registry.test'

let plane: Plane
let guest: { readonly authorization: string }
beforeEach(async () => {
  plane = await createPlane()
  await createRepository(plane, 'app')
  await putImage(plane, 'app', 'v1', 'a')
  guest = { authorization: basic('AWS', (await plane.services.tokens.issue(stranger, registry.region)).password) }
})
afterEach(async () => {
  await plane.close()
  expect(plane.reported).toEqual([])
})

const set = (statement: object) =>
  plane.services.policies.setOfRepository(
    admin,
    refTo('app'),
    JSON.stringify({ Version: '2012-10-17', Statement: statement }),
    false,
  )
const pull = () => plane.ask('GET', `${ORIGIN}/v2/app/manifests/v1`, { headers: guest })

test('a policy opens a repository to the login of another account', async () => {
  expect(await refusalOf(await pull())).toEqual({
    status: 403,
    code: 'DENIED',
    message:
      'User: arn:aws:iam::999999999999:root is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-3:123456789012:repository/app because no resource-based policy allows the ecr:BatchGetImage action',
  })
  await set({ Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' })
  expect((await pull()).status).toBe(200)
  const started = await plane.ask('POST', `${ORIGIN}/v2/app/blobs/uploads/`, { headers: guest })
  expect((await refusalOf(started)).code).toBe('DENIED')
})

test('a denial holds on every way in, for the owner too', async () => {
  await set({ Effect: 'Deny', Principal: '*', Action: ['ecr:PutImage', 'ecr:BatchGetImage', 'ecr:ListImages'] })
  for (const [method, path] of [
    ['GET', 'manifests/v1'],
    ['PUT', 'manifests/v2'],
    ['GET', 'tags/list'],
    ['GET', `referrers/sha256:${'0'.repeat(64)}`],
  ] as const) {
    const refusal = await refusalOf(await plane.ask(method, `/v2/app/${path}`, method === 'PUT' ? { body: '{}' } : {}))
    expect([path, refusal.status, refusal.code]).toEqual([path, 403, 'DENIED'])
    expect(refusal.message).toEndWith('with an explicit deny in a resource-based policy')
  }
  expect((await plane.ask('HEAD', '/v2/app/manifests/v1')).status).toBe(403)
})

test('who may upload no part sends none with the end of an upload, nor with its beginning', async () => {
  const begun = await plane.ask('POST', '/v2/app/blobs/uploads/')
  const place = new URL(begun.headers.get('location') ?? '').pathname
  await set({ Effect: 'Deny', Principal: '*', Action: 'ecr:UploadLayerPart' })
  const digest = sha256('layer')
  for (const sent of [
    await plane.ask('PUT', `${place}?digest=${digest}`, { body: 'layer' }),
    await plane.ask('POST', `/v2/app/blobs/uploads/?digest=${digest}`, { body: 'layer' }),
  ]) {
    const { status, message } = await refusalOf(sent)
    expect([status, message]).toEqual([403, expect.stringContaining('not authorized to perform: ecr:UploadLayerPart')])
  }
  expect((await plane.ask('HEAD', `/v2/app/blobs/${digest}`)).status).toBe(404)
})

test('who may upload parts and not end an upload has nothing of it', async () => {
  const begun = await plane.ask('POST', '/v2/app/blobs/uploads/')
  const place = new URL(begun.headers.get('location') ?? '').pathname
  await set({ Effect: 'Deny', Principal: '*', Action: 'ecr:CompleteLayerUpload' })
  const ended = await plane.ask('PUT', `${place}?digest=${sha256('layer')}`, { body: 'layer' })
  expect((await refusalOf(ended)).message).toContain('not authorized to perform: ecr:CompleteLayerUpload')
  const status = await plane.ask('GET', place)
  expect([status.status, status.headers.get('range')]).toEqual([204, '0-0'])
})
