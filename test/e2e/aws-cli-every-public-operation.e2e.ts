import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import ecrPublicModel from '../../models/ecr-public.json' with { type: 'json' }
import type { EcrServices } from '../../src/protocols/ecr/operation.ts'
import type { OwnPublicServices } from '../../src/protocols/ecr-public/operation.ts'
import { ecrPublicService } from '../../src/protocols/ecr-public/operations.ts'
import { testWith } from '../support/clients/client-test.ts'
import { everyOperation, subcommand } from '../support/clients/every-operation.ts'
import { useStage } from '../support/clients/stage.ts'
import { type Blob, buildImage } from '../support/image-builder.ts'

const test = testWith('aws')
const ACCOUNT = '000000000000'

/** The answers of the API, as far as the steps need them. */
interface Created {
  readonly repository: { readonly repositoryArn: string }
}

interface Begun {
  readonly uploadId: string
}

const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Sid: 'push', Effect: 'Allow', Principal: { AWS: '999999999999' }, Action: 'ecr-public:PutImage' }],
})

describe('every command of `aws ecr-public`', () => {
  const stage = useStage()
  const ecr = everyOperation(stage, 'ecr-public', {
    // The table is built without calling anything, so no service is needed behind it.
    ...ecrPublicService({} as EcrServices & OwnPublicServices),
    paginated: Object.keys(ecrPublicModel.paginators),
  })

  const named = (name: string) => ['--repository-name', name] as const

  test('repositories, their catalog data, tags and policies', async () => {
    const of = named('every/one')
    const [{ repository }] = await Promise.all([
      ecr.json<Created>('CreateRepository', ...of, '--tags', 'Key=a,Value=1'),
      ecr.json('CreateRepository', ...named('every/two')),
    ])
    expect(repository).toMatchObject({ repositoryName: 'every/one', registryId: ACCOUNT })
    const arn = ['--resource-arn', repository.repositoryArn] as const

    const tags = async () => {
      await ecr.json('TagResource', ...arn, '--tags', 'Key=b,Value=2')
      await ecr.json('UntagResource', ...arn, '--tag-keys', 'a')
      expect(await ecr.json('ListTagsForResource', ...arn)).toEqual({ tags: [{ Key: 'b', Value: '2' }] })
    }
    const catalog = async () => {
      const catalogData = { description: 'an app', architectures: ['ARM 64'], aboutText: 'about' }
      const given = ['--catalog-data', JSON.stringify(catalogData)]
      expect(await ecr.json('PutRepositoryCatalogData', ...of, ...given)).toMatchObject({ catalogData })
      expect(await ecr.json('GetRepositoryCatalogData', ...of)).toMatchObject({ catalogData })
    }
    const policy = async () => {
      await ecr.json('SetRepositoryPolicy', ...of, '--policy-text', POLICY)
      for (const operation of ['GetRepositoryPolicy', 'DeleteRepositoryPolicy'])
        expect(await ecr.json(operation, ...of)).toMatchObject({ policyText: POLICY })
    }
    const registry = async () => {
      const registryCatalogData = { displayName: 'Somebody' }
      await ecr.json('PutRegistryCatalogData', '--display-name', registryCatalogData.displayName)
      expect(await ecr.json('GetRegistryCatalogData')).toEqual({ registryCatalogData })
    }
    await Promise.all([tags(), catalog(), policy(), registry()])
  })

  test('images by the layer API alone', async () => {
    const of = named('every/one')
    const image = buildImage('every-public', { layers: [{ 'a.txt': 'a' }] })
    const { config, manifest } = image
    const blobs = [config, ...image.layers]
    const upload = async (blob: Blob, n: number) => {
      const file = stage.path(`blob-${n}`)
      await writeFile(file, blob.bytes)
      const { uploadId } = await ecr.json<Begun>('InitiateLayerUpload', ...of)
      const last = blob.bytes.length - 1
      const part = ['--part-first-byte', '0', '--part-last-byte', `${last}`, '--layer-part-blob', `fileb://${file}`]
      expect(await ecr.json('UploadLayerPart', ...of, '--upload-id', uploadId, ...part)).toMatchObject({
        lastByteReceived: last,
      })
      const digests = ['--layer-digests', blob.digest]
      expect(await ecr.json('CompleteLayerUpload', ...of, '--upload-id', uploadId, ...digests)).toMatchObject({
        layerDigest: blob.digest,
      })
    }
    await Promise.all(blobs.map(upload))
    await writeFile(stage.path('manifest'), manifest.bytes)
    await writeFile(stage.path('other'), `${manifest.bytes}\n`)
    const put = (file: string, tag: string) =>
      ecr.json('PutImage', ...of, '--image-manifest', `file://${stage.path(file)}`, '--image-tag', tag)
    const [layers, first] = await Promise.all([
      ecr.json('BatchCheckLayerAvailability', ...of, '--layer-digests', ...blobs.map(({ digest }) => digest)),
      put('manifest', 'v1'),
      put('other', 'v2'),
    ])
    expect(layers).toMatchObject({
      layers: [{ layerAvailability: 'AVAILABLE' }, { layerAvailability: 'AVAILABLE' }],
      failures: [],
    })
    expect(first).toMatchObject({ image: { imageId: { imageDigest: manifest.digest, imageTag: 'v1' } } })
  })

  test('what there is, page by page, and logins', async () => {
    const of = named('every/one')
    const [repositories, registries, images, tags, token, password] = await Promise.all([
      ecr.pages('DescribeRepositories', 'repositories'),
      ecr.pages('DescribeRegistries', 'registries'),
      ecr.pages('DescribeImages', 'imageDetails', ...of),
      ecr.pages('DescribeImageTags', 'imageTagDetails', ...of),
      ecr.json('GetAuthorizationToken'),
      ecr.text('get-login-password'),
    ])
    expect(repositories).toMatchObject([{ repositoryName: 'every/one' }, { repositoryName: 'every/two' }])
    expect(registries).toMatchObject([{ registryId: ACCOUNT, verified: false }])
    expect(images).toHaveLength(2)
    for (const tag of ['v1', 'v2']) expect(images).toContainEqual(expect.objectContaining({ imageTags: [tag] }))
    expect(tags).toMatchObject([{ imageTag: 'v1' }, { imageTag: 'v2' }])
    expect(token).toMatchObject({ authorizationData: { authorizationToken: expect.any(String) } })
    const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
    const host = 'public.ecr.aws'
    const granted = await fetch(`${stage.url}/token/?service=${host}`, { headers: { authorization, host } })
    const bearer = `Bearer ${((await granted.json()) as { readonly token: string }).token}`
    const answer = await fetch(`${stage.url}/v2/`, { headers: { authorization: bearer, host } })
    expect(answer.status).toBe(200)
  })

  test('images and repositories are deleted', async () => {
    const of = named('every/one')
    expect(await ecr.json('BatchDeleteImage', ...of, '--image-ids', 'imageTag=v1')).toMatchObject({
      imageIds: [{ imageTag: 'v1' }],
      failures: [],
    })
    expect(await ecr.json('DeleteRepository', ...of, '--force')).toMatchObject({
      repository: { repositoryName: 'every/one' },
    })
  })

  test('nothing was left out', async () => {
    const left = ecr.handled.filter((operation) => !ecr.called.has(operation)).map(subcommand)
    expect(left).toEqual([])
    expect(ecr.paginated.filter((operation) => !ecr.paged.has(operation))).toEqual([])
    // The whole service is handled, so there is nothing that would be refused by its name.
    expect(ecr.refused).toEqual([])
  })
})
