import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseRegion, parseRepositoryName } from '../../../src/domain/names.ts'
import { PUBLIC_REGION, publicRegistry } from '../../../src/domain/public-registry.ts'
import { GENEROUS_QUOTAS } from '../../../src/domain/quotas.ts'
import { detachedContext, type Handler } from '../../../src/protocols/http/context.ts'
import { LargeBodies } from '../../../src/protocols/http/large-bodies.ts'
import { createPublicOci } from '../../../src/protocols/oci/public-routes.ts'
import { createPublicToken } from '../../../src/protocols/oci/public-token.ts'
import { createOci } from '../../../src/protocols/oci/routes.ts'
import { sha256 } from '../../support/image-builder.ts'
import {
  admin,
  createServices,
  OCI_MANIFEST,
  pushImage,
  pushLayer,
  type ServiceOptions,
  type Services,
  stranger,
} from '../../support/service-fixture.ts'
import { basic, refusalOf } from './plane.ts'

const ORIGIN = 'https://public.ecr.aws'
const ref = { registry: publicRegistry(admin.accountId), name: parseRepositoryName('team/app') }

let services: Services
let oci: Handler
let token: Handler
let privateOci: Handler
let reported: unknown[]
let place: string
let digest: string

async function open(options: ServiceOptions = {}): Promise<void> {
  services = await createServices(options)
  reported = []
  const report = (thrown: unknown) => reported.push(thrown)
  const settings = { fidelity: 'oci', layerPartBytesMin: 0 } as const
  const plane = { ...services, settings, bodies: new LargeBodies(), report }
  oci = createPublicOci(plane)
  token = createPublicToken(plane)
  privateOci = createOci(plane)
  await services.publicRegistries.createRepository(admin, ref, { tags: [] })
  const [alias] = await services.publicRegistries.aliases(admin)
  place = `${alias?.name}/team/app`
  digest = await pushImage(services, ref, 'content', 'v1')
}

beforeEach(() => open())

afterEach(async () => {
  expect(reported).toEqual([])
  await services.close()
})

interface Ask {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly from?: string
}

/** Asks the public host, with a bearer token if there is one. */
function ask(method: string, path: string, bearer?: string, { headers, body, from = '127.0.0.1' }: Ask = {}) {
  const authorization: Record<string, string> = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
  const init = { method, headers: { ...authorization, ...headers }, ...(body === undefined ? {} : { body }) }
  return oci(new Request(`${ORIGIN}/v2/${path}`, init), detachedContext({ remoteAddress: from }))
}

async function tokenOf(authorization?: string, method = 'GET'): Promise<Response> {
  const headers = authorization === undefined ? {} : { authorization }
  return token(new Request(`${ORIGIN}/token/?service=public.ecr.aws&scope=aws`, { method, headers }), detachedContext())
}

async function bearerOf(authorization?: string): Promise<string> {
  const { token: bearer } = (await (await tokenOf(authorization)).json()) as { token: string }
  return bearer
}

const passwordOf = async (principal = admin) => (await services.tokens.issue(principal, PUBLIC_REGION)).password
const ownerBearer = async () => bearerOf(basic('AWS', await passwordOf()))

describe('tokens', () => {
  test('without one there is a challenge, in ECR Public’s words', async () => {
    const refused = await ask('GET', '')
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer realm="https://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"',
    )
    expect(refused.headers.get('content-length')).toBe('58')
    expect(await refusalOf(refused)).toEqual({ status: 401, code: 'DENIED', message: 'Not Authorized' })
    expect(
      (await ask('GET', '', undefined, { headers: { authorization: basic('AWS', await passwordOf()) } })).status,
    ).toBe(401)
    expect(await (await ask('HEAD', `${place}/manifests/v1`)).text()).toBe('')
  })

  test('anybody gets one, and whoever logs in gets his', async () => {
    expect((await ask('GET', '', await bearerOf())).status).toBe(200)
    expect((await ask('GET', '', await ownerBearer())).status).toBe(200)
    expect((await tokenOf(undefined, 'POST')).status).toBe(405)
  })

  test('the authorization token is one as it stands', async () => {
    expect((await ask('GET', '', btoa(`AWS:${await passwordOf()}`))).status).toBe(200)
  })

  test('a bad one is refused without a challenge, by both', async () => {
    const message = 'Your Authorization Token is invalid.'
    const { password } = await services.tokens.issue(admin, parseRegion('eu-west-3'))
    for (const bad of ['x', btoa('AWS:x'), btoa(`USER:${await passwordOf()}`), btoa(`AWS:${password}`)]) {
      const refused = await ask('GET', `${place}/manifests/v1`, bad)
      expect(refused.headers.has('www-authenticate')).toBe(false)
      expect(refused.headers.get('content-length')).toBe('80')
      expect(await refusalOf(refused)).toEqual({ status: 400, code: 'DENIED', message })
    }
    expect(await refusalOf(await tokenOf(basic('AWS', 'x')))).toEqual({ status: 400, code: 'DENIED', message })
  })

  test('an expired one is refused even for what everybody may do', async () => {
    const bearer = await ownerBearer()
    services.clock.advance(12 * 3_600_000 + 1)
    expect(await refusalOf(await ask('GET', `${place}/manifests/v1`, bearer))).toEqual({
      status: 400,
      code: 'DENIED',
      message: 'Your authorization token has expired. Reauthenticate and try again.',
    })
  })

  test('none of them opens a private registry', async () => {
    for (const bearer of [await bearerOf(), await ownerBearer()]) {
      const request = new Request('http://localhost:4566/v2/', { headers: { authorization: `Basic ${bearer}` } })
      expect((await privateOci(request, detachedContext())).status).toBe(400)
    }
  })
})

