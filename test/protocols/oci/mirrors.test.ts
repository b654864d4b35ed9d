import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mirrorSettings } from '../../../src/app/pull-through.ts'
import { readConfig } from '../../../src/config/config.ts'
import { createUser } from '../../support/iam-user.ts'
import { buildImage, sha256 } from '../../support/image-builder.ts'
import { admin, pushImage, refTo, registry } from '../../support/service-fixture.ts'
import { UpstreamRegistry } from '../../support/upstream-registry.ts'
import { createPlane, HOST, type Plane, type PlaneOptions } from './plane.ts'

const IMAGE = buildImage('mirrored', { layers: [{ a: 'a' }] })
const [LAYER = IMAGE.config] = IMAGE.layers
const HUB_HOST = 'hub.test'

let upstream: UpstreamRegistry
let plane: Plane

async function open(options: PlaneOptions = {}): Promise<void> {
  plane = await createPlane({ ...options, mirrors: { hubHosts: new Set([HUB_HOST]), ...options.mirrors } })
  const { origin } = upstream.url
  await plane.services.pullThroughRules.create(admin, registry, { prefix: 'near', upstreamUrl: origin })
}
beforeEach(async () => {
  upstream = await UpstreamRegistry.start()
})
afterEach(async () => {
  await plane.services.pullThrough.idle()
  await plane.close()
  await upstream.stop()
  expect(plane.reported).toEqual([])
})

const statusOf = async (path: string, method = 'GET') => (await plane.ask(method, path)).status
const manifest = (name: string, said: string) => `/v2/${name}/manifests/1?ns=${encodeURIComponent(said)}`

describe('a client that says which registry it means', () => {
  test('gets what its rule caches, under the name that it has there', async () => {
    await open()
    upstream.addImage(IMAGE, 'library/app', '1')
    const { host } = upstream.url
    const answer = await plane.ask('GET', manifest('library/app', host))
    expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([200, IMAGE.manifest.digest])
    expect(await statusOf(`/v2/library/app/blobs/${LAYER.digest}?ns=${host}`)).toBe(200)
    await plane.services.pullThrough.idle()
    const listed = await plane.ask('GET', `/v2/library/app/tags/list?ns=${host}`)
    expect(await listed.json()).toMatchObject({ tags: ['1'] })
    expect(await plane.services.metadata.view.repositories.find(refTo('near/library/app'))).toBeDefined()
    expect(await plane.services.metadata.view.repositories.find(refTo('library/app'))).toBeUndefined()
  })

  test('never gets an image of this registry for one of a public one', async () => {
    await open()
    await plane.services.repositories.create(admin, refTo('library/app'))
    await pushImage(plane.services, refTo('library/app'), 'own', '1')
    expect(await statusOf('/v2/library/app/manifests/1')).toBe(200)
    for (const said of ['docker.io', 'gcr.io', 'registry.example.com'])
      expect([said, await statusOf(manifest('library/app', said))]).toEqual([said, 404])
  })

  test('gets one of this registry by the names that only this one can have', async () => {
    const { config } = readConfig({
      ECRU_TLS_HOSTS: 'r.example.com',
      ECRU_REGISTRY_HOST: '{account}.r.{region}.example.com',
    })
    await open({ mirrors: { isOwnHost: mirrorSettings(config).isOwnHost } })
    await plane.services.repositories.create(admin, refTo('library/app'))
    await pushImage(plane.services, refTo('library/app'), 'own', '1')
    const { registryId, region } = registry
    for (const said of [
      ...[HOST, 'localhost:5001', 'kind-registry', '10.0.0.1:5000', 'r.example.com', 'r.example.com:8443'],
      ...[`${registryId}.r.${region}.example.com`, `${registryId}.dkr.ecr.${region}.amazonaws.com`],
    ])
      expect([said, await statusOf(manifest('library/app', said))]).toEqual([said, 200])
    for (const said of [`999999999999.dkr.ecr.${region}.amazonaws.com`, 'r-example.com', 'x.r.example.com'])
      expect([said, await statusOf(manifest('library/app', said))]).toEqual([said, 404])
  })

  test('cannot push', async () => {
    await open()
    const { host } = upstream.url
    expect(await statusOf(`/v2/library/app/blobs/uploads/?ns=${host}`, 'POST')).toBe(405)
    expect(await statusOf(manifest('library/app', host), 'DELETE')).toBe(405)
  })
})

