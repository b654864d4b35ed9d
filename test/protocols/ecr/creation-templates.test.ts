import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  CreateRepositoryCreationTemplateCommand,
  type CreateRepositoryCreationTemplateCommandInput,
  DeleteRepositoryCreationTemplateCommand,
  DescribeRepositoriesCommand,
  DescribeRepositoryCreationTemplatesCommand,
  GetLifecyclePolicyCommand,
  GetRepositoryPolicyCommand,
  InitiateLayerUploadCommand,
  ListTagsForResourceCommand,
  PutImageCommand,
  PutRegistryPolicyCommand,
  paginateDescribeRepositoryCreationTemplates,
  UpdateRepositoryCreationTemplateCommand,
  type UpdateRepositoryCreationTemplateCommandInput,
} from '@aws-sdk/client-ecr'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const OWNER = '123456789012'
const GUEST = '999999999999'
const ROLE = 'arn:aws:iam::123456789012:role/templates'
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: GUEST }, Action: 'ecr:BatchGetImage' }],
})

const LIFECYCLE = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    },
  ],
})

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const create = (prefix: string, input: Partial<CreateRepositoryCreationTemplateCommandInput> = {}) =>
  ecr.client.send(new CreateRepositoryCreationTemplateCommand({ prefix, appliedFor: ['CREATE_ON_PUSH'], ...input }))
const update = (input: Partial<UpdateRepositoryCreationTemplateCommandInput>) =>
  ecr.client.send(new UpdateRepositoryCreationTemplateCommand({ prefix: 'prod', ...input }))
const describeAll = async (prefixes?: string[]) =>
  (await ecr.client.send(new DescribeRepositoryCreationTemplatesCommand(prefixes === undefined ? {} : { prefixes })))
    .repositoryCreationTemplates
const begin = (repositoryName: string, client = ecr.client) =>
  client.send(new InitiateLayerUploadCommand({ registryId: OWNER, repositoryName }))
const names = async () =>
  (await ecr.client.send(new DescribeRepositoriesCommand())).repositories?.map(({ repositoryName }) => repositoryName)

describe('a template gives nothing that its author may not', () => {
  const deny = (Action: string) =>
    ecr.client.send(
      new PutRegistryPolicyCommand({
        policyText: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Deny',
              Principal: '*',
              Action,
              Resource: 'arn:aws:ecr:eu-west-3:123456789012:repository/prod/*',
            },
          ],
        }),
      }),
    )
  const codeOf = async (promise: Promise<unknown>) => (await refusalOf(promise))[0]

  test('repositories', async () => {
    await create('prod/api')
    await deny('ecr:CreateRepository')
    expect(await refusalOf(create('prod'))).toEqual([
      'AccessDeniedException',
      'User: arn:aws:iam::123456789012:root is not authorized to perform: ecr:CreateRepository on resource: ' +
        'arn:aws:ecr:eu-west-3:123456789012:repository/prod/* with an explicit deny in a resource-based policy',
    ])
    expect(await codeOf(update({ prefix: 'prod/api', description: 'new' }))).toBe('AccessDeniedException')
    await create('test')
    await create('ROOT')
  })

  test.each([
    ['a policy', 'ecr:SetRepositoryPolicy', { repositoryPolicy: POLICY }],
    ['a lifecycle policy', 'ecr:PutLifecyclePolicy', { lifecyclePolicy: LIFECYCLE }],
    ['resource tags', 'ecr:TagResource', { resourceTags: [{ Key: 'team', Value: 'a' }], customRoleArn: ROLE }],
  ] as const)('%s', async (_, action, settings) => {
    const input: Partial<CreateRepositoryCreationTemplateCommandInput> = JSON.parse(JSON.stringify(settings))
    await deny(action)
    expect(await codeOf(create('prod', input))).toBe('AccessDeniedException')
    await create('prod')
    expect(await codeOf(update(input))).toBe('AccessDeniedException')
    await update({ description: 'nothing else' })
  })
})

