import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import type { MutabilityMode } from '../../src/domain/mutability.ts'
import { parseTag } from '../../src/domain/names.ts'
import { AWS_QUOTAS } from '../../src/domain/quotas.ts'
import {
  admin,
  createServices,
  indexOf,
  manifestOf,
  pushImage,
  pushLayer,
  refTo,
  type Services,
  stranger,
} from '../support/service-fixture.ts'

const ref = refTo('team/app')
const latest = parseTag('latest')
let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})
afterEach(() => services.close())

const withCode = (code: string) => expect.objectContaining({ code })
const tagsOf = async (digest: Digest) =>
  (await services.imageLists.describeMany(admin, ref, [{ digest }]))[0]?.tags as readonly string[] | undefined
const manifestBytes = async (digest: Digest) => (await services.images.pull(admin, ref, { digest })).manifest
const setMode = (mode: MutabilityMode, exclusionFilters?: readonly string[]) =>
  services.repositories.putMutability(admin, ref, { mode, exclusionFilters })

describe('a push', () => {
  test('of a new image without a tag stores it untagged', async () => {
    const digest = await pushImage(services, ref, 'a')
    expect(await tagsOf(digest)).toEqual([])
  })

  test('of a known image without a tag changes nothing', async () => {
    const digest = await pushImage(services, ref, 'a', 'latest')
    const again = await services.images.push(admin, ref, { manifest: await manifestBytes(digest), tags: [] })
    expect(again.isChanged).toBe(false)
  })

  test('of a known image with a new tag adds the tag and keeps the push time', async () => {
    const digest = await pushImage(services, ref, 'a', 'one')
    const pushedAt = services.clock.now()
    services.clock.advance(60_000)
    const { isChanged, image } = await services.images.push(admin, ref, {
      manifest: await manifestBytes(digest),
      tags: [parseTag('two')],
    })
    expect(isChanged).toBe(true)
    expect(image.pushedAt).toEqual(pushedAt)
    expect(await tagsOf(digest)).toEqual(['one', 'two'])
  })

  test('of the image that a mutable tag points at changes nothing', async () => {
    const digest = await pushImage(services, ref, 'a', 'latest')
    const again = await services.images.push(admin, ref, { manifest: await manifestBytes(digest), tags: [latest] })
    expect(again.isChanged).toBe(false)
  })

  test('of another image moves a mutable tag and leaves the old image untagged and alive', async () => {
    const old = await pushImage(services, ref, 'a', 'latest')
    const young = await pushImage(services, ref, 'b', 'latest')
    expect(await tagsOf(old)).toEqual([])
    expect(await tagsOf(young)).toEqual(['latest'])
  })

  test('onto an immutable tag is refused, even of the image that carries it', async () => {
    const digest = await pushImage(services, ref, 'a', 'latest')
    await setMode('IMMUTABLE')
    const same = services.images.push(admin, ref, { manifest: await manifestBytes(digest), tags: [latest] })
    await expect(same).rejects.toThrow(
      "The image tag 'latest' already exists in the 'team/app' repository and cannot be overwritten because the tag is immutable.",
    )
    await expect(pushImage(services, ref, 'b', 'latest')).rejects.toEqual(withCode('tag-immutable'))
    await pushImage(services, ref, 'b', 'other')
  })

  test('that is refused for one tag sets none', async () => {
    await pushImage(services, ref, 'a', 'v1')
    await setMode('IMMUTABLE')
    await expect(pushImage(services, ref, 'b', 'v2', 'v1')).rejects.toEqual(withCode('tag-immutable'))
    const { tags } = await services.imageLists.listTags(admin, ref, undefined, 10)
    expect(tags as readonly string[]).toEqual(['v1'])
  })

  test('honours exclusions in both directions', async () => {
    await pushImage(services, ref, 'a', 'v1', 'dev')
    await setMode('IMMUTABLE_WITH_EXCLUSION', ['dev*'])
    await pushImage(services, ref, 'b', 'dev')
    await expect(pushImage(services, ref, 'b', 'v1')).rejects.toEqual(withCode('tag-immutable'))
    await setMode('MUTABLE_WITH_EXCLUSION', ['v*'])
    await expect(pushImage(services, ref, 'c', 'v1')).rejects.toEqual(withCode('tag-immutable'))
    await pushImage(services, ref, 'c', 'dev')
  })

  test('names the layers that are not in this repository', async () => {
    const other = refTo('team/other')
    await services.repositories.create(admin, other)
    const elsewhere = await pushLayer(services, other, 'layer')
    const config = await pushLayer(services, ref, 'config')
    const push = services.images.push(admin, ref, { manifest: manifestOf(config, [elsewhere]), tags: [] })
    await expect(push).rejects.toThrow(
      `Layers with digests '[${elsewhere}]' required for pushing image into repository with name 'team/app' in the registry with id '123456789012' do not exist`,
    )
  })

  test('of an index needs its children here', async () => {
    const child = await pushImage(services, ref, 'a')
    const { image } = await services.images.push(admin, ref, { manifest: indexOf([child]), tags: [latest] })
    expect(image.sizeBytes).toBe(8)
    const missing = `sha256:${'0'.repeat(64)}` as Digest
    const push = services.images.push(admin, ref, { manifest: indexOf([child, missing]), tags: [] })
    await expect(push).rejects.toEqual(withCode('referenced-images-not-found'))
  })

  test('under a digest that is not the manifest’s is refused', async () => {
    const digest = await pushImage(services, ref, 'a')
    const push = services.images.push(admin, ref, {
      manifest: new Uint8Array([...(await manifestBytes(digest)), 10]),
      tags: [],
      digest,
    })
    await expect(push).rejects.toEqual(withCode('image-digest-mismatch'))
  })

  test('keeps sha512 for those who push by it', async () => {
    const config = await pushLayer(services, ref, 'config')
    const manifest = manifestOf(config, [])
    const digest = `sha512:${new Bun.CryptoHasher('sha512').update(manifest).digest('hex')}` as Digest
    const { image } = await services.images.push(admin, ref, { manifest, tags: [latest], digest })
    expect(image.digest).toBe(digest)
    expect((await services.images.stat(admin, ref, { tag: latest })).digest).toBe(digest)
  })

  test('stops at the quotas of images and tags', async () => {
    await services.close()
    services = await createServices({ quotas: { ...AWS_QUOTAS, imagesPerRepository: 1, tagsPerImage: 2 } })
    await services.repositories.create(admin, ref)
    await pushImage(services, ref, 'a', 'one', 'two')
    await expect(pushImage(services, ref, 'a', 'three')).rejects.toThrow(
      "Adding tag 'three' to an image in the repository with name 'team/app' in registry with id '123456789012' exceeds the maximum allowed number of tags per image which is '2'",
    )
    await expect(pushImage(services, ref, 'b')).rejects.toThrow(
      "The repository with name 'team/app' in registry with id '123456789012' already has the maximum allowed number of images which is '1'",
    )
  })

  test('into a repository that is not there says so', async () => {
    await expect(services.uploads.start(admin, refTo('not/here'))).rejects.toThrow(
      "The repository with name 'not/here' does not exist in the registry with id '123456789012'",
    )
  })
})

