import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchGetImageCommand,
  CreateRepositoryCommand,
  DeleteRegistryPolicyCommand,
  DeleteRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  GetRegistryPolicyCommand,
  GetRepositoryPolicyCommand,
  PutAccountSettingCommand,
  PutRegistryPolicyCommand,
  SetRepositoryPolicyCommand,
  TagResourceCommand,
} from '@aws-sdk/client-ecr'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const OWNER = '123456789012'
const GUEST = '999999999999'
const ARN = 'arn:aws:ecr:eu-west-3:123456789012:repository/team/app'
const repositoryName = 'team/app'

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const policy = (...statements: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements })
const PULL = { Effect: 'Allow', Principal: { AWS: GUEST }, Action: ['ecr:BatchGetImage', 'ecr:DescribeImages'] }
const set = (policyText: string, more: object = {}) =>
  ecr.client.send(new SetRepositoryPolicyCommand({ repositoryName, policyText, ...more }))
const putOfRegistry = (policyText: string) => ecr.client.send(new PutRegistryPolicyCommand({ policyText }))
const pull = (account = GUEST, imageTag = 'v1') =>
  ecr.clientOf(account).send(new BatchGetImageCommand({ registryId: OWNER, repositoryName, imageIds: [{ imageTag }] }))
const deniedFor = (account: string, action: string, why: string) => [
  'AccessDeniedException',
  `User: arn:aws:iam::${account}:root is not authorized to perform: ecr:${action} on resource: ${ARN} ${why}`,
]

describe("a repository's policy", () => {
  test('is answered as it was given', async () => {
    const policyText = ` ${policy(PULL)}\n`
    const answer = { registryId: OWNER, repositoryName, policyText }
    expect(await set(policyText)).toMatchObject(answer)
    const input = { repositoryName }
    expect(await ecr.client.send(new GetRepositoryPolicyCommand(input))).toMatchObject(answer)
    expect(await ecr.client.send(new DeleteRepositoryPolicyCommand(input))).toMatchObject(answer)
    for (const command of [new GetRepositoryPolicyCommand(input), new DeleteRepositoryPolicyCommand(input)])
      expect(await refusalOf(ecr.client.send(command as GetRepositoryPolicyCommand))).toEqual([
        'RepositoryPolicyNotFoundException',
        "Repository policy does not exist for the repository with name 'team/app' in the registry with id '123456789012'",
      ])
  })

  test('needs a repository', async () => {
    const input = { repositoryName: 'missing', policyText: policy(PULL) }
    for (const command of [
      new SetRepositoryPolicyCommand(input),
      new GetRepositoryPolicyCommand(input),
      new DeleteRepositoryPolicyCommand(input),
    ])
      expect((await refusalOf(ecr.client.send(command as GetRepositoryPolicyCommand)))[0]).toBe(
        'RepositoryNotFoundException',
      )
  })

  test.each([
    ['{}', 'Invalid repository policy provided'],
    [policy({ ...PULL, Principal: { AWS: 'nobody' } }), 'Principal not found'],
  ])('is checked: %p', async (policyText, reason) => {
    expect(await refusalOf(set(policyText))).toEqual([
      'InvalidParameterException',
      `Invalid parameter at 'PolicyText' failed to satisfy constraint: '${reason}'`,
    ])
  })

  test('lets another account in as far as it says, at once, and for as long as it stands', async () => {
    await pushImage(ecr, refTo(repositoryName), 'a', 'v1')
    const refused = deniedFor(
      GUEST,
      'BatchGetImage',
      'because no resource-based policy allows the ecr:BatchGetImage action',
    )
    expect(await refusalOf(pull())).toEqual([...refused] as [string, string])
    await set(policy(PULL))
    expect((await pull()).images).toHaveLength(1)
    expect((await refusalOf(pull('111122223333')))[0]).toBe('AccessDeniedException')
    const remove = new DeleteRepositoryCommand({ registryId: OWNER, repositoryName, force: true })
    expect((await refusalOf(ecr.clientOf(GUEST).send(remove)))[0]).toBe('AccessDeniedException')
    await ecr.client.send(new DeleteRepositoryPolicyCommand({ repositoryName }))
    expect((await refusalOf(pull()))[0]).toBe('AccessDeniedException')
  })

  test('dies with its repository', async () => {
    await set(policy(PULL))
    await ecr.client.send(new DeleteRepositoryCommand({ repositoryName }))
    expect((await refusalOf(pull()))[0]).toBe('AccessDeniedException')
    await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
    expect((await refusalOf(pull()))[0]).toBe('AccessDeniedException')
  })

  test('denies even the owner what it says', async () => {
    await set(policy({ Effect: 'Deny', Principal: '*', Action: 'ecr:DeleteRepository' }))
    expect(await refusalOf(ecr.client.send(new DeleteRepositoryCommand({ repositoryName })))).toEqual(
      deniedFor(OWNER, 'DeleteRepository', 'with an explicit deny in a resource-based policy') as [string, string],
    )
    await ecr.client.send(new DeleteRepositoryPolicyCommand({ repositoryName }))
    await ecr.client.send(new DeleteRepositoryCommand({ repositoryName }))
  })

  test('does not lock its author out, unless he insists', async () => {
    const lockOut = policy({ Effect: 'Deny', Principal: { AWS: OWNER }, Action: 'ecr:Set*' })
    const [code, message] = await refusalOf(set(lockOut))
    expect(code).toBe('InvalidParameterException')
    expect(message).toContain('set force to true')
    expect((await refusalOf(ecr.client.send(new GetRepositoryPolicyCommand({ repositoryName }))))[0]).toBe(
      'RepositoryPolicyNotFoundException',
    )
    await set(lockOut, { force: true })
    expect((await refusalOf(set(policy(PULL))))[0]).toBe('AccessDeniedException')
  })

  test("does not let a guest take his own right away, whom the repository's policy alone lets in", async () => {
    await set(policy({ ...PULL, Action: 'ecr:SetRepositoryPolicy' }))
    const input = { registryId: OWNER, repositoryName, policyText: policy(PULL) }
    const guest = ecr.clientOf(GUEST)
    expect((await refusalOf(guest.send(new SetRepositoryPolicyCommand(input))))[0]).toBe('InvalidParameterException')
    await guest.send(new SetRepositoryPolicyCommand({ ...input, force: true }))
    expect((await refusalOf(guest.send(new SetRepositoryPolicyCommand(input))))[0]).toBe('AccessDeniedException')
  })

  test("asks for the repository's tags as they are", async () => {
    await pushImage(ecr, refTo(repositoryName), 'a', 'v1')
    await set(policy({ ...PULL, Condition: { StringEquals: { 'ecr:ResourceTag/shared': 'yes' } } }))
    expect((await refusalOf(pull()))[0]).toBe('AccessDeniedException')
    const tag = (Value: string) =>
      ecr.client.send(new TagResourceCommand({ resourceArn: ARN, tags: [{ Key: 'shared', Value }] }))
    await tag('yes')
    expect((await pull()).images).toHaveLength(1)
    await tag('no')
    expect((await refusalOf(pull()))[0]).toBe('AccessDeniedException')
  })
})