describe('pulls', () => {
  test('everybody pulls by every active alias', async () => {
    const bearer = await bearerOf()
    const manifest = await ask('GET', `${place}/manifests/v1`, bearer)
    expect(manifest.headers.get('docker-content-digest')).toBe(digest)
    const blob = sha256('layer of content')
    for (const method of ['HEAD', 'GET'])
      expect((await ask(method, `${place}/blobs/${blob}`, bearer)).headers.get('docker-content-digest')).toBe(blob)
    expect(await (await ask('GET', `${place}/tags/list`, bearer)).json()).toEqual({ name: place, tags: ['v1'] })
    const more = { registryId: admin.accountId, isPrimary: false, isDefault: false }
    await services.metadata.transact(async ({ publicRegistries }) => {
      await publicRegistries.insertAlias({ ...more, name: 'custom', status: 'ACTIVE' })
      await publicRegistries.insertAlias({ ...more, name: 'pending', status: 'PENDING' })
    })
    expect((await ask('GET', 'custom/team/app/manifests/v1', bearer)).status).toBe(200)
    expect(await refusalOf(await ask('GET', 'pending/team/app/manifests/v1', bearer))).toMatchObject({
      status: 404,
      code: 'NAME_UNKNOWN',
    })
  })

  test('no policy makes a repository private', async () => {
    const Statement = { Effect: 'Deny', Principal: '*', Action: 'ecr-public:*' }
    const text = JSON.stringify({ Version: '2012-10-17', Statement })
    await services.policies.setOfRepository(admin, ref, text, true)
    expect((await ask('GET', `${place}/manifests/v1`, await bearerOf())).status).toBe(200)
    expect((await ask('POST', `${place}/blobs/uploads/`, await ownerBearer())).status).toBe(403)
  })

  test.each(['team/app/manifests/v1', 'nobody/manifests/v1', '_catalog', 'a/b'])('%s is nowhere', async (path) => {
    expect((await ask('GET', path, await bearerOf())).status).toBe(404)
  })

  test('who pulls unnamed may pull so much in a month, by his address; and who logs in any amount', async () => {
    await services.close()
    await open({ publicQuotas: { ...GENEROUS_QUOTAS, anonymousPullBytesPerMonth: 32 } })
    const anybody = await bearerOf()
    const layer = sha256('layer of content') // 16 bytes
    const pull = (bearer: string, from = '192.0.2.1', headers: Readonly<Record<string, string>> = {}) =>
      ask('GET', `${place}/blobs/${layer}`, bearer, { from, headers })
    expect((await pull(anybody, '192.0.2.1', { range: 'bytes=0-0' })).status).toBe(206)
    expect((await pull(anybody)).status).toBe(200)
    expect((await ask('GET', `${place}/manifests/v1`, anybody, { from: '192.0.2.1' })).status).toBe(200)
    // What goes beyond is still sent.
    expect((await pull(anybody)).status).toBe(200)
    for (const path of [`blobs/${layer}`, 'manifests/v1', `manifests/${digest}`]) {
      const refused = await ask('GET', `${place}/${path}`, anybody, { from: '192.0.2.1' })
      expect(refused.headers.has('retry-after')).toBe(false)
      expect(await refusalOf(refused)).toEqual({ status: 429, code: 'TOOMANYREQUESTS', message: 'Data limit exceeded' })
    }
    expect((await ask('GET', `${place}/tags/list`, anybody, { from: '192.0.2.1' })).status).toBe(200)
    expect((await pull(anybody, '192.0.2.2')).status).toBe(200)
    expect((await pull(await ownerBearer())).status).toBe(200)
    services.clock.advance(31 * 86_400_000)
    expect((await pull(await bearerOf())).status).toBe(200)
  })

  test('who pulls unnamed is held to a rate by his address', async () => {
    await services.close()
    await open({ publicRates: { AnonymousPull: 1 } })
    const bearer = await bearerOf()
    const pull = (from: string, reference = 'v1') => ask('GET', `${place}/manifests/${reference}`, bearer, { from })
    expect((await pull('192.0.2.1')).status).toBe(200)
    expect((await pull('192.0.2.1', digest)).status).toBe(200)
    expect((await pull('192.0.2.1')).status).toBe(429)
    expect((await pull('192.0.2.2')).status).toBe(200)
    expect((await ask('GET', `${place}/manifests/v1`, await ownerBearer(), { from: '192.0.2.1' })).status).toBe(200)
  })
})