describe('a pull', () => {
  test('gives the bytes that were pushed, by tag and by digest', async () => {
    const digest = await pushImage(services, ref, 'a', 'latest')
    const byTag = await services.images.pull(admin, ref, { tag: latest })
    const byDigest = await services.images.pull(admin, ref, { digest })
    expect(byTag.manifest).toEqual(byDigest.manifest)
    expect(byTag.image.digest).toBe(digest)
  })

  test('is remembered, a look is not', async () => {
    const digest = await pushImage(services, ref, 'a')
    await services.images.stat(admin, ref, { digest })
    const before = await services.imageLists.describeMany(admin, ref, [{ digest }])
    expect(before[0]?.pulledAt).toBeUndefined()
    services.clock.advance(5_000)
    await services.images.pull(admin, ref, { digest })
    const after = await services.imageLists.describeMany(admin, ref, [{ digest }])
    expect(after[0]?.pulledAt).toEqual(services.clock.now())
  })

  test('of what is not there, or by whom it is not meant for, fails', async () => {
    await expect(services.images.pull(admin, ref, { tag: latest })).rejects.toThrow(
      "The image with imageId {imageDigest:'null', imageTag:'latest'} does not exist within the repository with name 'team/app' in the registry with id '123456789012'",
    )
    await expect(services.images.pull(stranger, ref, { tag: latest })).rejects.toThrow(
      'User: arn:aws:iam::999999999999:root is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-3:123456789012:repository/team/app because no resource-based policy allows the ecr:BatchGetImage action',
    )
  })
})

