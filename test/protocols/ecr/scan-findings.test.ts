import { afterEach, beforeEach, expect, test } from 'bun:test'
import { CreateRepositoryCommand, DescribeImageScanFindingsCommand, type ImageIdentifier } from '@aws-sdk/client-ecr'
import type { Digest } from '../../../src/domain/digest.ts'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

let ecr: EcrFixture
let digest: Digest
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(
    new CreateRepositoryCommand({ repositoryName: 'app', imageScanningConfiguration: { scanOnPush: true } }),
  )
  digest = await pushImage(ecr, refTo('app'), 'image', 'v1')
})
afterEach(() => ecr.close())

const refusal = (imageId: ImageIdentifier, repositoryName = 'app') =>
  refusalOf(ecr.client.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId })))

test('no image has been scanned, and none is called clean', async () => {
  expect(await refusal({ imageDigest: digest })).toEqual([
    'ScanNotFoundException',
    `Image scan does not exist for the image with '{imageDigest:'${digest}', imageTag:'null'}' in the repository with name 'app' in the registry with id '123456789012'`,
  ])
  expect((await refusal({ imageTag: 'v1' }))[0]).toBe('ScanNotFoundException')
})

test('what is not there cannot have been', async () => {
  expect((await refusal({ imageTag: 'v2' }))[0]).toBe('ImageNotFoundException')
  expect((await refusal({ imageTag: 'v1' }, 'none'))[0]).toBe('RepositoryNotFoundException')
})