describe('pushes', () => {
  test('the owner pushes under his alias', async () => {
    const bearer = await ownerBearer()
    const blob = sha256('new')
    const uploaded = await ask('POST', `${place}/blobs/uploads/?digest=${blob}`, bearer, { body: 'new' })
    expect([uploaded.status, uploaded.headers.get('location')]).toEqual([201, `${ORIGIN}/v2/${place}/blobs/${blob}`])
    expect((await ask('HEAD', `${place}/blobs/${blob}`, bearer)).status).toBe(200)
    const body = Buffer.from((await services.images.pull(admin, ref, { digest: digest as never })).manifest).toString()
    const headers = { 'content-type': OCI_MANIFEST }
    const tagged = await ask('PUT', `${place}/manifests/v2`, bearer, { body, headers })
    expect([tagged.status, tagged.headers.get('location')]).toEqual([201, `${ORIGIN}/v2/${place}/manifests/${digest}`])
    expect((await ask('DELETE', `${place}/manifests/v2`, bearer)).status).toBe(202)
  })

  test('a layer is mounted from a repository of the same alias', async () => {
    const other = { ...ref, name: parseRepositoryName('other') }
    await services.publicRegistries.createRepository(admin, other, { tags: [] })
    const mount = await pushLayer(services, other, 'mounted')
    const [alias] = place.split('/')
    const ofAlias = (from: string) => ask('POST', `${place}/blobs/uploads/?mount=${mount}&from=${from}`, bearer)
    const bearer = await ownerBearer()
    expect((await ofAlias('nobody/other')).status).toBe(202)
    expect((await ofAlias('other')).status).toBe(202)
    expect((await ofAlias(`${alias}/other`)).status).toBe(201)
  })

  test('nobody else pushes, deletes or makes a repository', async () => {
    const strangers = await bearerOf(basic('AWS', await passwordOf(stranger)))
    for (const bearer of [strangers, await bearerOf()]) {
      expect((await ask('POST', `${place}/blobs/uploads/`, bearer)).status).toBe(403)
      expect((await ask('DELETE', `${place}/manifests/v1`, bearer)).status).toBe(403)
      expect((await ask('PUT', `${place}/manifests/v9`, bearer, { body: '{}' })).status).toBe(403)
    }
    const missing = place.replace('team/app', 'missing')
    expect(await refusalOf(await ask('POST', `${missing}/blobs/uploads/`, await ownerBearer()))).toMatchObject({
      status: 404,
      code: 'NAME_UNKNOWN',
    })
  })

  test('what an open policy allows everybody is still refused to the unnamed', async () => {
    const Statement = { Effect: 'Allow', Principal: '*', Action: 'ecr-public:InitiateLayerUpload' }
    await services.policies.setOfRepository(admin, ref, JSON.stringify({ Version: '2012-10-17', Statement }), false)
    const strangers = await bearerOf(basic('AWS', await passwordOf(stranger)))
    expect((await ask('POST', `${place}/blobs/uploads/`, strangers)).status).toBe(202)
    expect((await ask('POST', `${place}/blobs/uploads/`, await bearerOf())).status).toBe(403)
  })

  test('a push makes no public repository, even where every push is welcome', async () => {
    await services.close()
    await open({ isEveryPushWelcome: true })
    const missing = place.replace('team/app', 'missing')
    expect((await ask('POST', `${missing}/blobs/uploads/`, await ownerBearer())).status).toBe(404)
  })
})
