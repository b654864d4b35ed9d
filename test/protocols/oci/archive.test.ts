import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseDigest } from '../../../src/domain/digest.ts'
import { sha256 } from '../../support/image-builder.ts'
import { ACTIVATION_MS, admin, OCI_MANIFEST, refTo, registry } from '../../support/service-fixture.ts'
import { createPlane, createRepository, type Plane, putBlob, putImage, refusalOf } from './plane.ts'

const NAME = 'team/app'
const ref = refTo(NAME)

let plane: Plane
let digest: string
let referrer: string
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, NAME)
  await createRepository(plane, 'team/other')
})
afterAll(async () => {
  await plane.close()
  expect(plane.reported).toEqual([])
})

/** Every test has an image of its own, which nothing else refers to, under a tag that is its name. */
async function archived(tag: string): Promise<void> {
  digest = await putImage(plane, NAME, tag, `content of ${tag}`)
  const subject = { mediaType: OCI_MANIFEST, digest, size: 7 }
  referrer = await putImage(plane, NAME, `${tag}-signature`, `signature of ${tag}`, { subject })
  await plane.services.storageClasses.update(admin, ref, { digest: parseDigest(digest) }, 'ARCHIVE')
}
const restore = () => plane.services.storageClasses.update(admin, ref, { digest: parseDigest(digest) }, 'STANDARD')
const ask = (method: string, path: string) => plane.ask(method, `/v2/${NAME}/${path}`)
const tags = async () => ((await (await ask('GET', 'tags/list')).json()) as { tags: string[] }).tags
const referrers = async () => {
  const { manifests } = (await (await ask('GET', `referrers/${digest}`)).json()) as { manifests: { digest: string }[] }
  return manifests.map((one) => one.digest)
}

test('an archived image is not there for a pull, and the answer says why', async () => {
  await archived('away')
  for (const reference of ['away', digest]) {
    const refusal = await refusalOf(await ask('GET', `manifests/${reference}`))
    expect(refusal).toMatchObject({ status: 404, code: 'MANIFEST_UNKNOWN' })
    expect(refusal.message).toEndWith(
      "in the repository with name 'team/app' in the registry with id '123456789012' is archived",
    )
    expect((await ask('HEAD', `manifests/${reference}`)).status).toBe(404)
  }
  await restore()
  expect((await refusalOf(await ask('GET', 'manifests/away'))).message).toEndWith('is being restored from the archive')
  plane.services.clock.advance(ACTIVATION_MS)
  expect((await ask('GET', 'manifests/away')).status).toBe(200)
})

test('its tags and referrers are not listed until it is back', async () => {
  await archived('unlisted')
  expect(await tags()).not.toContain('unlisted')
  expect(await tags()).not.toContain('unlisted-signature')
  expect(await referrers()).toEqual([])
  await restore()
  expect(await tags()).not.toContain('unlisted')
  plane.services.clock.advance(ACTIVATION_MS)
  expect(await tags()).toContain('unlisted')
  expect(await referrers()).toEqual([referrer])
})

test('its layers cannot be read or mounted, but need not be pushed again', async () => {
  await archived('layers')
  const layer = sha256('layer of content of layers')
  expect(await refusalOf(await ask('GET', `blobs/${layer}`))).toEqual({
    status: 404,
    code: 'BLOB_UNKNOWN',
    message: `The layer with digest '${layer}' in the repository with name 'team/app' in the registry with id '123456789012' is archived with the images that need it`,
  })
  expect((await ask('HEAD', `blobs/${layer}`)).status).toBe(200)
  const mount = await plane.ask('POST', `/v2/team/other/blobs/uploads/?mount=${layer}&from=${NAME}`)
  expect(mount.status).toBe(202)
})

test('a push of the same manifest brings it back at once, with what refers to it', async () => {
  await archived('pushed')
  expect(await putImage(plane, NAME, 'pushed', 'content of pushed')).toBe(digest)
  expect((await ask('GET', 'manifests/pushed')).status).toBe(200)
  expect(await referrers()).toEqual([referrer])
})

test('it can be deleted', async () => {
  await archived('deleted')
  expect((await ask('DELETE', `manifests/${digest}`)).status).toBe(202)
  expect((await refusalOf(await ask('GET', 'manifests/deleted'))).message).toBe('Requested image not found')
})

test('pulls of an excluded principal leave no pull time', async () => {
  await putImage(plane, NAME, 'scanned', 'content of scanned')
  const { services } = plane
  const arn = `arn:aws:iam::${registry.registryId}:user/scanner`
  await services.pullTimeExclusions.register(admin, registry, arn)
  const { password } = await services.tokens.issue({ ...admin, arn }, registry.region)
  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
  const pulled = await plane.ask('GET', `/v2/${NAME}/manifests/scanned`, {
    isLoggedIn: false,
    headers: { authorization },
  })
  expect(pulled.status).toBe(200)
  const { items } = await services.imageLists.describe(admin, ref, {}, { limit: 100 })
  expect(items.find((image) => image.digest === pulled.headers.get('docker-content-digest'))?.pulledAt).toBeUndefined()
})

test('BLOB_MOUNTING decides about mounts once it was put', async () => {
  const layer = await putBlob(plane, NAME, 'to be mounted')
  const mount = () => plane.ask('POST', `/v2/team/other/blobs/uploads/?mount=${layer}&from=${NAME}`)
  await plane.services.accountSettings.put(admin, registry, 'BLOB_MOUNTING', 'DISABLED')
  expect((await mount()).status).toBe(202)
  await plane.services.accountSettings.put(admin, registry, 'BLOB_MOUNTING', 'ENABLED')
  expect((await mount()).status).toBe(201)
})
