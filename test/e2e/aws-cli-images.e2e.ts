import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import type {
  BatchDeleteImageResponse,
  BatchGetImageResponse,
  DescribeImagesResponse,
  ListImagesResponse,
  PutImageResponse,
} from '@aws-sdk/client-ecr'
import { awsCli } from '../support/clients/aws-cli.ts'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex, sha256 } from '../support/image-builder.ts'

const test = testWith('aws')

describe('the AWS CLI manages images', () => {
  const stage = useStage({
    repositories: ['img/app', 'img/retag', 'img/list', 'img/delete', 'img/multi', 'img/errors'],
  })
  const aws = () => awsCli(stage)
  const inRepository = (name: string) => `the repository with name '${name}' in the registry with id '000000000000'`

  test('describe-images tells digest, tags, size, media types and time of a push', async () => {
    const image = buildImage('cli-describe', { format: 'docker' })
    await push(stage, 'img/app', image, 'v1')
    await push(stage, 'img/app', image, 'latest')
    const { imageDetails } = await aws().json<DescribeImagesResponse>(
      'ecr',
      'describe-images',
      '--repository-name',
      'img/app',
    )
    expect(imageDetails).toHaveLength(1)
    const [detail] = imageDetails
    expect<unknown>(detail).toMatchObject({
      registryId: '000000000000',
      repositoryName: 'img/app',
      imageDigest: image.manifest.digest,
      imageManifestMediaType: image.manifest.mediaType,
      artifactMediaType: image.config.mediaType,
    })
    expect<unknown>(detail?.imageTags.toSorted()).toEqual(['latest', 'v1'])
    const layersInBytes = image.layers.reduce((total, layer) => total + layer.bytes.length, 0)
    expect(detail?.imageSizeInBytes).toBeGreaterThanOrEqual(layersInBytes)
    expect(detail?.imageSizeInBytes).toBeLessThanOrEqual(layersInBytes + image.config.bytes.length)
    expect(Math.abs((detail?.imagePushedAt ?? 0) * 1000 - Date.now())).toBeLessThan(60_000)
  })

  test('batch-get-image and put-image retag an image without moving a layer', async () => {
    const image = buildImage('cli-retag')
    await push(stage, 'img/retag', image, 'latest')
    const manifest = await aws().text(
      ...['ecr', 'batch-get-image', '--repository-name', 'img/retag', '--image-ids', 'imageTag=latest'],
      ...['--query', 'images[].imageManifest'],
    )
    expect(sha256(manifest)).toBe(image.manifest.digest)
    const put = [
      'ecr',
      'put-image',
      '--repository-name',
      'img/retag',
      '--image-tag',
      '2017.03',
      '--image-manifest',
      manifest,
    ]
    const answer = await aws().json<PutImageResponse>(...put)
    expect<unknown>(answer.image).toMatchObject({
      imageId: { imageDigest: image.manifest.digest, imageTag: '2017.03' },
      imageManifest: manifest,
      imageManifestMediaType: image.manifest.mediaType,
    })
    expect((await storedManifest(stage, 'img/retag', '2017.03')).digest).toBe(image.manifest.digest)
    expect(await aws().failure(...put)).toBe(
      `An error occurred (ImageAlreadyExistsException) when calling the PutImage operation: Image with digest '${image.manifest.digest}' and tag '2017.03' already exists in the repository with name 'img/retag' in registry with id '000000000000'`,
    )
  })

  test('list-images pages through every tag once and filters by tag status', async () => {
    const [first, second] = [buildImage('cli-list-1'), buildImage('cli-list-2')]
    const tags = Array.from({ length: 9 }, (_, n) => `t${n}`)
    for (const tag of tags) await push(stage, 'img/list', first, tag)
    await push(stage, 'img/list', second)
    const list = ['ecr', 'list-images', '--repository-name', 'img/list']
    const { imageIds } = await aws().json<ListImagesResponse>(...list, '--page-size', '4')
    expect(imageIds).toHaveLength(10)
    const tagged = imageIds.flatMap((id: { imageTag?: string }) => id.imageTag ?? [])
    expect<unknown>(tagged.toSorted()).toEqual(tags)
    expect<readonly unknown[]>(imageIds).toContainEqual({ imageDigest: second.manifest.digest })
    const started = await aws().json<ListImagesResponse>(...list, '--page-size', '4', '--max-items', '6')
    const rest = await aws().json<ListImagesResponse>(
      ...list,
      '--page-size',
      '4',
      '--starting-token',
      started.NextToken,
    )
    expect<unknown>([...started.imageIds, ...rest.imageIds]).toEqual(imageIds)
    const untagged = await aws().json<ListImagesResponse>(...list, '--filter', 'tagStatus=UNTAGGED')
    expect<unknown>(untagged.imageIds).toEqual([{ imageDigest: second.manifest.digest }])
    expect((await aws().json<ListImagesResponse>(...list, '--filter', 'tagStatus=TAGGED')).imageIds).toHaveLength(9)
    expect(
      (
        await aws().json<DescribeImagesResponse>(
          'ecr',
          'describe-images',
          '--repository-name',
          'img/list',
          '--page-size',
          '1',
        )
      ).imageDetails,
    ).toHaveLength(2)
  })

  test('batch-delete-image: a tag goes, the last tag takes the image, a digest takes all tags', async () => {
    const [first, second] = [buildImage('cli-delete-1'), buildImage('cli-delete-2')]
    for (const tag of ['a', 'b']) await push(stage, 'img/delete', first, tag)
    for (const tag of ['x', 'y']) await push(stage, 'img/delete', second, tag)
    const remove = (...ids: string[]) =>
      aws().json<BatchDeleteImageResponse>(
        'ecr',
        'batch-delete-image',
        '--repository-name',
        'img/delete',
        '--image-ids',
        ...ids,
      )
    const firstDigest = first.manifest.digest
    expect<unknown>(await remove('imageTag=a')).toEqual({
      imageIds: [{ imageDigest: firstDigest, imageTag: 'a' }],
      failures: [],
    })
    expect((await storedManifest(stage, 'img/delete', 'b')).digest).toBe(firstDigest)
    expect<unknown>(await remove('imageTag=b')).toEqual({
      imageIds: [{ imageDigest: firstDigest, imageTag: 'b' }],
      failures: [],
    })
    expect((await wire(stage, `img/delete/manifests/${firstDigest}`)).status).toBe(404)
    const both = await remove(`imageDigest=${second.manifest.digest}`)
    expect(both.imageIds).toHaveLength(2)
    expect<unknown>(both.imageIds.map((id: { imageTag: string }) => id.imageTag).toSorted()).toEqual(['x', 'y'])
    expect<unknown>(await remove('imageTag=a')).toEqual({
      imageIds: [],
      failures: [
        { imageId: { imageTag: 'a' }, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' },
      ],
    })
    expect(
      (await aws().json<ListImagesResponse>('ecr', 'list-images', '--repository-name', 'img/delete')).imageIds,
    ).toEqual([])
  })

  test('a child of a manifest list stays until the list is gone', async () => {
    const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }))
    const index = buildIndex(platforms.map((platform) => buildImage(`cli-${platform.architecture}`, { platform })))
    await push(stage, 'img/multi', index, 'all')
    const child = index.images[0]?.manifest.digest ?? ''
    const remove = (digest: string) =>
      aws().json<BatchDeleteImageResponse>(
        'ecr',
        'batch-delete-image',
        '--repository-name',
        'img/multi',
        '--image-ids',
        `imageDigest=${digest}`,
      )
    expect<unknown>((await remove(child)).failures).toEqual([
      {
        imageId: { imageDigest: child },
        failureCode: 'ImageReferencedByManifestList',
        failureReason: `Requested image referenced by manifest list: [${index.manifest.digest}]`,
      },
    ])
    expect<unknown>((await remove(index.manifest.digest)).imageIds).toEqual([
      { imageDigest: index.manifest.digest, imageTag: 'all' },
    ])
    expect<unknown>(await remove(child)).toEqual({ imageIds: [{ imageDigest: child }], failures: [] })
  })

  test('get-download-url-for-layer leads to the bytes of the layer', async () => {
    const [layer] = buildImage('cli-describe', { format: 'docker' }).layers
    const url = await aws().text(
      ...['ecr', 'get-download-url-for-layer', '--repository-name', 'img/app', '--layer-digest', layer?.digest ?? ''],
      ...['--query', 'downloadUrl'],
    )
    const answer = await fetch(url)
    expect(answer.status).toBe(200)
    expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(layer?.digest ?? '')
  })

  test('what is not there is refused in the words of ECR', async () => {
    const absent = await aws().failure(
      'ecr',
      'describe-images',
      '--repository-name',
      'img/errors',
      '--image-ids',
      'imageTag=none',
    )
    expect(absent).toBe(
      `An error occurred (ImageNotFoundException) when calling the DescribeImages operation: The image with imageId {imageDigest:'null', imageTag:'none'} does not exist within ${inRepository('img/errors')}`,
    )
    const got = await aws().json<BatchGetImageResponse>(
      'ecr',
      'batch-get-image',
      '--repository-name',
      'img/errors',
      '--image-ids',
      'imageTag=none',
    )
    expect<unknown>(got).toEqual({
      images: [],
      failures: [
        { imageId: { imageTag: 'none' }, failureCode: 'ImageNotFound', failureReason: 'Requested image not found' },
      ],
    })
    const nowhere = await aws().failure('ecr', 'list-images', '--repository-name', 'img/nowhere')
    expect(nowhere).toBe(
      "An error occurred (RepositoryNotFoundException) when calling the ListImages operation: The repository with name 'img/nowhere' does not exist in the registry with id '000000000000'",
    )
    const image = buildImage('cli-layerless')
    const file = stage.path('manifest.json')
    await writeFile(file, image.manifest.bytes)
    const missing = await aws().failure(
      'ecr',
      'put-image',
      '--repository-name',
      'img/errors',
      '--image-manifest',
      `file://${file}`,
    )
    expect(missing).toContain('(LayersNotFoundException) when calling the PutImage operation: Layers with digests ')
    expect(missing).toEndWith(
      `required for pushing image into ${inRepository('img/errors').replace('the ', '')} do not exist`,
    )
    for (const { digest } of image.layers) expect(missing).toContain(digest)
    const broken = await aws().failure(
      'ecr',
      'put-image',
      '--repository-name',
      'img/errors',
      '--image-manifest',
      '{"schemaVersion":',
    )
    expect(broken).toContain("Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'")
    const unsupported = await aws().failure('ecr', 'get-registry-policy')
    expect(unsupported).toContain('when calling the GetRegistryPolicy operation')
  })
})
