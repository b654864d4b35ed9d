import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  BatchDeleteImageCommand,
  BatchGetImageCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  type ECRClient,
  GetAuthorizationTokenCommand,
  GetDownloadUrlForLayerCommand,
  ImageTagAlreadyExistsException,
  InitiateLayerUploadCommand,
  InvalidLayerPartException,
  PutImageCommand,
  PutImageTagMutabilityCommand,
  paginateListImages,
  RepositoryNotFoundException,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { useStage } from '../support/clients/stage.ts'
import { servesEveryByte } from '../support/clients/wire.ts'
import { type Blob, buildImage, sha256 } from '../support/image-builder.ts'
import { ecrClient } from '../support/start-registry.ts'

describe('the AWS SDK for JavaScript pushes and pulls without /v2/', () => {
  const stage = useStage()
  const repositoryName = 'sdk/app'
  const image = buildImage('sdk-js')
  let ecr: ECRClient

  beforeAll(() => {
    ecr = ecrClient(stage.url)
  })
  afterAll(() => ecr?.destroy())

  /** Uploads a blob in parts and closes the upload. */
  async function upload({ digest, bytes }: Blob): Promise<void> {
    const { uploadId, partSize = 0 } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }))
    for (let first = 0; first < bytes.length; first += partSize) {
      const layerPartBlob = bytes.subarray(first, first + partSize)
      const last = first + layerPartBlob.length - 1
      const part = { repositoryName, uploadId, partFirstByte: first, partLastByte: last, layerPartBlob }
      expect((await ecr.send(new UploadLayerPartCommand(part))).lastByteReceived).toBe(last)
    }
    const done = await ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] }))
    expect(done.layerDigest).toBe(digest)
  }

  test('an image goes up by the layer API and comes down over /v2/ byte for byte', async () => {
    const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }))
    expect(repository?.createdAt).toBeInstanceOf(Date)
    for (const part of [image.config, ...image.layers]) await upload(part)
    const imageManifest = image.manifest.bytes.toString()
    const put = await ecr.send(
      new PutImageCommand({ repositoryName, imageManifest, imageTag: 'v1', imageDigest: image.manifest.digest }),
    )
    expect(put.image?.imageId).toEqual({ imageDigest: image.manifest.digest, imageTag: 'v1' })
    expect(await servesEveryByte(stage, repositoryName, image)).toBe(true)
  })

  test('a pull by API: manifest as it was sent, layers by their URLs', async () => {
    const got = await ecr.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] }))
    expect(sha256(got.images?.[0]?.imageManifest ?? '')).toBe(image.manifest.digest)
    for (const { digest } of image.layers) {
      const { downloadUrl = '' } = await ecr.send(
        new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: digest }),
      )
      const answer = await fetch(downloadUrl)
      expect(sha256(await answer.bytes())).toBe(digest)
    }
    const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName }))
    expect(imageDetails?.[0]?.imagePushedAt).toBeInstanceOf(Date)
    expect(imageDetails?.[0]?.lastRecordedPullTime).toBeInstanceOf(Date)
  })

  test('the token has an expiry that is a date, and the caller an identity', async () => {
    const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
    expect(authorizationData?.[0]?.expiresAt?.getTime()).toBeGreaterThan(Date.now() + 11 * 3_600_000)
    const credentials = { accessKeyId: '111122223333', secretAccessKey: 'test' }
    const sts = new STSClient({ endpoint: stage.url, region: 'us-east-1', credentials })
    expect((await sts.send(new GetCallerIdentityCommand({}))).Account).toBe('111122223333')
    sts.destroy()
  })

  test('errors arrive as the exceptions of the SDK', async () => {
    const absent = ecr.send(new DescribeImagesCommand({ repositoryName: 'sdk/none' }))
    await expect(absent).rejects.toBeInstanceOf(RepositoryNotFoundException)
    const { uploadId } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }))
    const gap = { repositoryName, uploadId, partFirstByte: 7, partLastByte: 9, layerPartBlob: Buffer.from('abc') }
    const refused = await ecr.send(new UploadLayerPartCommand(gap)).catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(InvalidLayerPartException)
    expect(refused).toMatchObject({ repositoryName, uploadId, registryId: '000000000000' })
    await ecr.send(new PutImageTagMutabilityCommand({ repositoryName, imageTagMutability: 'IMMUTABLE' }))
    const taken = ecr.send(
      new PutImageCommand({ repositoryName, imageManifest: image.manifest.bytes.toString(), imageTag: 'v1' }),
    )
    await expect(taken).rejects.toBeInstanceOf(ImageTagAlreadyExistsException)
    await expect(
      ecr.send(new PutImageCommand({ repositoryName, imageManifest: '{}', imageTag: 'v1' })),
    ).rejects.toMatchObject({
      name: 'InvalidParameterException',
      $metadata: { httpStatusCode: 400 },
    })
  })

  test('the paginator and the batch deletion see every tag', async () => {
    const imageManifest = image.manifest.bytes.toString()
    const tags = Array.from({ length: 11 }, (_, n) => `tag-${n}`)
    for (const imageTag of tags) await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag }))
    const seen: string[] = []
    for await (const page of paginateListImages({ client: ecr, pageSize: 5 }, { repositoryName })) {
      seen.push(...(page.imageIds ?? []).flatMap(({ imageTag }) => imageTag ?? []))
    }
    expect(seen.toSorted()).toEqual([...tags, 'v1'].toSorted())
    const removed = await ecr.send(
      new BatchDeleteImageCommand({ repositoryName, imageIds: tags.map((imageTag) => ({ imageTag })) }),
    )
    expect(removed.imageIds).toHaveLength(tags.length)
    expect(removed.failures).toEqual([])
  })
})
