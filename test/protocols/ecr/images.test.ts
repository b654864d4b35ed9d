import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  ListImagesCommand,
  PutImageCommand,
  type PutImageCommandInput,
  PutImageTagMutabilityCommand,
  paginateDescribeImages,
  paginateListImages,
} from '@aws-sdk/client-ecr'
import { parseTag } from '../../../src/domain/names.ts'
import { sha256 } from '../../support/image-builder.ts'
import {
  admin,
  indexOf,
  manifestOf,
  OCI_INDEX,
  OCI_MANIFEST,
  pushImage,
  pushLayer,
  refTo,
} from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const ref = refTo('app')
const repositoryName = 'app'
const place = { registryId: '123456789012', repositoryName }
const IN_PLACE = "the repository with name 'app' in the registry with id '123456789012'"

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

/** A manifest whose blobs are in the repository. */
async function manifest(content: string): Promise<string> {
  const config = await pushLayer(ecr, ref, `config of ${content}`)
  const layer = await pushLayer(ecr, ref, `layer of ${content}`)
  return new TextDecoder().decode(manifestOf(config, [layer]))
}

const put = (input: Omit<PutImageCommandInput, 'repositoryName'>) =>
  ecr.client.send(new PutImageCommand({ repositoryName, ...input }))

describe('PutImage', () => {
  test('answers with the manifest as it came', async () => {
    const imageManifest = ` ${await manifest('é')}\n`
    const { image } = await put({ imageManifest, imageTag: 'v1' })
    expect(image).toEqual({
      ...place,
      imageId: { imageDigest: sha256(imageManifest), imageTag: 'v1' },
      imageManifest,
      imageManifestMediaType: OCI_MANIFEST,
    })
  })

  test('without a tag answers with the digest alone', async () => {
    const imageManifest = await manifest('a')
    expect((await put({ imageManifest })).image?.imageId).toEqual({ imageDigest: sha256(imageManifest) })
  })

  test('of what is there already', async () => {
    const imageManifest = await manifest('a')
    await put({ imageManifest, imageTag: 'v1' })
    const digest = sha256(imageManifest)
    const text = (tag: string) =>
      `Image with digest '${digest}' and tag '${tag}' already exists in the repository with name 'app' in registry with id '123456789012'`
    expect(await refusalOf(put({ imageManifest, imageTag: 'v1' }))).toEqual(['ImageAlreadyExistsException', text('v1')])
    expect(await refusalOf(put({ imageManifest }))).toEqual(['ImageAlreadyExistsException', text('null')])
    expect((await put({ imageManifest, imageTag: 'v2' })).image?.imageId?.imageTag).toBe('v2')
  })

  test('onto an immutable tag', async () => {
    const imageManifest = await manifest('a')
    await put({ imageManifest, imageTag: 'v1' })
    await ecr.client.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: 'IMMUTABLE' }))
    const refusal = [
      'ImageTagAlreadyExistsException',
      "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the tag is immutable.",
    ] as const
    expect(await refusalOf(put({ imageManifest, imageTag: 'v1' }))).toEqual(refusal)
    expect(await refusalOf(put({ imageManifest: await manifest('b'), imageTag: 'v1' }))).toEqual(refusal)
  })

  test('with layers or images that are not there', async () => {
    const absent = sha256('absent')
    const withLayer = (await manifest('a')).replaceAll(sha256('layer of a'), absent)
    expect(await refusalOf(put({ imageManifest: withLayer }))).toEqual([
      'LayersNotFoundException',
      `Layers with digests '[${absent}]' required for pushing image into ${IN_PLACE.replace('the repository', 'repository')} do not exist`,
    ])
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: OCI_INDEX,
      manifests: [{ mediaType: OCI_MANIFEST, digest: absent, size: 5 }],
    })
    expect((await refusalOf(put({ imageManifest: index })))[0]).toBe('ReferencedImagesNotFoundException')
  })

  test('that is no manifest, has another digest, or a tag that is none', async () => {
    expect(await refusalOf(put({ imageManifest: '{' }))).toEqual([
      'InvalidParameterException',
      "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'",
    ])
    const imageManifest = await manifest('a')
    const [code] = await refusalOf(put({ imageManifest, imageDigest: sha256('other') }))
    expect(code).toBe('ImageDigestDoesNotMatchException')
    for (const wrong of [{ imageTag: '-' }, { imageDigest: 'sha256:x' }])
      expect((await refusalOf(put({ imageManifest, ...wrong })))[0]).toBe('InvalidParameterException')
  })

  test('into a repository that does not exist', async () => {
    const answer = ecr.client.send(new PutImageCommand({ repositoryName: 'other', imageManifest: await manifest('a') }))
    expect((await refusalOf(answer))[0]).toBe('RepositoryNotFoundException')
  })
})