describe('templates', () => {
  test('have defaults', async () => {
    const { registryId, repositoryCreationTemplate } = await create('prod')
    expect<object>({ registryId, repositoryCreationTemplate }).toEqual({
      registryId: OWNER,
      repositoryCreationTemplate: {
        prefix: 'prod',
        appliedFor: ['CREATE_ON_PUSH'],
        encryptionConfiguration: { encryptionType: 'AES256' },
        imageTagMutability: 'MUTABLE',
        resourceTags: [],
        createdAt: new Date('2026-03-02T08:00:00.000Z'),
        updatedAt: new Date('2026-03-02T08:00:00.000Z'),
      },
    })
  })

  test('change by what is given; empty texts take texts away', async () => {
    await create('prod', {
      description: 'for production',
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      repositoryPolicy: POLICY,
      customRoleArn: ROLE,
      resourceTags: [{ Key: 'a', Value: 'b' }],
    })
    ecr.clock.advance(60_000)
    await update({ appliedFor: ['REPLICATION'], repositoryPolicy: '' })
    const [first] = (await describeAll()) ?? []
    expect(first).toMatchObject({
      description: 'for production',
      appliedFor: ['REPLICATION'],
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
      customRoleArn: ROLE,
      resourceTags: [{ Key: 'a', Value: 'b' }],
      createdAt: new Date('2026-03-02T08:00:00.000Z'),
      updatedAt: new Date('2026-03-02T08:01:00.000Z'),
    })
    expect(first?.repositoryPolicy).toBeUndefined()
    await update({ description: '', imageTagMutability: 'MUTABLE', resourceTags: [], customRoleArn: '' })
    const [second] = (await describeAll()) ?? []
    expect(second).toMatchObject({ imageTagMutability: 'MUTABLE', resourceTags: [] })
    for (const member of ['description', 'customRoleArn', 'imageTagMutabilityExclusionFilters'] as const)
      expect(second?.[member]).toBeUndefined()
  })

  test('are listed in pages or by prefix, unknown ones left out', async () => {
    for (const prefix of ['b', 'ROOT', 'a/b']) await create(prefix)
    const pages: unknown[] = []
    for await (const page of paginateDescribeRepositoryCreationTemplates({ client: ecr.client, pageSize: 2 }, {}))
      pages.push(page.repositoryCreationTemplates?.map(({ prefix }) => prefix))
    expect(pages).toEqual([['ROOT', 'a/b'], ['b']])
    expect((await describeAll(['b', 'unknown']))?.map(({ prefix }) => prefix)).toEqual(['b'])
  })

  test('exist once, and are gone when deleted', async () => {
    await create('prod')
    expect(await refusalOf(create('prod'))).toEqual([
      'TemplateAlreadyExistsException',
      "A repository creation template with prefix 'prod' already exists in the registry with id '123456789012'",
    ])
    const remove = () => ecr.client.send(new DeleteRepositoryCreationTemplateCommand({ prefix: 'prod' }))
    expect((await remove()).repositoryCreationTemplate?.prefix).toBe('prod')
    const missing: [string, string] = [
      'TemplateNotFoundException',
      "A repository creation template with prefix 'prod' does not exist in the registry with id '123456789012'",
    ]
    expect(await refusalOf(remove())).toEqual(missing)
    expect(await refusalOf(update({}))).toEqual(missing)
  })

  test.each([
    ['InvalidParameterException', { appliedFor: [] }],
    ['InvalidParameterException', { repositoryPolicy: '{}' }],
    ['InvalidParameterException', { lifecyclePolicy: '{"rules":[{}]}' }],
    ['InvalidParameterException', { imageTagMutability: 'MUTABLE_WITH_EXCLUSION' }],
    ['InvalidParameterException', { customRoleArn: 'me' }],
    ['InvalidParameterException', { resourceTags: [{ Key: 'aws:x', Value: '' }] }],
    [
      'InvalidParameterException',
      { resourceTags: Array.from({ length: 51 }, (_, n) => ({ Key: `k${n}`, Value: '' })) },
    ],
    ['InvalidParameterException', { encryptionConfiguration: { encryptionType: 'KMS', kmsKey: 'alias/app' } }],
  ] as const)('are refused with %s: %p', async (code, input) => {
    const given = input as Partial<CreateRepositoryCreationTemplateCommandInput>
    expect((await refusalOf(create('prod', given)))[0]).toBe(code)
    expect(await describeAll()).toEqual([])
  })
})

