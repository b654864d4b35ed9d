import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DeleteSigningConfigurationCommand,
  DescribeImageSigningStatusCommand,
  GetSigningConfigurationCommand,
  ListImageReferrersCommand,
  PutSigningConfigurationCommand,
  type SigningRule,
} from '@aws-sdk/client-ecr'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const repositoryName = 'team/app'
const ref = refTo(repositoryName)
const RELEASE = 'arn:aws:signer:eu-west-3:123456789012:/signing-profiles/release'

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const put = (...rules: SigningRule[]) =>
  ecr.client.send(new PutSigningConfigurationCommand({ signingConfiguration: { rules } }))
const get = (client = ecr.client) => client.send(new GetSigningConfigurationCommand({}))
const statusOf = (imageId: { imageDigest?: string; imageTag?: string }, name = repositoryName) =>
  ecr.client.send(new DescribeImageSigningStatusCommand({ repositoryName: name, imageId }))
const filtered = (...filters: readonly string[]): SigningRule => ({
  signingProfileArn: RELEASE,
  repositoryFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD_MATCH' })),
})

describe('a signing configuration', () => {
  test('is put, read, replaced and deleted as a whole', async () => {
    const absent = ['SigningConfigurationNotFoundException', expect.stringContaining("'123456789012'")]
    expect(await refusalOf(get())).toEqual(absent as unknown as [string, string])
    const answer = await put(filtered('team/*', 'prod'), { signingProfileArn: RELEASE })
    const rules = [filtered('team/*', 'prod'), { signingProfileArn: RELEASE }]
    expect(answer.signingConfiguration).toEqual({ rules })
    expect(await get()).toMatchObject({ registryId: '123456789012', signingConfiguration: { rules } })
    await put()
    expect((await get()).signingConfiguration).toEqual({ rules: [] })
    const deleted = await ecr.client.send(new DeleteSigningConfigurationCommand({}))
    expect(deleted).toMatchObject({ registryId: '123456789012', signingConfiguration: { rules: [] } })
    const again = ecr.client.send(new DeleteSigningConfigurationCommand({}))
    expect((await refusalOf(again))[0]).toBe('SigningConfigurationNotFoundException')
  })

  test("is its account's own", async () => {
    await put({ signingProfileArn: RELEASE })
    expect((await refusalOf(get(ecr.clientOf('999999999999'))))[0]).toBe('SigningConfigurationNotFoundException')
  })

  test('has at most ten rules of known profiles and filters', async () => {
    const rule = { signingProfileArn: RELEASE }
    await put(...Array<SigningRule>(10).fill(rule))
    for (const rules of [
      Array<SigningRule>(11).fill(rule),
      [{ signingProfileArn: 'release' }],
      [{ signingProfileArn: RELEASE.replace('eu-west-3', 'us-east-1') }],
      [{ signingProfileArn: RELEASE.replace('arn:aws:', 'arn:aws-cn:') }],
      [filtered('No')],
      [filtered()],
      [filtered(...Array<string>(101).fill('a'))],
      [{ ...rule, repositoryFilters: [{ filter: 'a', filterType: 'PREFIX_MATCH' as 'WILDCARD_MATCH' }] }],
    ])
      expect((await refusalOf(put(...rules)))[0], JSON.stringify(rules).slice(0, 200)).toBe('InvalidParameterException')
    expect((await get()).signingConfiguration?.rules).toHaveLength(10)
  })
})

describe('the signing status of an image', () => {
  test('has one entry for each profile that was to sign it', async () => {
    await put(filtered('team/*'), { signingProfileArn: `${RELEASE}_2` }, filtered('elsewhere'))
    const imageDigest = await pushImage(ecr, ref, 'one', 'v1')
    expect((await statusOf({ imageTag: 'v1' })).signingStatuses).toEqual([
      { signingProfileArn: RELEASE, status: 'IN_PROGRESS' },
      { signingProfileArn: `${RELEASE}_2`, status: 'IN_PROGRESS' },
    ])
    await ecr.signingJobs.signNow()
    expect(await statusOf({ imageTag: 'v1' })).toMatchObject({
      registryId: '123456789012',
      repositoryName,
      imageId: { imageDigest, imageTag: 'v1' },
      signingStatuses: [
        { signingProfileArn: RELEASE, status: 'COMPLETE' },
        { signingProfileArn: `${RELEASE}_2`, status: 'COMPLETE' },
      ],
    })
    const listing = new ListImageReferrersCommand({
      repositoryName,
      subjectId: { imageDigest },
      filter: { artifactTypes: ['application/vnd.cncf.notary.signature'] },
    })
    expect((await ecr.client.send(listing)).referrers).toHaveLength(2)
  })

  test('is empty where no rule matched, and refused where there is no image', async () => {
    await put(filtered('elsewhere'))
    const imageDigest = await pushImage(ecr, ref, 'one', 'v1')
    expect((await statusOf({ imageDigest })).signingStatuses).toEqual([])
    expect((await refusalOf(statusOf({ imageTag: 'v9' })))[0]).toBe('ImageNotFoundException')
    expect((await refusalOf(statusOf({ imageTag: 'v1' }, 'nowhere')))[0]).toBe('RepositoryNotFoundException')
    expect((await refusalOf(statusOf({})))[0]).toBe('InvalidParameterException')
    await ecr.client.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest }] }))
    expect((await refusalOf(statusOf({ imageDigest })))[0]).toBe('ImageNotFoundException')
  })

  test('says why it failed', async () => {
    await put({ signingProfileArn: RELEASE.replace('123456789012', '999999999999') })
    const imageDigest = await pushImage(ecr, ref, 'one', 'v1')
    await ecr.signingJobs.signNow()
    expect((await statusOf({ imageDigest })).signingStatuses).toMatchObject([
      { status: 'FAILED', failureCode: 'AccessDenied', failureReason: expect.stringContaining('signer:SignPayload') },
    ])
  })
})