describe('BatchGetImage', () => {
  const get = (...imageIds: { imageDigest?: string; imageTag?: string }[]) =>
    ecr.client.send(new BatchGetImageCommand({ repositoryName, imageIds, acceptedMediaTypes: ['text/plain'] }))

  test('answers by tag and by digest what was pushed', async () => {
    const imageManifest = await manifest('a')
    await put({ imageManifest, imageTag: 'v1' })
    const imageDigest = sha256(imageManifest)
    const { images, failures } = await get({ imageTag: 'v1' }, { imageDigest }, { imageTag: 'v1', imageDigest })
    expect(failures).toEqual([])
    expect(images?.map(({ imageId }) => imageId)).toEqual([
      { imageDigest, imageTag: 'v1' },
      { imageDigest },
      { imageDigest, imageTag: 'v1' },
    ])
    for (const image of images ?? []) expect(image).toMatchObject({ ...place, imageManifest })
  })

  test('lets each id fail alone', async () => {
    const imageDigest = sha256('absent')
    const { images, failures } = await get({ imageTag: 'none' }, { imageDigest }, { imageDigest: 'x' }, {})
    expect(images).toEqual([])
    const failure = (imageId: object, failureCode: string, failureReason: string) => ({
      imageId,
      failureCode,
      failureReason,
    })
    expect<unknown>(failures).toEqual([
      failure({ imageTag: 'none' }, 'ImageNotFound', 'Requested image not found'),
      failure({ imageDigest }, 'ImageNotFound', 'Requested image not found'),
      failure(
        { imageDigest: 'x' },
        'InvalidImageDigest',
        "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
      ),
      failure({}, 'MissingDigestAndTag', 'Invalid request parameters: both tag and digest cannot be null'),
    ])
  })

  test('counts as a pull', async () => {
    await pushImage(ecr, ref, 'a', 'v1')
    const pulledAt = async () =>
      (await ecr.client.send(new DescribeImagesCommand({ repositoryName }))).imageDetails?.[0]?.lastRecordedPullTime
    expect(await pulledAt()).toBeUndefined()
    await get({ imageTag: 'v1' })
    expect(await pulledAt()).toEqual(ecr.clock.now())
  })
})

describe('BatchDeleteImage', () => {
  const remove = (...imageIds: { imageDigest?: string; imageTag?: string }[]) =>
    ecr.client.send(new BatchDeleteImageCommand({ repositoryName, imageIds }))

  test('a tag, the last tag, a digest', async () => {
    const imageDigest = await pushImage(ecr, ref, 'a', 'v1', 'v2')
    expect((await remove({ imageTag: 'v1' })).imageIds).toEqual([{ imageDigest, imageTag: 'v1' }])
    expect((await remove({ imageTag: 'v2' })).imageIds).toEqual([{ imageDigest, imageTag: 'v2' }])
    expect((await remove({ imageDigest })).failures).toMatchObject([{ failureCode: 'ImageNotFound' }])
    const other = await pushImage(ecr, ref, 'b')
    expect(await remove({ imageDigest: other })).toMatchObject({ imageIds: [{ imageDigest: other }], failures: [] })
  })

  test('spares the images of an index', async () => {
    const child = await pushImage(ecr, ref, 'a')
    const imageManifest = new TextDecoder().decode(indexOf([child]))
    await put({ imageManifest })
    expect((await remove({ imageDigest: child })).failures).toEqual([
      {
        imageId: { imageDigest: child },
        failureCode: 'ImageReferencedByManifestList',
        failureReason: `Requested image referenced by manifest list: [${sha256(imageManifest)}]`,
      },
    ])
  })
})

