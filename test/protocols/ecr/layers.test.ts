import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchCheckLayerAvailabilityCommand,
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr'
import { parseDigest } from '../../../src/domain/digest.ts'
import { sha256 } from '../../support/image-builder.ts'
import { pushImage, pushLayer, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const repositoryName = 'app'
const place = { registryId: '123456789012', repositoryName }
const MIB = 1024 * 1024

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

async function begin(): Promise<string> {
  const { uploadId = '', partSize } = await ecr.client.send(new InitiateLayerUploadCommand({ repositoryName }))
  expect(partSize).toBe(10 * MIB)
  return uploadId
}

const part = (uploadId: string, partFirstByte: number, layerPartBlob: Uint8Array, partLastByte?: number) =>
  ecr.client.send(
    new UploadLayerPartCommand({
      repositoryName,
      uploadId,
      partFirstByte,
      partLastByte: partLastByte ?? partFirstByte + layerPartBlob.length - 1,
      layerPartBlob,
    }),
  )

const complete = (uploadId: string, ...layerDigests: string[]) =>
  ecr.client.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests }))

describe('a layer upload', () => {
  test('in parts', async () => {
    const [first, second] = [Buffer.alloc(5 * MIB, 1), Buffer.from('the rest')]
    const digest = sha256(Buffer.concat([first, second]))
    const uploadId = await begin()
    expect(await part(uploadId, 0, first)).toMatchObject({ ...place, uploadId, lastByteReceived: 5 * MIB - 1 })
    expect((await part(uploadId, 5 * MIB, second)).lastByteReceived).toBe(5 * MIB + 7)
    expect(await complete(uploadId, digest)).toMatchObject({ ...place, uploadId, layerDigest: digest })
    expect(await refusalOf(complete(uploadId, digest))).toEqual([
      'UploadNotFoundException',
      `The layer upload with id '${uploadId}' does not exist in the repository with name 'app' in the registry with id '123456789012'`,
    ])
  })

  test('of a layer that is there already', async () => {
    const digest = await pushLayer(ecr, refTo('app'), 'layer')
    const uploadId = await begin()
    await part(uploadId, 0, Buffer.from('layer'))
    expect(await refusalOf(complete(uploadId, digest))).toEqual([
      'LayerAlreadyExistsException',
      `Layer already exists in the repository with name 'app' in the registry with id '123456789012' with digest '${digest}'`,
    ])
  })

  test('with a part out of place: says how far it came', async () => {
    const uploadId = await begin()
    await part(uploadId, 0, Buffer.alloc(5 * MIB))
    const thrown: unknown = await part(uploadId, 0, Buffer.from('again')).catch((thrown: unknown) => thrown)
    expect(thrown).toMatchObject({
      name: 'InvalidLayerPartException',
      message: `First byte of the layer part is 0 instead of ${5 * MIB}`,
      ...place,
      uploadId,
      lastValidByteReceived: 5 * MIB - 1,
    })
  })

  test('with a first part out of place: there is no last byte', async () => {
    const uploadId = await begin()
    const thrown: unknown = await part(uploadId, 5, Buffer.from('later')).catch((thrown: unknown) => thrown)
    expect(thrown).toMatchObject({ name: 'InvalidLayerPartException', uploadId, lastValidByteReceived: undefined })
  })

  test('with a part that is not as long as it says', async () => {
    const uploadId = await begin()
    for (const lastByte of [3, 5])
      expect((await refusalOf(part(uploadId, 0, Buffer.from('12345'), lastByte)))[0]).toBe('InvalidLayerPartException')
    expect((await refusalOf(part(uploadId, 9, Buffer.from('x'), 8)))[0]).toBe('InvalidParameterException')
  })

  test('with a small part that was not the last', async () => {
    const uploadId = await begin()
    await part(uploadId, 0, Buffer.from('small'))
    expect(await refusalOf(part(uploadId, 5, Buffer.from('more')))).toEqual([
      'LayerPartTooSmallException',
      'All layer parts except the last part should be at least 5MB',
    ])
  })

  test('without parts, with another digest, with several, or with none that can be verified', async () => {
    const uploadId = await begin()
    expect((await refusalOf(complete(uploadId, sha256(''))))[0]).toBe('EmptyUploadException')
    await part(uploadId, 0, Buffer.from('layer'))
    expect((await refusalOf(complete(uploadId, sha256('other'))))[0]).toBe('InvalidLayerException')
    for (const digests of [[sha256('layer'), sha256('other')], ['md5:00']])
      expect((await refusalOf(complete(uploadId, ...digests)))[0]).toBe('InvalidParameterException')
    expect((await complete(uploadId, sha256('layer'), sha256('layer'))).layerDigest).toBe(sha256('layer'))
  })

  test('into a repository that does not exist', async () => {
    const answer = ecr.client.send(new InitiateLayerUploadCommand({ repositoryName: 'other' }))
    expect((await refusalOf(answer))[0]).toBe('RepositoryNotFoundException')
  })
})

test('BatchCheckLayerAvailability answers for each digest', async () => {
  await pushImage(ecr, refTo('app'), 'a')
  const [known, unknown] = [sha256('layer of a'), sha256('absent')]
  const { layers, failures } = await ecr.client.send(
    new BatchCheckLayerAvailabilityCommand({ repositoryName, layerDigests: [known, unknown, 'md5:00', 'x', ''] }),
  )
  expect(layers).toEqual([
    {
      layerDigest: known,
      layerAvailability: 'AVAILABLE',
      layerSize: 10,
      mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    },
    { layerDigest: unknown, layerAvailability: 'UNAVAILABLE' },
    { layerDigest: 'md5:00', layerAvailability: 'UNAVAILABLE' },
  ])
  expect(failures).toMatchObject([
    { layerDigest: 'x', failureCode: 'InvalidLayerDigest' },
    { layerDigest: '', failureCode: 'MissingLayerDigest' },
  ])
})

describe('GetDownloadUrlForLayer', () => {
  const url = (layerDigest: string) =>
    ecr.client.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }))

  test('answers a URL whose ticket opens the layer', async () => {
    await pushImage(ecr, refTo('app'), 'a')
    const digest = parseDigest(sha256('layer of a'))
    const { downloadUrl = '', layerDigest } = await url(digest)
    expect(layerDigest).toBe(digest)
    const { origin, pathname, searchParams } = new URL(downloadUrl)
    expect(origin + pathname).toBe(`http://localhost:4566/_ecru/layers/${digest}`)
    const { blob } = await ecr.layers.openByTicket(searchParams.get('ticket') ?? '', digest)
    expect(blob.sizeBytes).toBe(10)
  })

  test('refuses layers that are unknown, or that no image needs', async () => {
    const loose = await pushLayer(ecr, refTo('app'), 'loose')
    expect((await refusalOf(url(sha256('absent'))))[0]).toBe('LayersNotFoundException')
    expect((await refusalOf(url(loose)))[0]).toBe('LayerInaccessibleException')
    expect(await refusalOf(url('md5:00'))).toEqual([
      'InvalidParameterException',
      "Invalid parameter at 'layerDigest' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+''",
    ])
  })
})
