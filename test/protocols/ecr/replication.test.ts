import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  DescribeImageReplicationStatusCommand,
  DescribeRegistryCommand,
  PutReplicationConfigurationCommand,
  type ReplicationRule,
} from '@aws-sdk/client-ecr'
import { admin, pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const OWNER = '123456789012'
const FAR = { region: 'us-east-1', registryId: OWNER }
const NOTHING_SET = { registryId: OWNER, replicationConfiguration: { rules: [] } }

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
})
afterEach(async () => {
  expect(ecr.reported).toEqual([])
  await ecr.close()
})

const put = (...rules: ReplicationRule[]) =>
  ecr.client.send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules } }))
const describeRegistry = () => ecr.client.send(new DescribeRegistryCommand({}))

describe('PutReplicationConfiguration', () => {
  test('is what DescribeRegistry shows, filters only where there are some', async () => {
    expect(await describeRegistry()).toMatchObject(NOTHING_SET)
    const rules: ReplicationRule[] = [
      { destinations: [FAR] },
      { destinations: [FAR], repositoryFilters: [{ filter: 'prod', filterType: 'PREFIX_MATCH' }] },
    ]
    expect((await put(...rules)).replicationConfiguration).toEqual({ rules })
    expect((await describeRegistry()).replicationConfiguration).toEqual({ rules })
  })

  test('without rules takes the configuration away', async () => {
    await put({ destinations: [FAR] })
    expect((await put()).replicationConfiguration).toEqual({ rules: [] })
    expect(await describeRegistry()).toMatchObject(NOTHING_SET)
  })

  test('refuses what a registry cannot have', async () => {
    const home = { region: 'eu-west-3', registryId: OWNER }
    expect(await refusalOf(put({ destinations: [home] }))).toEqual([
      'InvalidParameterException',
      "Invalid parameter at 'replicationConfiguration' failed to satisfy constraint: 'Replication destination cannot be the same as the source registry'",
    ])
    const suffix = { filter: 'prod', filterType: 'SUFFIX_MATCH' as 'PREFIX_MATCH' }
    for (const rule of [
      { destinations: [{ region: 'us-east-1', registryId: 'mine' }] },
      { destinations: [{ region: 'U', registryId: OWNER }] },
      { destinations: [FAR], repositoryFilters: [{ filter: 'p', filterType: 'PREFIX_MATCH' as const }] },
      { destinations: [FAR], repositoryFilters: [suffix] },
      { destinations: [FAR], repositoryFilters: [] },
    ])
      expect((await refusalOf(put(rule)))[0]).toBe('InvalidParameterException')
    const eleven = Array.from({ length: 11 }, () => ({ destinations: [FAR] }))
    expect((await refusalOf(put(...eleven)))[0]).toBe('InvalidParameterException')
    expect(await describeRegistry()).toMatchObject(NOTHING_SET)
  })

  test('is each account’s own, and each region’s', async () => {
    await put({ destinations: [FAR] })
    const other = await ecr.clientOf('222222222222').send(new DescribeRegistryCommand({}))
    expect(other.replicationConfiguration).toEqual({ rules: [] })
  })
})

describe('DescribeImageReplicationStatus', () => {
  const statusOf = (imageTag: string, repositoryName = 'app') =>
    ecr.client.send(new DescribeImageReplicationStatusCommand({ repositoryName, imageId: { imageTag } }))

  test('has one entry for each destination, which ends as COMPLETE or FAILED', async () => {
    const ref = refTo('app')
    await ecr.repositories.create(admin, ref)
    await put({ destinations: [FAR, { region: 'eu-west-3', registryId: '222222222222' }] })
    const imageDigest = await pushImage(ecr, ref, 'one', 'v1')
    const pending = await statusOf('v1')
    expect(pending).toMatchObject({ repositoryName: 'app', imageId: { imageDigest, imageTag: 'v1' } })
    expect(pending.replicationStatuses).toMatchObject([{ status: 'IN_PROGRESS' }, { status: 'IN_PROGRESS' }])
    await ecr.replicationJobs.replicateNow()
    expect((await statusOf('v1')).replicationStatuses).toEqual([
      { ...FAR, status: 'COMPLETE' },
      { region: 'eu-west-3', registryId: '222222222222', status: 'FAILED', failureCode: 'AccessDenied' },
    ])
  })

  test('is empty for an image that is not copied, and says what is not there', async () => {
    const ref = refTo('app')
    await ecr.repositories.create(admin, ref)
    await pushImage(ecr, ref, 'one', 'v1')
    expect((await statusOf('v1')).replicationStatuses).toEqual([])
    expect((await refusalOf(statusOf('v2')))[0]).toBe('ImageNotFoundException')
    expect((await refusalOf(statusOf('v1', 'other')))[0]).toBe('RepositoryNotFoundException')
  })
})
