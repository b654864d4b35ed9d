import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchCheckLayerAvailabilityCommand,
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  GetDownloadUrlForLayerCommand,
  type ImageStatusFilter,
  ListImagesCommand,
  PutImageCommand,
  type TargetStorageClass,
  UpdateImageStorageClassCommand,
} from '@aws-sdk/client-ecr'
import { sha256 } from '../../support/image-builder.ts'
import { ACTIVATION_MS, admin, indexOf, pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const repositoryName = 'app'
const ref = refTo(repositoryName)
const place = { registryId: '123456789012', repositoryName }

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const update = (imageId: { imageDigest?: string; imageTag?: string }, targetStorageClass: TargetStorageClass) =>
  ecr.client.send(new UpdateImageStorageClassCommand({ repositoryName, imageId, targetStorageClass }))
const describeImages = async (imageStatus?: ImageStatusFilter) => {
  const filter = imageStatus === undefined ? {} : { filter: { imageStatus } }
  return (await ecr.client.send(new DescribeImagesCommand({ repositoryName, ...filter }))).imageDetails ?? []
}
const listImages = async (imageStatus?: ImageStatusFilter) => {
  const filter = imageStatus === undefined ? {} : { filter: { imageStatus } }
  return (await ecr.client.send(new ListImagesCommand({ repositoryName, ...filter }))).imageIds
}
const getImage = (imageTag: string) =>
  ecr.client.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }] }))

describe('UpdateImageStorageClass', () => {
  test('archives by tag or digest, and answers with the id and its status', async () => {
    const [a, b] = [await pushImage(ecr, ref, 'a', 'v1'), await pushImage(ecr, ref, 'b')]
    expect(await update({ imageTag: 'v1' }, 'ARCHIVE')).toMatchObject({
      ...place,
      imageId: { imageDigest: a, imageTag: 'v1' },
      imageStatus: 'ARCHIVED',
    })
    const { imageId, imageStatus } = await update({ imageDigest: b }, 'ARCHIVE')
    expect<unknown>([imageId, imageStatus]).toEqual([{ imageDigest: b }, 'ARCHIVED'])
    expect((await update({ imageDigest: b }, 'STANDARD')).imageStatus).toBe('ACTIVATING')
  })

  test('what it refuses', async () => {
    const child = await pushImage(ecr, ref, 'child')
    const { image: index } = await ecr.images.push(admin, ref, { manifest: indexOf([child]), tags: [] })
    const code = async (...args: Parameters<typeof update>) => (await refusalOf(update(...args)))[0]
    expect(await refusalOf(update({ imageDigest: child }, 'ARCHIVE'))).toEqual([
      'ImageStorageClassUpdateNotSupportedException',
      `The storage class of the image with digest '${child}' cannot be updated: Requested image referenced by manifest list: [${index.digest}]`,
    ])
    expect(await code({ imageDigest: child }, 'STANDARD')).toBe('ImageStorageClassUpdateNotSupportedException')
    expect(await refusalOf(update({ imageTag: 'none' }, 'ARCHIVE'))).toEqual([
      'ImageNotFoundException',
      "The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within the repository with name 'app' in the registry with id '123456789012'",
    ])
    expect(await code({}, 'ARCHIVE')).toBe('InvalidParameterException')
    expect(await code({ imageDigest: child }, 'GLACIER' as TargetStorageClass)).toBe('InvalidParameterException')
    const elsewhere = new UpdateImageStorageClassCommand({
      repositoryName: 'other',
      imageId: { imageTag: 'v1' },
      targetStorageClass: 'ARCHIVE',
    })
    expect((await refusalOf(ecr.client.send(elsewhere)))[0]).toBe('RepositoryNotFoundException')
    expect((await refusalOf(ecr.clientOf('999999999999').send(elsewhere)))[0]).toBe('RepositoryNotFoundException')
  })
})

describe('an archived image', () => {
  test('shows where its status is asked for, with its moments', async () => {
    const digest = await pushImage(ecr, ref, 'a', 'v1')
    const archivedAt = ecr.clock.now()
    await update({ imageTag: 'v1' }, 'ARCHIVE')
    for (const status of [undefined, 'ACTIVE', 'ACTIVATING'] as const) {
      expect(await describeImages(status)).toEqual([])
      expect(await listImages(status)).toEqual([])
    }
    for (const status of ['ARCHIVED', 'ANY'] as const) {
      expect<unknown>(await listImages(status)).toEqual([{ imageDigest: digest, imageTag: 'v1' }])
      expect((await describeImages(status))[0]).toMatchObject({ imageStatus: 'ARCHIVED', lastArchivedAt: archivedAt })
    }
    const byId = (imageStatus: ImageStatusFilter) =>
      ecr.client.send(
        new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }], filter: { imageStatus } }),
      )
    expect((await byId('ARCHIVED')).imageDetails).toHaveLength(1)
    expect((await byId('ACTIVE')).imageDetails).toEqual([])
    await update({ imageTag: 'v1' }, 'STANDARD')
    expect((await describeImages('ACTIVATING'))[0]).not.toContainKey('lastActivatedAt')
    ecr.clock.advance(ACTIVATION_MS)
    expect((await describeImages())[0]).toMatchObject({
      imageStatus: 'ACTIVE',
      lastArchivedAt: archivedAt,
      lastActivatedAt: ecr.clock.now(),
    })
  })

  test('cannot be got, and comes back when it is put again', async () => {
    const digest = await pushImage(ecr, ref, 'a', 'v1')
    const imageManifest = (await getImage('v1')).images?.[0]?.imageManifest
    await update({ imageTag: 'v1' }, 'ARCHIVE')
    const { images, failures } = await getImage('v1')
    expect(images).toEqual([])
    expect<unknown>(failures).toEqual([
      {
        imageId: { imageTag: 'v1' },
        failureCode: 'ImageInaccessible',
        failureReason: 'Requested image is archived and cannot be used until it is restored',
      },
    ])
    const { image } = await ecr.client.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'v1' }))
    expect(image?.imageId?.imageDigest).toBe(digest)
    expect((await getImage('v1')).failures).toEqual([])
  })

  test('takes the layers that it alone needs along', async () => {
    await pushImage(ecr, ref, 'a', 'v1')
    await update({ imageTag: 'v1' }, 'ARCHIVE')
    const layerDigest = sha256('layer of a')
    const check = new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [layerDigest] })
    expect<unknown>((await ecr.client.send(check)).layers).toEqual([
      {
        layerDigest,
        layerAvailability: 'ARCHIVED',
        layerSize: 10,
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
      },
    ])
    const download = new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest })
    expect((await refusalOf(ecr.client.send(download)))[0]).toBe('LayerInaccessibleException')
  })
})