describe('CREATE_ON_PUSH', () => {
  test('makes the repository of a push as the most specific template says', async () => {
    await create('ROOT')
    await create('prod', {
      imageTagMutability: 'IMMUTABLE',
      repositoryPolicy: POLICY,
      lifecyclePolicy: LIFECYCLE,
      customRoleArn: ROLE,
      resourceTags: [{ Key: 'team', Value: 'a' }],
    })
    await begin('prod/app')
    await begin('other')
    const { repositories = [] } = await ecr.client.send(new DescribeRepositoriesCommand())
    expect(repositories.map((one) => [one.repositoryName, one.imageTagMutability])).toEqual([
      ['other', 'MUTABLE'],
      ['prod/app', 'IMMUTABLE'],
    ])
    const ofApp = { repositoryName: 'prod/app' }
    expect((await ecr.client.send(new GetRepositoryPolicyCommand(ofApp))).policyText).toBe(POLICY)
    expect((await ecr.client.send(new GetLifecyclePolicyCommand(ofApp))).lifecyclePolicyText).toBe(LIFECYCLE)
    const resourceArn = repositories[1]?.repositoryArn
    const { tags } = await ecr.client.send(new ListTagsForResourceCommand({ resourceArn }))
    expect(tags).toEqual([{ Key: 'team', Value: 'a' }])
  })

  test('is for PutImage too, whatever comes of it', async () => {
    await create('ROOT')
    const input = { repositoryName: 'app', imageManifest: '{}', imageTag: 'v1' }
    expect((await refusalOf(ecr.client.send(new PutImageCommand(input))))[0]).toBe('InvalidParameterException')
    expect(await names()).toEqual(['app'])
  })

  test('is nothing without a template for it', async () => {
    await create('prod', { appliedFor: ['REPLICATION', 'PULL_THROUGH_CACHE'] })
    expect((await refusalOf(begin('prod/app')))[0]).toBe('RepositoryNotFoundException')
  })

  test('leaves repositories alone that are there', async () => {
    await begin('app').catch(() => undefined)
    await create('ROOT')
    await begin('app')
    await update({ prefix: 'ROOT', imageTagMutability: 'IMMUTABLE' })
    await begin('app')
    const { repositories } = await ecr.client.send(new DescribeRepositoriesCommand())
    expect(repositories?.[0]?.imageTagMutability).toBe('MUTABLE')
  })

  test('fails where tags are to be given and no role is named', async () => {
    await create('ROOT', { resourceTags: [{ Key: 'a', Value: 'b' }] })
    const [code, message] = await refusalOf(begin('app'))
    expect([code, message.includes('customRoleArn')]).toEqual(['AccessDeniedException', true])
    expect(await names()).toEqual([])
  })

  test('is for another account only if it may create as well as push', async () => {
    await create('ROOT')
    const guest = ecr.clientOf(GUEST)
    const allow = (...actions: string[]) =>
      ecr.client.send(
        new PutRegistryPolicyCommand({
          policyText: JSON.stringify({
            Version: '2012-10-17',
            Statement: { Effect: 'Allow', Principal: '*', Action: actions, Resource: '*' },
          }),
        }),
      )
    expect((await refusalOf(begin('app', guest)))[1]).toContain('ecr:InitiateLayerUpload')
    await allow('ecr:InitiateLayerUpload', 'ecr:PutImage')
    expect((await refusalOf(begin('app', guest)))[1]).toContain('ecr:CreateRepository')
    expect(await names()).toEqual([])
    await allow('ecr:InitiateLayerUpload', 'ecr:PutImage', 'ecr:CreateRepository')
    await begin('app', guest)
    expect(await names()).toEqual(['app'])
  })

  test('of two first pushes at once, both find the repository', async () => {
    await create('ROOT')
    await Promise.all([begin('app'), begin('app'), begin('app')])
    expect(await names()).toEqual(['app'])
  })
})