describe('listings', () => {
  test('ListImages has a row for each tag and one for an untagged image', async () => {
    const a = await pushImage(ecr, ref, 'a', 'v2', 'v1')
    const b = await pushImage(ecr, ref, 'b')
    const list = async (filter?: object) =>
      (await ecr.client.send(new ListImagesCommand({ repositoryName, ...(filter === undefined ? {} : { filter }) })))
        .imageIds
    const tagged = [
      { imageDigest: a, imageTag: 'v1' },
      { imageDigest: a, imageTag: 'v2' },
    ]
    expect<unknown>(await list()).toEqual([...tagged, { imageDigest: b }])
    expect<unknown>(await list({ tagStatus: 'TAGGED', imageStatus: 'ANY' })).toEqual(tagged)
    expect<unknown>(await list({ tagStatus: 'UNTAGGED' })).toEqual([{ imageDigest: b }])
    expect<unknown>(await list({ imageStatus: 'ARCHIVED' })).toEqual([])
  })

  test('ListImages goes on where a page ended', async () => {
    for (const n of [1, 2, 3]) await pushImage(ecr, ref, `tagged ${n}`, `v${n}`)
    for (const n of [1, 2]) await pushImage(ecr, ref, `untagged ${n}`)
    const sizes: number[] = []
    const seen = new Set<string>()
    for await (const { imageIds = [] } of paginateListImages({ client: ecr.client, pageSize: 2 }, { repositoryName })) {
      sizes.push(imageIds.length)
      for (const { imageDigest = '', imageTag = '' } of imageIds) seen.add(imageDigest + imageTag)
    }
    expect([sizes, seen.size]).toEqual([[2, 2, 1], 5])
  })

  test('DescribeImages tells all of each digest', async () => {
    const digest = await pushImage(ecr, ref, 'a', 'v2', 'v1')
    const untagged = await pushImage(ecr, ref, 'b')
    const { imageDetails = [] } = await ecr.client.send(new DescribeImagesCommand({ repositoryName }))
    const detail = imageDetails.find(({ imageDigest }) => imageDigest === digest)
    expect(detail).toEqual({
      ...place,
      imageDigest: digest,
      imageTags: ['v1', 'v2'],
      imageSizeInBytes: 8,
      imagePushedAt: ecr.clock.now(),
      imageManifestMediaType: OCI_MANIFEST,
      artifactMediaType: 'application/vnd.oci.image.config.v1+json',
      imageStatus: 'ACTIVE',
    })
    expect(imageDetails.find(({ imageDigest }) => imageDigest === untagged)).not.toContainKey('imageTags')
  })

  test('DescribeImages shows the subject of a referrer', async () => {
    const subject = await pushImage(ecr, ref, 'a')
    const config = await pushLayer(ecr, ref, '{}')
    const bytes = manifestOf(config, [], { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 5 } })
    await ecr.images.push(admin, ref, { manifest: bytes, tags: [parseTag('sig')] })
    const imageIds = [{ imageTag: 'sig' }]
    const { imageDetails } = await ecr.client.send(new DescribeImagesCommand({ repositoryName, imageIds }))
    expect(imageDetails?.[0]?.subjectManifestDigest).toBe(subject)
  })

  test('DescribeImages by ids: each once, all or none, no pages, filtered', async () => {
    const a = await pushImage(ecr, ref, 'a', 'v1')
    const b = await pushImage(ecr, ref, 'b')
    const describe = (input: object) => ecr.client.send(new DescribeImagesCommand({ repositoryName, ...input }))
    const imageIds = [{ imageDigest: b }, { imageTag: 'v1' }, { imageDigest: a }]
    const digests = async (input: object) =>
      (await describe({ imageIds, ...input })).imageDetails?.map(({ imageDigest }) => imageDigest)
    expect<unknown>(await digests({})).toEqual([b, a])
    expect<unknown>(await digests({ filter: { tagStatus: 'TAGGED' } })).toEqual([a])
    expect<unknown>(await digests({ filter: { imageStatus: 'ARCHIVED' } })).toEqual([])
    expect(await refusalOf(describe({ imageIds: [...imageIds, { imageTag: 'none' }] }))).toEqual([
      'ImageNotFoundException',
      `The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within ${IN_PLACE}`,
    ])
    for (const input of [
      { maxResults: 1 },
      { nextToken: 'x' },
      { imageIds: [{}] },
      { imageIds: [{ imageDigest: 'x' }] },
    ])
      expect((await refusalOf(describe({ imageIds, ...input })))[0]).toBe('InvalidParameterException')
  })

  test('DescribeImages goes on where a page ended', async () => {
    for (const n of [1, 2, 3]) await pushImage(ecr, ref, `${n}`)
    const pages: number[] = []
    for await (const { imageDetails } of paginateDescribeImages(
      { client: ecr.client, pageSize: 2 },
      { repositoryName },
    ))
      pages.push(imageDetails?.length ?? 0)
    expect(pages).toEqual([2, 1])
  })

  test('need the repository, whatever the filter', async () => {
    const input = { repositoryName: 'other', filter: { imageStatus: 'ARCHIVED' } as const }
    for (const answer of [
      ecr.client.send(new ListImagesCommand(input)),
      ecr.client.send(new DescribeImagesCommand(input)),
    ])
      expect((await refusalOf(answer))[0]).toBe('RepositoryNotFoundException')
  })
})
