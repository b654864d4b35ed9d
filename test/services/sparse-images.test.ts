import { afterAll, beforeAll, expect, test } from 'bun:test'
import { parseDigest } from '../../src/domain/digest.ts'
import { GENEROUS_QUOTAS } from '../../src/domain/quotas.ts'
import { Images } from '../../src/services/images/images.ts'
import { PullTimes } from '../../src/services/images/pulls.ts'
import { PushReplication } from '../../src/services/replication/push-replication.ts'
import { PushSigning } from '../../src/services/signing/push-signing.ts'
import { sha256 } from '../support/image-builder.ts'
import {
  admin,
  createServices,
  indexOf,
  manifestOf,
  pushLayer,
  refTo,
  type Services,
} from '../support/service-fixture.ts'

const ref = refTo('team/app')

let services: Services
let images: Images
beforeAll(async () => {
  services = await createServices()
  const { metadata, vaults, clock, access } = services
  const pulls = new PullTimes(metadata, clock, () => undefined)
  images = new Images(
    { metadata, vaults, clock, access, pulls, admission: services.admission },
    {
      signing: new PushSigning(() => undefined),
      scanning: services.pushScanning,
      replication: new PushReplication(clock, () => undefined),
    },
    { quotas: GENEROUS_QUOTAS, isSparseAccepted: true },
  )
  await services.repositories.create(admin, ref)
})
afterAll(() => services.close())

test('where sparse images are accepted, an image may come before its layers, which it then keeps', async () => {
  const layer = parseDigest(sha256('late layer'))
  const manifest = manifestOf(await pushLayer(services, ref, 'config'), [layer])
  const { image } = await images.push(admin, ref, { manifest, tags: [] })
  expect((await images.pull(admin, ref, { digest: image.digest })).manifest).toEqual(manifest)
  await pushLayer(services, ref, 'late layer')
  const deleting = services.layers.delete(admin, ref, layer)
  await expect(deleting).rejects.toMatchObject({ code: 'unsupported' })
})

test('and an index may list images that never come', async () => {
  const manifest = indexOf([parseDigest(sha256('another platform'))])
  const { image } = await images.push(admin, ref, { manifest, tags: [] })
  expect((await images.stat(admin, ref, { digest: image.digest })).sizeBytes).toBe(0)
})

test('everywhere else both are refused', async () => {
  const image = services.images.push(admin, ref, { manifest: manifestOf(parseDigest(sha256('x')), []), tags: [] })
  await expect(image).rejects.toMatchObject({ code: 'layers-not-found' })
  const index = services.images.push(admin, ref, { manifest: indexOf([parseDigest(sha256('y'))]), tags: [] })
  await expect(index).rejects.toMatchObject({ code: 'referenced-images-not-found' })
})