describe('a client without credentials', () => {
  const ask = (path: string, method = 'GET') => plane.ask(method, path, { isLoggedIn: false })
  const hub = (path: string) => `http://${HUB_HOST}${path}`

  async function openFor(...actions: readonly string[]): Promise<void> {
    await open({ access: {}, mirrors: { userName: 'mirror' } })
    upstream.addImage(IMAGE, 'library/app', '1')
    const user = await createUser(plane.services.metadata, registry.registryId, 'mirror')
    await user.may({ Effect: 'Allow', Action: actions.map((action) => `ecr:${action}`), Resource: '*' })
  }

  test('is asked to log in, unless an operator has said for whom it speaks', async () => {
    await open()
    const answer = await ask(manifest('library/app', upstream.url.host))
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('Basic')])
    expect((await ask(hub('/v2/'))).status).toBe(401)
  })

  test('is asked to log in as long as there is no such user', async () => {
    await open({ mirrors: { userName: 'nobody' } })
    expect((await ask(manifest('library/app', upstream.url.host))).status).toBe(401)
  })

  test('pulls from mirrors what that user may, and has it brought if that user may', async () => {
    const pull = ['BatchGetImage', 'GetDownloadUrlForLayer', 'BatchCheckLayerAvailability']
    await openFor(...pull, 'BatchImportUpstreamImage', 'CreateRepository', 'PutImage', 'DescribeRepositories')
    const { host } = upstream.url
    expect((await ask(manifest('library/app', host))).status).toBe(200)
    const layer = await ask(`/v2/library/app/blobs/${LAYER.digest}?ns=${host}`)
    expect([layer.status, sha256(await layer.bytes())]).toEqual([200, LAYER.digest])
    await plane.services.pullThrough.idle()
    // Nothing but mirrors, and nothing but pulls.
    expect((await ask('/v2/near/library/app/manifests/1')).status).toBe(401)
    expect((await ask(manifest('library/app', host), 'PUT')).status).toBe(401)
    expect((await ask('/v2/')).status).toBe(401)
    expect((await ask(`/v2/_catalog?ns=${host}`)).status).toBe(403)
  })

  test('finds nothing that is not here yet where that user may have nothing brought', async () => {
    await openFor('BatchGetImage')
    expect((await ask(manifest('library/app', upstream.url.host))).status).toBe(404)
    expect(upstream.asked).toEqual([])
  })

  test('with credentials that are no good is refused, and not let in without them', async () => {
    await openFor('BatchGetImage', 'BatchImportUpstreamImage', 'CreateRepository')
    const headers = { authorization: 'Basic QVdTOndyb25n' }
    const path = manifest('library/app', upstream.url.host)
    expect((await plane.ask('GET', path, { isLoggedIn: false, headers })).status).toBe(400)
  })

  test('is on Docker Hub where the host is for that alone', async () => {
    await openFor('BatchGetImage', 'GetDownloadUrlForLayer', 'BatchImportUpstreamImage', 'CreateRepository')
    expect((await ask(hub('/v2/'))).status).toBe(200)
    expect((await ask(hub('/v2/library/app/manifests/1'))).status).toBe(404)
    const upstreamUrl = 'https://registry-1.docker.io'
    await plane.services.pullThroughRules.create(admin, registry, { prefix: 'hub', upstreamUrl })
    await plane.services.repositories.create(admin, refTo('hub/library/app'))
    const digest = await pushImage(plane.services, refTo('hub/library/app'), 'cached', '1')
    const answer = await ask(hub('/v2/library/app/manifests/1'))
    expect([answer.status, answer.headers.get('docker-content-digest')]).toEqual([200, digest])
  })
})
