import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseDigest } from '../../../src/domain/digest.ts'
import { createUser, type StatementDocument, type TestUser } from '../../support/iam-user.ts'
import { sha256 } from '../../support/image-builder.ts'
import { manifestOf, OCI_MANIFEST, refTo, registry } from '../../support/service-fixture.ts'
import { basic, createPlane, createRepository, type Plane, putBlob, putImage } from '../oci/plane.ts'

const APP = `arn:aws:ecr:eu-west-3:${registry.registryId}:repository/app`
const OTHER = `arn:aws:ecr:eu-west-3:${registry.registryId}:repository/other`

let plane: Plane
let user: TestUser
let authorization: string
let digest: string
let layer: string
let manifest: string

beforeAll(async () => {
  plane = await createPlane({ access: {} })
  const { services } = plane
  user = await createUser(services.metadata, registry.registryId, 'ci')
  authorization = basic('AWS', (await services.tokens.issue(user.principal, registry.region)).password)
  for (const name of ['app', 'other']) await createRepository(plane, name)
  digest = await putImage(plane, 'app', 'v1', 'a')
  layer = await putBlob(plane, 'app', 'a layer')
  await putBlob(plane, 'other', 'mounted')
  await putBlob(plane, 'app', 'config')
  manifest = Buffer.from(manifestOf(parseDigest(sha256('config')), [parseDigest(layer)])).toString()
})
afterAll(() => plane.close())

const allow = (action: string, resource = APP): StatementDocument => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
})
const sentence = (action: string, resource = APP) =>
  `User: arn:aws:iam::${registry.registryId}:user/ci is not authorized to perform: ${action} on resource: ${resource} because no identity-based policy allows the ${action} action`

