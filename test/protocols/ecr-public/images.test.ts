import { afterEach, beforeEach, expect, test } from 'bun:test'
import { parseDigest } from '../../../src/domain/digest.ts'
import { parseRegistryId } from '../../../src/domain/names.ts'
import { AWS_PUBLIC_QUOTAS } from '../../../src/domain/quotas.ts'
import { sha256 } from '../../support/image-builder.ts'
import type { ServiceOptions } from '../../support/service-fixture.ts'
import { manifestOf, OCI_MANIFEST } from '../../support/service-fixture.ts'
import { createEcrPublic, type EcrPublicFixture, OWNER, STRANGER } from './public-fixture.ts'

let ecr: EcrPublicFixture
const app = { repositoryName: 'app' }

async function open(options: ServiceOptions = {}): Promise<void> {
  ecr = await createEcrPublic(options)
  await ecr.call('CreateRepository', app)
}

beforeEach(() => open())

afterEach(async () => {
  expect(ecr.reported).toEqual([])
  await ecr.close()
})

/** Uploads a layer by the API, naming the registry as `place` does. */
async function pushLayer(content: string, place: object = app): Promise<string> {
  const { uploadId } = await ecr.call('InitiateLayerUpload', place)
  const part = { partFirstByte: 0, partLastByte: content.length - 1, layerPartBlob: btoa(content) }
  expect(await ecr.call('UploadLayerPart', { ...place, uploadId, ...part })).toMatchObject({
    lastByteReceived: content.length - 1,
  })
  const layerDigest = sha256(content)
  expect(await ecr.call('CompleteLayerUpload', { ...place, uploadId, layerDigests: [layerDigest] })).toMatchObject({
    registryId: '123456789012',
    layerDigest,
  })
  return layerDigest
}

async function manifest(content: string, place: object = app): Promise<string> {
  const [config, layer] = [await pushLayer(`c${content}`, place), await pushLayer(`l${content}`, place)]
  return Buffer.from(manifestOf(parseDigest(config), [parseDigest(layer)])).toString()
}

async function aliasOf(): Promise<string> {
  const [alias] = await ecr.metadata.view.publicRegistries.listAliases(parseRegistryId(OWNER))
  return alias?.name ?? ''
}

test('an image is pushed by the account or by its alias, and described without what is private', async () => {
  const imageManifest = await manifest('1')
  const imageDigest = sha256(imageManifest)
  expect(await ecr.call('PutImage', { ...app, imageManifest, imageTag: 'v1' })).toEqual({
    image: {
      registryId: '123456789012',
      repositoryName: 'app',
      imageId: { imageDigest, imageTag: 'v1' },
      imageManifest,
      imageManifestMediaType: OCI_MANIFEST,
    },
  })
  expect(await ecr.call('PutImage', { ...app, imageManifest, imageTag: 'v1' })).toMatchObject({
    __type: 'ImageAlreadyExistsException',
  })
  const byAlias = { ...app, registryId: await aliasOf() }
  const second = await manifest('2', byAlias)
  expect(await ecr.call('PutImage', { ...byAlias, imageManifest: second, imageTag: 'v2' })).toMatchObject({
    image: { registryId: '123456789012' },
  })
  expect(
    await ecr.call('BatchCheckLayerAvailability', { ...byAlias, layerDigests: [sha256('l1'), sha256('no')] }),
  ).toMatchObject({ layers: [{ layerAvailability: 'AVAILABLE' }, { layerAvailability: 'UNAVAILABLE' }] })
  const facts = {
    imageDigest,
    imageSizeInBytes: 8,
    imagePushedAt: ecr.clock.now().getTime() / 1000,
    imageManifestMediaType: OCI_MANIFEST,
    artifactMediaType: 'application/vnd.oci.image.config.v1+json',
  }
  expect(await ecr.call('DescribeImages', { ...app, imageIds: [{ imageTag: 'v1' }] })).toEqual({
    imageDetails: [{ registryId: '123456789012', repositoryName: 'app', ...facts, imageTags: ['v1'] }],
  })
  const page = await ecr.call('DescribeImageTags', { ...app, maxResults: 1 })
  expect(page.imageTagDetails).toEqual([{ imageTag: 'v1', createdAt: facts.imagePushedAt, imageDetail: facts }])
  expect(await ecr.call('DescribeImageTags', { ...app, nextToken: page.nextToken })).toMatchObject({
    imageTagDetails: [{ imageTag: 'v2', imageDetail: { imageDigest: sha256(second) } }],
  })
  expect(
    await ecr.call('BatchDeleteImage', { ...app, imageIds: [{ imageTag: 'v1' }, { imageTag: 'v9' }] }),
  ).toMatchObject({
    imageIds: [{ imageDigest, imageTag: 'v1' }],
    failures: [{ failureCode: 'ImageNotFound' }],
  })
  expect(await ecr.call('DeleteRepository', app)).toMatchObject({ __type: 'RepositoryNotEmptyException' })
  expect(await ecr.call('DeleteRepository', { ...app, force: true })).toMatchObject({ repository: app })
})