describe('a deletion', () => {
  const remove = (...ids: { digest?: string; tag?: string }[]) => services.imageDeletion.deleteMany(admin, ref, ids)

  test('by tag removes the tag, and the image with its last tag', async () => {
    const digest = await pushImage(services, ref, 'a', 'one', 'two')
    expect(await remove({ tag: 'one' })).toEqual({ deleted: [{ digest, tag: parseTag('one') }], failures: [] })
    expect(await tagsOf(digest)).toEqual(['two'])
    await remove({ tag: 'two' })
    await expect(services.images.stat(admin, ref, { digest })).rejects.toEqual(withCode('image-not-found'))
  })

  test('by digest removes the image and names each of its tags', async () => {
    const digest = await pushImage(services, ref, 'a', 'one', 'two')
    const { deleted } = await remove({ digest })
    expect(deleted).toEqual([
      { digest, tag: parseTag('one') },
      { digest, tag: parseTag('two') },
    ])
    const untagged = await pushImage(services, ref, 'b')
    expect((await remove({ digest: untagged })).deleted).toEqual([{ digest: untagged }])
  })

  test('fails for each bad id alone', async () => {
    const a = await pushImage(services, ref, 'a', 'one')
    const b = await pushImage(services, ref, 'b', 'two')
    const { deleted, failures } = await remove(
      {},
      { tag: 'no' },
      { digest: 'x' },
      { digest: b, tag: 'one' },
      { tag: 'b/d' },
      { digest: a, tag: 'one' },
    )
    expect(failures.map(({ code }) => code)).toEqual([
      'MissingDigestAndTag',
      'ImageNotFound',
      'InvalidImageDigest',
      'ImageTagDoesNotMatchDigest',
      'InvalidImageTag',
    ])
    expect(deleted).toEqual([{ digest: a, tag: parseTag('one') }])
  })

  test('spares the children of a living index, and takes them after it', async () => {
    const child = await pushImage(services, ref, 'a', 'child')
    const { image } = await services.images.push(admin, ref, { manifest: indexOf([child]), tags: [latest] })
    const refused = await remove({ digest: child }, { tag: 'child' })
    expect(refused.failures.map(({ reason }) => reason)).toEqual([
      `Requested image referenced by manifest list: [${image.digest}]`,
      `Requested image referenced by manifest list: [${image.digest}]`,
    ])
    expect((await remove({ digest: image.digest }, { digest: child })).failures).toEqual([])
  })

  test('by the OCI interface removes a tag alone', async () => {
    const digest = await pushImage(services, ref, 'a', 'one')
    await services.imageDeletion.delete(admin, ref, { tag: parseTag('one') })
    expect(await tagsOf(digest)).toEqual([])
    await services.imageDeletion.delete(admin, ref, { digest })
    await expect(services.imageDeletion.delete(admin, ref, { digest })).rejects.toEqual(withCode('image-not-found'))
  })
})

describe('a batch of pulls', () => {
  test('answers each id with an image or a failure', async () => {
    const digest = await pushImage(services, ref, 'a', 'latest')
    const { images, failures } = await services.imageBatches.get(admin, ref, [
      { tag: 'latest' },
      { digest },
      { tag: 'no' },
    ])
    expect(images.map(({ image, tag }) => [image.digest, tag as string | undefined])).toEqual([
      [digest, 'latest'],
      [digest, undefined],
    ])
    expect(failures).toEqual([{ imageId: { tag: 'no' }, code: 'ImageNotFound', reason: 'Requested image not found' }])
  })

  test('answers no more than fits into memory many times over', async () => {
    const config = await pushLayer(services, ref, 'config')
    const annotations = { note: 'x'.repeat(4_000_000) }
    const manifest = manifestOf(config, [], { annotations })
    const { image } = await services.images.push(admin, ref, { manifest, tags: [] })
    const ids = (count: number) => Array.from({ length: count }, () => ({ digest: image.digest }))
    expect((await services.imageBatches.get(admin, ref, ids(8))).images).toHaveLength(8)
    const refused = services.imageBatches.get(admin, ref, ids(9))
    await expect(refused).rejects.toEqual(withCode('limit-exceeded'))
    await expect(refused).rejects.toThrow('The limit of 33554432 bytes of manifests in one answer has been exceeded')
  })
})

describe('a listing', () => {
  test('describes each image once and pages to the end', async () => {
    const digests = new Set<string>()
    for (const content of 'abcde') digests.add(await pushImage(services, ref, content, content))
    const seen: string[] = []
    let token: string | undefined
    do {
      const page = await services.imageLists.describe(admin, ref, {}, { limit: 2, token })
      seen.push(...page.items.map(({ digest }) => digest))
      token = page.nextToken
    } while (token !== undefined)
    expect(seen).toEqual([...digests].sort())
  })

  test('names each tag, then each untagged image', async () => {
    const a = await pushImage(services, ref, 'a', 'two', 'one')
    const b = await pushImage(services, ref, 'b')
    const rows: unknown[] = []
    let token: string | undefined
    do {
      const page = await services.imageLists.listIds(admin, ref, {}, { limit: 1, token })
      rows.push(...page.items)
      token = page.nextToken
    } while (token !== undefined)
    expect(rows).toEqual([{ digest: a, tag: parseTag('one') }, { digest: a, tag: parseTag('two') }, { digest: b }])
  })

  test('shows referrers of a subject that need not exist', async () => {
    const config = await pushLayer(services, ref, 'config')
    const subject = `sha256:${'9'.repeat(64)}` as Digest
    const manifest = manifestOf(config, [], {
      artifactType: 'application/spdx+json',
      subject: { mediaType: 'a/b', digest: subject, size: 1 },
    })
    const { image } = await services.images.push(admin, ref, { manifest, tags: [] })
    const all = await services.imageLists.listReferrers(admin, ref, subject, {}, { limit: 10 })
    expect(all.items.map(({ digest }) => digest)).toEqual([image.digest])
    const none = await services.imageLists.listReferrers(admin, ref, subject, { artifactTypes: ['x/y'] }, { limit: 10 })
    expect(none.items).toEqual([])
  })
})