interface Asked {
  readonly method: string
  readonly path: string
  readonly actions: readonly string[]
  readonly resource?: string
  readonly status: number
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

const ask = ({ method, path, body, headers = {} }: Asked, name = 'app') =>
  plane.ask(method, path.replace('/app/', `/${name}/`), {
    headers: { ...headers, authorization },
    ...(body === undefined ? {} : { body }),
  })

/** What every request of the distribution API needs; an upload of its own for those that are about one. */
async function requests(): Promise<readonly Asked[]> {
  const begin = async () => {
    const response = await plane.ask('POST', '/v2/app/blobs/uploads/')
    return new URL(response.headers.get('location') ?? '').pathname
  }
  const asPart = { 'content-type': 'application/octet-stream' }
  const mount = `/v2/app/blobs/uploads/?mount=${sha256('mounted')}&from=other`
  return [
    {
      method: 'GET',
      path: '/v2/_catalog',
      actions: ['ecr:DescribeRepositories'],
      resource: `arn:aws:ecr:eu-west-3:${registry.registryId}:repository/*`,
      status: 200,
    },
    { method: 'GET', path: '/v2/app/tags/list', actions: ['ecr:ListImages'], status: 200 },
    { method: 'GET', path: '/v2/app/manifests/v1', actions: ['ecr:BatchGetImage'], status: 200 },
    { method: 'HEAD', path: '/v2/app/manifests/v1', actions: ['ecr:BatchGetImage'], status: 200 },
    { method: 'GET', path: `/v2/app/manifests/${digest}`, actions: ['ecr:BatchGetImage'], status: 200 },
    { method: 'GET', path: `/v2/app/referrers/${digest}`, actions: ['ecr:BatchGetImage'], status: 200 },
    {
      method: 'PUT',
      path: '/v2/app/manifests/v2',
      actions: ['ecr:PutImage'],
      status: 201,
      body: manifest,
      headers: { 'content-type': OCI_MANIFEST },
    },
    { method: 'DELETE', path: '/v2/app/manifests/v2', actions: ['ecr:BatchDeleteImage'], status: 202 },
    { method: 'HEAD', path: `/v2/app/blobs/${layer}`, actions: ['ecr:BatchCheckLayerAvailability'], status: 200 },
    { method: 'GET', path: `/v2/app/blobs/${layer}`, actions: ['ecr:GetDownloadUrlForLayer'], status: 200 },
    { method: 'DELETE', path: `/v2/app/blobs/${sha256('gone')}`, actions: ['ecr:BatchDeleteImage'], status: 404 },
    { method: 'POST', path: '/v2/app/blobs/uploads/', actions: ['ecr:InitiateLayerUpload'], status: 202 },
    { method: 'POST', path: mount, actions: ['ecr:InitiateLayerUpload'], status: 202 },
    { method: 'GET', path: await begin(), actions: ['ecr:UploadLayerPart'], status: 204 },
    {
      method: 'PATCH',
      path: await begin(),
      actions: ['ecr:UploadLayerPart'],
      status: 202,
      body: 'part',
      headers: asPart,
    },
    { method: 'DELETE', path: await begin(), actions: ['ecr:UploadLayerPart'], status: 204 },
    {
      method: 'PUT',
      path: `${await begin()}?digest=${sha256('')}`,
      actions: ['ecr:CompleteLayerUpload'],
      status: 201,
    },
  ]
}

describe('every request of /v2/', () => {
  test('is denied without its permission, in the same words whether the repository is there or not', async () => {
    await user.may(allow('*', OTHER))
    for (const asked of await requests()) {
      const [action = ''] = asked.actions
      for (const name of ['app', 'nowhere']) {
        const response = await ask(asked, name)
        const text = await response.text()
        expect([asked.method, asked.path, response.status]).toEqual([asked.method, asked.path, 403])
        if (asked.method === 'HEAD') expect(text).toBe('')
        else
          expect(JSON.parse(text)).toEqual({
            errors: [
              { code: 'DENIED', message: sentence(action, (asked.resource ?? APP).replace('/app', `/${name}`)) },
            ],
          })
      }
    }
  })

  test('is denied with every permission but its own', async () => {
    for (const asked of await requests()) {
      await user.may({ Effect: 'Allow', NotAction: asked.actions, Resource: '*' })
      expect([asked.method, asked.path, (await ask(asked)).status]).toEqual([asked.method, asked.path, 403])
    }
  })

  test('is allowed with exactly its permission, on exactly its repository', async () => {
    for (const asked of await requests()) {
      await user.may(...asked.actions.map((action) => allow(action, asked.resource)))
      expect([asked.method, asked.path, (await ask(asked)).status]).toEqual([asked.method, asked.path, asked.status])
    }
  })

  test('a layer is mounted by those who may read it where it is, and uploaded by all others', async () => {
    const mount = { method: 'POST', path: `/v2/app/blobs/uploads/?mount=${sha256('mounted')}&from=other` }
    const asked = { ...mount, actions: [], status: 0 }
    await user.may(allow('ecr:InitiateLayerUpload'), allow('ecr:GetDownloadUrlForLayer'))
    expect((await ask(asked)).status).toBe(202)
    await user.may(allow('ecr:InitiateLayerUpload'), allow('ecr:GetDownloadUrlForLayer', OTHER))
    expect((await ask(asked)).status).toBe(201)
  })

  test('who is logged in may ask whether the API is there, whatever else he may', async () => {
    await user.may()
    expect((await ask({ method: 'GET', path: '/v2/', actions: [], status: 200 })).status).toBe(200)
  })
})

test('a download URL opens as long as whoever asked for it may read the layer', async () => {
  const { services } = plane
  const ref = refTo('app')
  await user.may(allow('ecr:GetDownloadUrlForLayer'))
  const imageLayer = parseDigest(sha256('layer of a'))
  const ticket = await services.layers.ticketFor(user.principal, ref, imageLayer)
  const open = async () =>
    (await plane.ask('GET', `/_ecru/layers/${imageLayer}?ticket=${ticket}`, { isLoggedIn: false })).status
  expect(await open()).toBe(200)
  await user.may(allow('ecr:BatchGetImage'))
  expect(await open()).toBe(403)
  await user.may(allow('ecr:GetDownloadUrlForLayer'))
  expect(await open()).toBe(200)
  const within = (range: string) => ({ Condition: { IpAddress: { 'aws:SourceIp': range } } })
  await user.may({ ...allow('ecr:GetDownloadUrlForLayer'), ...within('127.0.0.0/8') })
  expect(await open()).toBe(200)
  await user.may({ ...allow('ecr:GetDownloadUrlForLayer'), ...within('10.0.0.0/8') })
  expect(await open()).toBe(403)
  const denied = { Effect: 'Deny', Action: 'ecr:*', Resource: '*', ...within('127.0.0.0/8') }
  await user.may(allow('ecr:GetDownloadUrlForLayer'), denied)
  expect(await open()).toBe(403)
})