describe("a registry's policy", () => {
  const Resource = 'arn:aws:ecr:eu-west-3:123456789012:repository/team/*'

  test('is answered as it was given', async () => {
    const policyText = ` ${policy({ ...PULL, Resource })}`
    expect(await putOfRegistry(policyText)).toMatchObject({ registryId: OWNER, policyText })
    expect(await ecr.client.send(new GetRegistryPolicyCommand())).toMatchObject({ registryId: OWNER, policyText })
    expect(await ecr.client.send(new DeleteRegistryPolicyCommand())).toMatchObject({ registryId: OWNER, policyText })
    for (const command of [new GetRegistryPolicyCommand(), new DeleteRegistryPolicyCommand()])
      expect(await refusalOf(ecr.client.send(command as GetRegistryPolicyCommand))).toEqual([
        'RegistryPolicyNotFoundException',
        "Registry policy does not exist in the registry with id '123456789012'",
      ])
  })

  test('is checked', async () => {
    expect(await refusalOf(putOfRegistry(policy(PULL)))).toEqual([
      'InvalidParameterException',
      "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid registry policy provided'",
    ])
  })

  test('lets another account into what it names, repositories that are not there yet included', async () => {
    const create = (name: string) =>
      ecr.clientOf(GUEST).send(new CreateRepositoryCommand({ registryId: OWNER, repositoryName: name }))
    await putOfRegistry(policy({ ...PULL, Action: ['ecr:CreateRepository', 'ecr:DescribeImages'], Resource }))
    expect((await refusalOf(create('other/app')))[0]).toBe('AccessDeniedException')
    expect((await create('team/new')).repository?.registryId).toBe(OWNER)
    const images = new DescribeImagesCommand({ registryId: OWNER, repositoryName: 'team/new' })
    expect((await ecr.clientOf(GUEST).send(images)).imageDetails).toEqual([])
    const list = new DescribeRepositoriesCommand({ registryId: OWNER })
    expect((await refusalOf(ecr.clientOf(GUEST).send(list)))[0]).toBe('AccessDeniedException')
  })

  test('rules three actions in scope V1 and all in V2, from the moment that this is set', async () => {
    await pushImage(ecr, refTo(repositoryName), 'a', 'v1')
    const scope = (value: 'V1' | 'V2') =>
      ecr.client.send(new PutAccountSettingCommand({ name: 'REGISTRY_POLICY_SCOPE', value }))
    const create = (name: string) =>
      ecr.clientOf(GUEST).send(new CreateRepositoryCommand({ registryId: OWNER, repositoryName: name }))
    const policyText = policy({ ...PULL, Action: ['ecr:BatchGetImage', 'ecr:CreateRepository'], Resource })
    await putOfRegistry(policyText)
    expect((await pull()).images).toHaveLength(1)
    await scope('V1')
    expect((await refusalOf(pull()))[0]).toBe('AccessDeniedException')
    await create('team/new')
    expect((await refusalOf(putOfRegistry(policyText)))[1]).toContain('Invalid registry policy provided')
    await scope('V2')
    expect((await pull()).images).toHaveLength(1)
  })

  test("denies over a repository's policy, and never the registry's policy itself", async () => {
    await set(policy(PULL))
    await putOfRegistry(policy({ Effect: 'Deny', Principal: '*', Action: '*', Resource: '*' }))
    expect((await refusalOf(pull()))[1]).toEndWith('with an explicit deny in a resource-based policy')
    expect((await refusalOf(pull(OWNER)))[0]).toBe('AccessDeniedException')
    const list = new DescribeRepositoriesCommand()
    expect((await refusalOf(ecr.client.send(list)))[1]).toContain(
      'on resource: arn:aws:ecr:eu-west-3:123456789012:repository/* with an explicit deny',
    )
    await ecr.client.send(new DeleteRegistryPolicyCommand())
    expect((await ecr.client.send(list)).repositories).toHaveLength(1)
  })
})
