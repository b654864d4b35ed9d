import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseTag } from '../../src/domain/names.ts'
import { PUBLIC_REGION } from '../../src/domain/public-registry.ts'
import { PullEvents } from '../../src/services/images/pull-events.ts'
import {
  ACTIVATION_MS,
  admin,
  createServices,
  indexOf,
  manifestOf,
  OCI_MANIFEST,
  pushImage,
  pushLayer,
  refTo,
  registry,
  type Services,
} from '../support/service-fixture.ts'
import { DAY_MS, execute, expireUntagged } from './lifecycle-policies.ts'

const ref = refTo('team/app')
let services: Services
let from = 0

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  from = (await services.metadata.view.outbox.range()).last
})
afterEach(() => services.close())

/** What was told since the last look: the kind, and what of the detail tells events apart. */
async function told(): Promise<readonly string[]> {
  const events = await services.metadata.view.outbox.list(from, 100)
  from = events.at(-1)?.position ?? from
  return events.map(({ detailType, detail }) => {
    const {
      'action-type': action,
      'image-tag': tag = '',
      'target-storage-class': to = '',
    } = detail as Record<string, string>
    return [detailType, action, tag, to].filter((part) => part !== '').join(' ')
  })
}

describe('a push', () => {
  test('is told once for each tag, with what EventBridge shows of it', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1', 'v2')
    const [first] = await services.metadata.view.outbox.list(from, 1)
    expect(first).toMatchObject({ registry, source: 'aws.ecr', resources: [], at: services.clock.now() })
    expect(first?.detail).toEqual({
      result: 'SUCCESS',
      'repository-name': 'team/app',
      'image-digest': digest,
      'action-type': 'PUSH',
      'image-tag': 'v1',
      'manifest-media-type': OCI_MANIFEST,
      'artifact-media-type': 'application/vnd.oci.image.config.v1+json',
    })
    expect(await told()).toEqual(['ECR Image Action PUSH v1', 'ECR Image Action PUSH v2'])
  })

  test('that changes nothing is not told, nor is one that fails', async () => {
    await pushImage(services, ref, 'a', 'v1')
    await told()
    await pushImage(services, ref, 'a', 'v1')
    const missing = manifestOf(await pushLayer(services, ref, 'c'), [`sha256:${'0'.repeat(64)}` as never])
    await expect(services.images.push(admin, ref, { manifest: missing, tags: [] })).rejects.toThrow()
    expect(await told()).toEqual([])
  })

  test('without a tag has none in its event; a referrer has its own kind', async () => {
    const subject = await pushImage(services, ref, 'a')
    const config = await pushLayer(services, ref, 'config of referrer')
    const extra = {
      subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 },
      artifactType: 'application/spdx+json',
    }
    await services.images.push(admin, ref, { manifest: manifestOf(config, [], extra), tags: [] })
    const events = await services.metadata.view.outbox.list(from, 10)
    expect(events[1]?.detail).toMatchObject({ 'artifact-media-type': 'application/spdx+json' })
    expect(await told()).toEqual(['ECR Image Action PUSH', 'ECR Referrer Action PUSH'])
  })
})

describe('a deletion', () => {
  test('is told by what is gone, by either interface', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1', 'v2', 'v3')
    await told()
    await services.imageDeletion.deleteMany(admin, ref, [{ tag: 'v1' }, { tag: 'none' }])
    expect(await told()).toEqual(['ECR Image Action DELETE v1'])
    await services.imageDeletion.delete(admin, ref, { tag: parseTag('v2') })
    expect(await told()).toEqual(['ECR Image Action DELETE v2'])
    await services.imageDeletion.deleteMany(admin, ref, [{ digest }])
    expect(await told()).toEqual(['ECR Image Action DELETE v3'])
    const untagged = await pushImage(services, ref, 'b')
    await told()
    await services.imageDeletion.delete(admin, ref, { digest: untagged })
    expect(await told()).toEqual(['ECR Image Action DELETE'])
  })

  test('by a lifecycle policy is told like any other', async () => {
    await pushImage(services, ref, 'a')
    await pushImage(services, ref, 'b', 'v1')
    await told()
    services.clock.advance(2 * DAY_MS)
    await execute(services, expireUntagged)
    expect(await told()).toEqual(['ECR Image Action DELETE'])
  })
})

describe('the archive', () => {
  test('tells of every image that went along, and of a push that brought them back', async () => {
    const child = await pushImage(services, ref, 'a')
    const index = { manifest: indexOf([child]), tags: [parseTag('v1')] }
    const { image } = await services.images.push(admin, ref, index)
    await told()
    await services.storageClasses.update(admin, ref, { digest: image.digest }, 'ARCHIVE')
    const archived = 'ECR Image Action UPDATE_STORAGE_CLASS ARCHIVE'
    expect(await told()).toEqual([archived, archived])
    await services.images.push(admin, ref, index)
    const restored = 'ECR Image Action UPDATE_STORAGE_CLASS STANDARD'
    expect(await told()).toEqual([restored, restored, 'ECR Image Action PUSH v1'])
  })
})

describe('what takes time', () => {
  test('is told when a restoration has ended, with the time of it', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    await services.storageClasses.update(admin, ref, { digest }, 'ARCHIVE')
    await told()
    await services.storageClasses.update(admin, ref, { digest }, 'STANDARD')
    expect(await told()).toEqual([])
    services.clock.advance(10 * ACTIVATION_MS)
    await services.imageLists.describe(admin, ref, {}, { limit: 1 })
    const [event] = await services.metadata.view.outbox.list(from, 1)
    const endedAt = new Date(services.clock.now().getTime() - 9 * ACTIVATION_MS).toISOString()
    expect(event?.detail).toMatchObject({ 'target-storage-class': 'STANDARD', 'last-activated-at': endedAt })
    expect(await told()).toHaveLength(1)
  })

  test('is told of pulls together, once for each image and tag', async () => {
    const digest = await pushImage(services, ref, 'a', 'v1')
    const { image } = await services.images.pull(admin, ref, { digest })
    await told()
    const pulls = new PullEvents(services.metadata, services.clock, () => undefined)
    for (let n = 0; n < 3; n++) pulls.record(ref, image, parseTag('v1'))
    pulls.record(ref, image, undefined)
    await pulls.flush()
    await pulls.flush()
    const events = await services.metadata.view.outbox.list(from, 10)
    expect(events.map(({ detail }) => detail)).toMatchObject([
      { 'action-type': 'PULL', 'image-tag': 'v1', 'pull-count': 3, 'image-digest': digest },
      { 'action-type': 'PULL', 'pull-count': 1 },
    ])
    expect(await told()).toHaveLength(2)
  })
})

describe('repositories', () => {
  test('are told when they come and go', async () => {
    await services.repositories.create(admin, refTo('another'))
    await services.repositories.delete(admin, refTo('another'), false)
    expect(await told()).toEqual(['ECR Repository Action CREATE', 'ECR Repository Action DELETE'])
  })

  test('of public registries are told of to nobody', async () => {
    const place = { registry: { registryId: registry.registryId, region: PUBLIC_REGION }, name: ref.name }
    await services.repositories.create(admin, place)
    expect(await told()).toEqual([])
  })
})
