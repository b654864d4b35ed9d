import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  CreateRepositoryCommand,
  DeleteRepositoryCommand,
  DescribeRepositoriesCommand,
  ListTagsForResourceCommand,
  PutImageTagMutabilityCommand,
  paginateDescribeRepositories,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-ecr'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const ARN = 'arn:aws:ecr:eu-west-3:123456789012:repository/team/app'
const NOT_FOUND = [
  'RepositoryNotFoundException',
  "The repository with name 'team/app' does not exist in the registry with id '123456789012'",
] as const

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const create = (repositoryName = 'team/app') => ecr.client.send(new CreateRepositoryCommand({ repositoryName }))

describe('CreateRepository', () => {
  test("answers with ECR's defaults", async () => {
    const { repository } = await create()
    expect(repository).toEqual({
      repositoryArn: ARN,
      registryId: '123456789012',
      repositoryName: 'team/app',
      repositoryUri: 'localhost:4566/team/app',
      createdAt: new Date('2026-03-02T08:00:00.000Z'),
      imageTagMutability: 'MUTABLE',
      imageScanningConfiguration: { scanOnPush: false },
      encryptionConfiguration: { encryptionType: 'AES256' },
    })
  })

  test('names the configured host', async () => {
    await ecr.close()
    ecr = await createEcr(({ registryId, region }) => `${registryId}.dkr.ecr.${region}.example.com:443`)
    expect((await create()).repository?.repositoryUri).toBe('123456789012.dkr.ecr.eu-west-3.example.com:443/team/app')
  })

  test('keeps what it is given', async () => {
    const { repository } = await ecr.client.send(
      new CreateRepositoryCommand({
        registryId: '123456789012',
        repositoryName: 'team/app',
        imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
        imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
        imageScanningConfiguration: { scanOnPush: true },
        encryptionConfiguration: { encryptionType: 'AES256' },
        tags: [{ Key: 'team', Value: 'a' }],
      }),
    )
    expect(repository).toMatchObject({
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      imageScanningConfiguration: { scanOnPush: true },
    })
    const { tags } = await ecr.client.send(new ListTagsForResourceCommand({ resourceArn: ARN }))
    expect(tags).toEqual([{ Key: 'team', Value: 'a' }])
  })

  test('refuses a name that is taken', async () => {
    await create()
    expect(await refusalOf(create())).toEqual([
      'RepositoryAlreadyExistsException',
      "The repository with name 'team/app' already exists in the registry with id '123456789012'",
    ])
  })

  test('makes nothing when the tags are refused', async () => {
    const repositoryName = 'team/app'
    const tags = [{ Key: 'aws:x', Value: '' }]
    const [code] = await refusalOf(ecr.client.send(new CreateRepositoryCommand({ repositoryName, tags })))
    expect(code).toBe('InvalidTagParameterException')
    expect((await create()).repository?.repositoryName).toBe('team/app')
  })

  test('refuses filters without a mode, modes without filters, and keys that nothing would use', async () => {
    const repositoryName = 'team/app'
    const filters = [{ filterType: 'WILDCARD', filter: '*' } as const]
    for (const input of [
      { repositoryName, imageTagMutabilityExclusionFilters: filters },
      { repositoryName, imageTagMutability: 'MUTABLE_WITH_EXCLUSION' } as const,
      { repositoryName, encryptionConfiguration: { encryptionType: 'AES256', kmsKey: 'alias/x' } } as const,
    ])
      expect((await refusalOf(ecr.client.send(new CreateRepositoryCommand(input))))[0]).toBe(
        'InvalidParameterException',
      )
  })

  test("refuses another account's registry", async () => {
    const input = { registryId: '999999999999', repositoryName: 'team/app' }
    expect(await refusalOf(ecr.client.send(new CreateRepositoryCommand(input)))).toEqual([
      'AccessDeniedException',
      'User: arn:aws:iam::123456789012:root is not authorized to perform: ecr:CreateRepository on resource: arn:aws:ecr:eu-west-3:999999999999:repository/team/app because no resource-based policy allows the ecr:CreateRepository action',
    ])
  })
})