test('an alias that nobody has leads to no registry', async () => {
  const place = { ...app, registryId: 'nobodys' }
  expect(await ecr.call('InitiateLayerUpload', place)).toMatchObject({ __type: 'RegistryNotFoundException' })
  expect(await ecr.call('DescribeImages', place)).toMatchObject({ __type: 'InvalidParameterException' })
})

test('a part that does not fit says how far the layer came', async () => {
  const { uploadId } = await ecr.call('InitiateLayerUpload', app)
  const part = { ...app, uploadId, partFirstByte: 5, partLastByte: 5, layerPartBlob: btoa('x') }
  expect(await ecr.call('UploadLayerPart', part)).toMatchObject({
    __type: 'InvalidLayerPartException',
    registryId: '123456789012',
    uploadId,
  })
})

test('a policy lets others push and manage, and the owner out', async () => {
  const place = { ...app, registryId: '123456789012' }
  const stranger = { account: STRANGER }
  expect(await ecr.call('InitiateLayerUpload', place, stranger)).toEqual({
    __type: 'AccessDeniedException',
    message:
      'User: arn:aws:iam::999999999999:root is not authorized to perform: ecr-public:InitiateLayerUpload on resource: arn:aws:ecr-public::123456789012:repository/app because no resource-based policy allows the ecr-public:InitiateLayerUpload action',
  })
  const policyOf = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements })
  const allow = (Action: string) => ({ Effect: 'Allow', Principal: { AWS: STRANGER }, Action })
  const set = (policyText: string) => ecr.call('SetRepositoryPolicy', { ...app, policyText })
  expect(await set(policyOf(allow('ecr:PutImage')))).toMatchObject({ __type: 'InvalidParameterException' })
  const policyText = policyOf(allow('ecr-public:InitiateLayerUpload'), allow('ecr-public:Describe*'), {
    ...{ Effect: 'Deny', Principal: '*', Action: 'ecr-public:DeleteRepository' },
  })
  expect(await set(policyText)).toEqual({ registryId: '123456789012', repositoryName: 'app', policyText })
  expect(await ecr.call('GetRepositoryPolicy', app)).toMatchObject({ policyText })
  expect(await ecr.call('InitiateLayerUpload', place, stranger)).toHaveProperty('uploadId')
  expect(await ecr.call('DescribeImageTags', place, stranger)).toEqual({ imageTagDetails: [] })
  expect(await ecr.call('PutRepositoryCatalogData', { ...place, catalogData: {} }, stranger)).toMatchObject({
    __type: 'AccessDeniedException',
  })
  expect(await ecr.call('DeleteRepository', app)).toMatchObject({ __type: 'AccessDeniedException' })
  expect(await ecr.call('DeleteRepositoryPolicy', app)).toMatchObject({ policyText })
  expect(await ecr.call('GetRepositoryPolicy', app)).toMatchObject({ __type: 'RepositoryPolicyNotFoundException' })
})

test('the token is one object', async () => {
  const { authorizationData } = await ecr.call('GetAuthorizationToken')
  const { authorizationToken, expiresAt } = authorizationData as Record<string, string>
  expect(atob(authorizationToken ?? '')).toMatch(/^AWS:[^:]+$/)
  expect(Number(expiresAt) * 1000).toBeGreaterThan(ecr.clock.now().getTime())
})

test('public registries have quotas and rates of their own', async () => {
  await ecr.close()
  await open({
    publicQuotas: { ...AWS_PUBLIC_QUOTAS, repositoriesPerRegistry: 1, imagesPerRepository: 1 },
    publicRates: { GetAuthorizationToken: 1 },
  })
  expect(await ecr.call('CreateRepository', { repositoryName: 'more' })).toMatchObject({
    __type: 'LimitExceededException',
  })
  await ecr.call('CreateRepository', { repositoryName: 'more' }, { service: 'ecr' })
  expect(await ecr.call('CreateRepository', { repositoryName: 'still' }, { service: 'ecr' })).toHaveProperty(
    'repository',
  )
  await ecr.call('PutImage', { ...app, imageManifest: await manifest('1') })
  expect(await ecr.call('PutImage', { ...app, imageManifest: await manifest('2') })).toMatchObject({
    __type: 'LimitExceededException',
  })
  await ecr.call('GetAuthorizationToken')
  expect(await ecr.call('GetAuthorizationToken')).toMatchObject({ __type: 'ThrottlingException' })
  expect(await ecr.call('GetAuthorizationToken', {}, { service: 'ecr' })).toHaveProperty('authorizationData')
})
