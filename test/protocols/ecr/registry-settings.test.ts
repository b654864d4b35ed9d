import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeregisterPullTimeUpdateExclusionCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetAccountSettingCommand,
  ListPullTimeUpdateExclusionsCommand,
  PutAccountSettingCommand,
  PutImageScanningConfigurationCommand,
  RegisterPullTimeUpdateExclusionCommand,
} from '@aws-sdk/client-ecr'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const repositoryName = 'app'
const SCANNER = 'arn:aws:iam::123456789012:user/scanner'

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

describe('account settings', () => {
  const get = (name: string) => ecr.client.send(new GetAccountSettingCommand({ name }))
  const put = (name: string, value: string) => ecr.client.send(new PutAccountSettingCommand({ name, value }))

  test('answer with name and value', async () => {
    expect(await get('BLOB_MOUNTING')).toMatchObject({ name: 'BLOB_MOUNTING', value: 'DISABLED' })
    expect(await put('BLOB_MOUNTING', 'ENABLED')).toMatchObject({ name: 'BLOB_MOUNTING', value: 'ENABLED' })
    expect((await get('BLOB_MOUNTING')).value).toBe('ENABLED')
    const other = await ecr.clientOf('999999999999').send(new GetAccountSettingCommand({ name: 'BLOB_MOUNTING' }))
    expect(other.value).toBe('DISABLED')
  })

  test('refuse names and values that ECR does not know', async () => {
    expect(await refusalOf(put('BASIC_SCAN_TYPE_VERSION', 'CLAIR'))).toEqual([
      'InvalidParameterException',
      "Invalid parameter at 'value' failed to satisfy constraint: 'Member must satisfy enum value set: [AWS_NATIVE]'",
    ])
    for (const answer of [get('OTHER'), get(''), get('x'.repeat(65)), put('OTHER', 'x')])
      expect((await refusalOf(answer))[0]).toBe('InvalidParameterException')
  })
})

describe('pull time update exclusions', () => {
  const register = (principalArn = SCANNER) =>
    ecr.client.send(new RegisterPullTimeUpdateExclusionCommand({ principalArn }))
  const deregister = (principalArn = SCANNER) =>
    ecr.client.send(new DeregisterPullTimeUpdateExclusionCommand({ principalArn }))
  const list = (input: object = {}) => ecr.client.send(new ListPullTimeUpdateExclusionsCommand(input))

  test('are registered, listed in pages and deregistered', async () => {
    expect(await list()).toMatchObject({ pullTimeUpdateExclusions: [] })
    expect(await register()).toMatchObject({ principalArn: SCANNER, createdAt: ecr.clock.now() })
    await register('arn:aws:iam::999999999999:role/ci/runner')
    const first = await list({ maxResults: 1 })
    expect(first.pullTimeUpdateExclusions).toEqual([SCANNER])
    const second = await list({ maxResults: 1, nextToken: first.nextToken })
    expect(second.pullTimeUpdateExclusions).toEqual(['arn:aws:iam::999999999999:role/ci/runner'])
    expect(second).not.toContainKey('nextToken')
    expect(await deregister()).toMatchObject({ principalArn: SCANNER })
    expect((await list()).pullTimeUpdateExclusions).toHaveLength(1)
  })

  test('say what is wrong', async () => {
    await register()
    expect((await refusalOf(register()))[0]).toBe('ExclusionAlreadyExistsException')
    await deregister()
    expect((await refusalOf(deregister()))[0]).toBe('ExclusionNotFoundException')
    for (const arn of ['arn:aws:iam::123456789012:root', 'scanner', 'arn:aws:sts::123456789012:assumed-role/a/b'])
      for (const answer of [register(arn), deregister(arn)])
        expect((await refusalOf(answer))[0]).toBe('InvalidParameterException')
  })

  test('keep pulls of those principals from lastRecordedPullTime', async () => {
    await pushImage(ecr, refTo(repositoryName), 'a', 'v1')
    const pull = (user: string) =>
      ecr
        .clientOf('123456789012', user)
        .send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: 'v1' }] }))
    const pulledAt = async () =>
      (await ecr.client.send(new DescribeImagesCommand({ repositoryName }))).imageDetails?.[0]?.lastRecordedPullTime
    await register()
    expect((await pull('scanner')).images).toHaveLength(1)
    expect(await pulledAt()).toBeUndefined()
    await pull('somebody')
    expect(await pulledAt()).toEqual(ecr.clock.now())
  })
})

describe('PutImageScanningConfiguration', () => {
  const put = (imageScanningConfiguration: { scanOnPush?: boolean }, name = repositoryName) =>
    ecr.client.send(new PutImageScanningConfigurationCommand({ repositoryName: name, imageScanningConfiguration }))
  const isScanned = async () =>
    (await ecr.client.send(new DescribeRepositoriesCommand({}))).repositories?.[0]?.imageScanningConfiguration

  test('keeps the flag; absent is false', async () => {
    expect(await put({ scanOnPush: true })).toMatchObject({
      registryId: '123456789012',
      repositoryName,
      imageScanningConfiguration: { scanOnPush: true },
    })
    expect(await isScanned()).toEqual({ scanOnPush: true })
    expect((await put({})).imageScanningConfiguration).toEqual({ scanOnPush: false })
    expect(await isScanned()).toEqual({ scanOnPush: false })
  })

  test('needs the repository', async () => {
    expect((await refusalOf(put({ scanOnPush: true }, 'other')))[0]).toBe('RepositoryNotFoundException')
  })
})