describe('DescribeRepositories', () => {
  test('lists in pages, by name', async () => {
    for (const name of ['bb', 'cc', 'aa']) await create(name)
    const pages: unknown[] = []
    for await (const { repositories } of paginateDescribeRepositories({ client: ecr.client, pageSize: 2 }, {}))
      pages.push(repositories?.map(({ repositoryName }) => repositoryName))
    expect(pages).toEqual([['aa', 'bb'], ['cc']])
  })

  test('answers those that are named, each once', async () => {
    for (const name of ['bb', 'aa']) await create(name)
    const input = { repositoryNames: ['bb', 'aa', 'bb'] }
    const { repositories, nextToken } = await ecr.client.send(new DescribeRepositoriesCommand(input))
    expect(repositories?.map(({ repositoryName }) => repositoryName)).toEqual(['bb', 'aa'])
    expect(nextToken).toBeUndefined()
  })

  test('fails when one name is unknown, and refuses pages of names and foreign tokens', async () => {
    const repositoryNames = ['team/app']
    const describe = (input: object) => refusalOf(ecr.client.send(new DescribeRepositoriesCommand(input)))
    expect(await describe({ repositoryNames })).toEqual(NOT_FOUND)
    for (const input of [{ repositoryNames, maxResults: 5 }, { repositoryNames, nextToken: 'x' }, { nextToken: 'x' }])
      expect((await describe(input))[0]).toBe('InvalidParameterException')
  })

  test('shows the registry of the caller and the region only', async () => {
    await create()
    const { repositories } = await ecr.clientOf('999999999999').send(new DescribeRepositoriesCommand())
    expect(repositories).toEqual([])
  })
})

describe('DeleteRepository', () => {
  const remove = (force?: boolean) =>
    ecr.client.send(
      new DeleteRepositoryCommand({ repositoryName: 'team/app', ...(force === undefined ? {} : { force }) }),
    )

  test('answers what was deleted', async () => {
    await create()
    expect((await remove()).repository?.repositoryArn).toBe(ARN)
    expect(await refusalOf(remove())).toEqual(NOT_FOUND)
  })

  test('spares images unless it is forced', async () => {
    await create()
    await pushImage(ecr, refTo('team/app'), 'a')
    expect(await refusalOf(remove(false))).toEqual([
      'RepositoryNotEmptyException',
      "The repository with name 'team/app' in registry with id '123456789012' cannot be deleted because it still contains images",
    ])
    expect((await remove(true)).repository?.repositoryName).toBe('team/app')
  })
})

describe('resource tags', () => {
  const list = async () => (await ecr.client.send(new ListTagsForResourceCommand({ resourceArn: ARN }))).tags
  const put = (...tags: { Key: string; Value: string }[]) =>
    ecr.client.send(new TagResourceCommand({ resourceArn: ARN, tags }))

  test('are merged, listed and removed', async () => {
    await create()
    await put({ Key: 'a', Value: '1' }, { Key: 'b', Value: '1' })
    await put({ Key: 'b', Value: '2' }, { Key: 'c', Value: '' })
    expect(await list()).toEqual([
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
      { Key: 'c', Value: '' },
    ])
    await ecr.client.send(new UntagResourceCommand({ resourceArn: ARN, tagKeys: ['a', 'unknown'] }))
    expect(await list()).toEqual([
      { Key: 'b', Value: '2' },
      { Key: 'c', Value: '' },
    ])
  })

  test('are fifty at the most', async () => {
    await create()
    await put(...Array.from({ length: 50 }, (_, n) => ({ Key: `k${n}`, Value: '' })))
    expect((await refusalOf(put({ Key: 'one more', Value: '' })))[0]).toBe('TooManyTagsException')
  })

  test.each([
    'arn:aws:ecr:eu-west-1:123456789012:repository/team/app',
    'arn:aws:ecr:eu-west-3:123456789012:team/app',
    'arn:aws:s3:::bucket',
    'team/app',
    '',
  ])('need the ARN of a repository of this region: %p', async (resourceArn) => {
    expect(await refusalOf(ecr.client.send(new ListTagsForResourceCommand({ resourceArn })))).toEqual([
      'InvalidParameterException',
      "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'",
    ])
  })

  test('need the repository', async () => {
    expect(await refusalOf(list())).toEqual(NOT_FOUND)
  })
})

describe('PutImageTagMutability', () => {
  test('replaces mode and filters', async () => {
    await create()
    const put = (input: object) =>
      ecr.client.send(
        new PutImageTagMutabilityCommand({ repositoryName: 'team/app', imageTagMutability: 'IMMUTABLE', ...input }),
      )
    const filters = [{ filterType: 'WILDCARD', filter: 'v*' } as const]
    const excluded = { imageTagMutability: 'MUTABLE_WITH_EXCLUSION', imageTagMutabilityExclusionFilters: filters }
    expect(await put(excluded)).toMatchObject({ registryId: '123456789012', repositoryName: 'team/app', ...excluded })
    const plain = await put({})
    expect(plain.imageTagMutability).toBe('IMMUTABLE')
    expect(plain.imageTagMutabilityExclusionFilters).toBeUndefined()
    const { repositories } = await ecr.client.send(new DescribeRepositoriesCommand())
    expect(repositories?.[0]).toMatchObject({ imageTagMutability: 'IMMUTABLE' })
  })
})
