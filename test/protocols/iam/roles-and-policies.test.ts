import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  AddClientIDToOpenIDConnectProviderCommand,
  AttachGroupPolicyCommand,
  AttachRolePolicyCommand,
  CreateGroupCommand,
  CreateOpenIDConnectProviderCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  CreateServiceLinkedRoleCommand,
  CreateUserCommand,
  DeleteOpenIDConnectProviderCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DeleteRoleCommand,
  DeleteRolePermissionsBoundaryCommand,
  DeleteRolePolicyCommand,
  DeleteServiceLinkedRoleCommand,
  DetachRolePolicyCommand,
  GetAccountSummaryCommand,
  GetOpenIDConnectProviderCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  GetServiceLinkedRoleDeletionStatusCommand,
  ListAccountAliasesCommand,
  ListAttachedRolePoliciesCommand,
  ListEntitiesForPolicyCommand,
  ListInstanceProfilesForRoleCommand,
  ListOpenIDConnectProvidersCommand,
  ListPoliciesCommand,
  ListPolicyTagsCommand,
  ListPolicyVersionsCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  PutGroupPolicyCommand,
  PutRolePermissionsBoundaryCommand,
  PutRolePolicyCommand,
  PutUserPermissionsBoundaryCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  SetDefaultPolicyVersionCommand,
  TagOpenIDConnectProviderCommand,
  TagPolicyCommand,
  TagRoleCommand,
  UntagPolicyCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateOpenIDConnectProviderThumbprintCommand,
  UpdateRoleCommand,
  UpdateRoleDescriptionCommand,
} from '@aws-sdk/client-iam'
import { createIam, type IamFixture, policyText, refusalOf, trustText } from './iam-fixture.ts'

let iam: IamFixture
beforeEach(async () => {
  iam = await createIam()
})
afterEach(async () => {
  expect(iam.reported).toEqual([])
  await iam.close()
})

const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
const TRUST = trustText({ AWS: 'arn:aws:iam::123456789012:root' })
const TEXT = policyText(['ecr:BatchGetImage'], '*')

const createRole = (RoleName: string, more: object = {}) =>
  iam.client.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST, ...more }))
async function createPolicy(PolicyName: string, more: object = {}): Promise<string> {
  const created = await iam.client.send(new CreatePolicyCommand({ PolicyName, PolicyDocument: TEXT, ...more }))
  return created.Policy?.Arn ?? ''
}

describe('roles', () => {
  test('are made, shown with their trust policy percent-encoded, changed and deleted', async () => {
    const { Role } = await createRole('deploy', { Path: '/ci/', Description: 'd', MaxSessionDuration: 7200 })
    expect(Role).toMatchObject({
      ...{ RoleName: 'deploy', Arn: 'arn:aws:iam::123456789012:role/ci/deploy', MaxSessionDuration: 7200 },
      RoleId: expect.stringMatching(/^AROA/),
    })
    const encoded = Role?.AssumeRolePolicyDocument ?? ''
    expect(encoded).toStartWith('%7B%22Version%22%3A')
    expect(decodeURIComponent(encoded)).toBe(TRUST)

    await iam.client.send(new UpdateRoleCommand({ RoleName: 'deploy', MaxSessionDuration: 3600 }))
    await iam.client.send(new UpdateRoleDescriptionCommand({ RoleName: 'deploy', Description: 'other' }))
    const other = trustText({ AWS: '*' })
    const trust = { RoleName: 'deploy', PolicyDocument: other }
    await iam.client.send(new UpdateAssumeRolePolicyCommand(trust))
    await iam.client.send(new TagRoleCommand({ RoleName: 'deploy', Tags: [{ Key: 'k', Value: 'v' }] }))
    const shown = (await iam.client.send(new GetRoleCommand({ RoleName: 'Deploy' }))).Role
    expect(shown).toMatchObject({ Description: 'other', MaxSessionDuration: 3600, Tags: [{ Key: 'k', Value: 'v' }] })
    expect(decodeURIComponent(shown?.AssumeRolePolicyDocument ?? '')).toBe(other)
    expect(shown).toHaveProperty('RoleLastUsed')
    const listed = await iam.client.send(new ListRolesCommand({ PathPrefix: '/ci/' }))
    expect(listed.Roles?.[0]).not.toHaveProperty('Tags')
    const profiles = await iam.client.send(new ListInstanceProfilesForRoleCommand({ RoleName: 'deploy' }))
    expect(profiles.InstanceProfiles).toEqual([])
    await iam.client.send(new DeleteRoleCommand({ RoleName: 'deploy' }))
    expect(await refusalOf(iam.client.send(new GetRoleCommand({ RoleName: 'deploy' })))).toEqual([
      'NoSuchEntityException',
      'The role with name deploy cannot be found.',
    ])
  })

  test.each([
    ['no JSON', '{'],
    ['a policy for identities', TEXT],
    ['an action that is no assumption', trustText({ AWS: '*' }).replace('sts:AssumeRole', 'ecr:GetRole')],
  ])('trust %s', async (_name, AssumeRolePolicyDocument) => {
    const role = { RoleName: 'r', AssumeRolePolicyDocument }
    expect((await refusalOf(iam.client.send(new CreateRoleCommand(role))))[0]).toBe('MalformedPolicyDocumentException')
  })

  test('have inline and attached policies, and cannot go before these', async () => {
    await createRole('r')
    const inline = { RoleName: 'r', PolicyName: 'p' }
    await iam.client.send(new PutRolePolicyCommand({ ...inline, PolicyDocument: TEXT }))
    const shown = await iam.client.send(new GetRolePolicyCommand(inline))
    expect([shown.RoleName, decodeURIComponent(shown.PolicyDocument ?? '')]).toEqual(['r', TEXT])
    expect((await iam.client.send(new ListRolePoliciesCommand({ RoleName: 'r' }))).PolicyNames).toEqual(['p'])
    await iam.client.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn: READ_ONLY }))
    const attached = new ListAttachedRolePoliciesCommand({ RoleName: 'r' })
    expect((await iam.client.send(attached)).AttachedPolicies).toEqual([
      { PolicyName: 'AmazonEC2ContainerRegistryReadOnly', PolicyArn: READ_ONLY },
    ])
    const below = new ListAttachedRolePoliciesCommand({ RoleName: 'r', PathPrefix: '/x/' })
    expect((await iam.client.send(below)).AttachedPolicies).toEqual([])
    const remove = new DeleteRoleCommand({ RoleName: 'r' })
    expect((await refusalOf(iam.client.send(remove)))[1]).toContain('must detach all policies first')
    const detach = new DetachRolePolicyCommand({ RoleName: 'r', PolicyArn: READ_ONLY })
    await iam.client.send(detach)
    expect((await refusalOf(iam.client.send(detach)))[0]).toBe('NoSuchEntityException')
    expect((await refusalOf(iam.client.send(remove)))[1]).toContain('must delete policies first')
    await iam.client.send(new DeleteRolePolicyCommand(inline))
    expect(await refusalOf(iam.client.send(new DeleteRolePolicyCommand(inline)))).toEqual([
      'NoSuchEntityException',
      'The role policy with name p cannot be found.',
    ])
    await iam.client.send(remove)
  })

  test('are bounded by a policy that is there', async () => {
    const arn = await createPolicy('bound')
    await createRole('r', { PermissionsBoundary: arn })
    const boundary = { PermissionsBoundaryArn: arn, PermissionsBoundaryType: 'PermissionsBoundaryPolicy' as const }
    const role = async () => (await iam.client.send(new GetRoleCommand({ RoleName: 'r' }))).Role
    expect((await role())?.PermissionsBoundary).toEqual(boundary)
    expect(
      (await iam.client.send(new GetPolicyCommand({ PolicyArn: arn }))).Policy?.PermissionsBoundaryUsageCount,
    ).toBe(1)
    expect((await refusalOf(iam.client.send(new DeletePolicyCommand({ PolicyArn: arn }))))[0]).toBe(
      'DeleteConflictException',
    )
    await iam.client.send(new DeleteRolePermissionsBoundaryCommand({ RoleName: 'r' }))
    expect(await role()).not.toHaveProperty('PermissionsBoundary')
    const put = (PermissionsBoundary: string) =>
      iam.client.send(new PutRolePermissionsBoundaryCommand({ RoleName: 'r', PermissionsBoundary }))
    await put(READ_ONLY)
    expect((await refusalOf(put('arn:aws:iam::123456789012:policy/none')))[0]).toBe('NoSuchEntityException')
    expect((await refusalOf(put('arn:aws:ecr:::something-else')))[0]).toBe('InvalidInputException')
    await iam.client.send(new CreateUserCommand({ UserName: 'u' }))
    await iam.client.send(new PutUserPermissionsBoundaryCommand({ UserName: 'u', PermissionsBoundary: arn }))
    const used = await iam.client.send(new ListEntitiesForPolicyCommand({ PolicyArn: arn }))
    expect([used.PolicyUsers?.[0]?.UserName, used.PolicyRoles]).toEqual(['u', []])
  })
})

describe('inline policies', () => {
  test('have a size that those of one holder share', async () => {
    await iam.client.send(new CreateGroupCommand({ GroupName: 'g' }))
    const put = (PolicyName: string, length: number) =>
      iam.client.send(
        new PutGroupPolicyCommand({
          GroupName: 'g',
          PolicyName,
          PolicyDocument: policyText('ecr:*', `arn:aws:ecr:*:*:repository/${'a'.repeat(length)}`),
        }),
      )
    await put('one', 3000)
    expect(await refusalOf(put('two', 3000))).toEqual([
      'LimitExceededException',
      'Maximum policy size of 5120 bytes exceeded for group g',
    ])
    await put('one', 4000)
  })

  test.each([
    ['a principal', policyText('ecr:*', '*', { Principal: '*' })],
    ['no resource', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'ecr:*' }] })],
    ['an action without a service', policyText('pull', '*')],
  ])('are none with %s', async (_name, PolicyDocument) => {
    await createRole('r')
    const put = new PutRolePolicyCommand({ RoleName: 'r', PolicyName: 'p', PolicyDocument })
    expect((await refusalOf(iam.client.send(put)))[0]).toBe('MalformedPolicyDocumentException')
  })
})

describe('managed policies', () => {
  test('have up to five versions, of which one holds', async () => {
    const PolicyArn = await createPolicy('p', { Path: '/x/', Description: 'd', Tags: [{ Key: 'a', Value: 'b' }] })
    expect(PolicyArn).toBe('arn:aws:iam::123456789012:policy/x/p')
    const policy = async () => (await iam.client.send(new GetPolicyCommand({ PolicyArn }))).Policy
    expect(await policy()).toMatchObject({
      ...{ PolicyName: 'p', DefaultVersionId: 'v1', AttachmentCount: 0, IsAttachable: true, Description: 'd' },
      ...{ PolicyId: expect.stringMatching(/^ANPA/), Tags: [{ Key: 'a', Value: 'b' }] },
    })
    const add = (SetAsDefault: boolean) =>
      iam.client.send(
        new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: policyText('ecr:PutImage', '*'), SetAsDefault }),
      )
    expect((await add(true)).PolicyVersion).toMatchObject({ VersionId: 'v2', IsDefaultVersion: true })
    for (let version = 3; version <= 5; version++) await add(false)
    expect((await refusalOf(add(false)))[0]).toBe('LimitExceededException')
    const page = await iam.client.send(new ListPolicyVersionsCommand({ PolicyArn, MaxItems: 3 }))
    expect(page.Versions?.map(({ VersionId }) => VersionId)).toEqual(['v5', 'v4', 'v3'])
    const rest = await iam.client.send(new ListPolicyVersionsCommand({ PolicyArn, Marker: page.Marker }))
    expect(rest.Versions?.map(({ VersionId }) => VersionId)).toEqual(['v2', 'v1'])
    const first = { PolicyArn, VersionId: 'v1' }
    const { PolicyVersion } = await iam.client.send(new GetPolicyVersionCommand(first))
    expect([decodeURIComponent(PolicyVersion?.Document ?? ''), PolicyVersion?.IsDefaultVersion]).toEqual([TEXT, false])
    await iam.client.send(new SetDefaultPolicyVersionCommand(first))
    expect((await policy())?.DefaultVersionId).toBe('v1')
    expect(await refusalOf(iam.client.send(new DeletePolicyVersionCommand(first)))).toEqual([
      'DeleteConflictException',
      'Cannot delete the default version of a policy.',
    ])
    expect((await refusalOf(iam.client.send(new DeletePolicyCommand({ PolicyArn }))))[0]).toBe(
      'DeleteConflictException',
    )
    for (const VersionId of ['v2', 'v3', 'v4', 'v5'])
      await iam.client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }))
    // Numbers are never used twice.
    expect((await add(false)).PolicyVersion?.VersionId).toBe('v6')
    await iam.client.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v6' }))
    await iam.client.send(new DeletePolicyCommand({ PolicyArn }))
    expect(await refusalOf(policy())).toEqual(['NoSuchEntityException', `Policy ${PolicyArn} was not found.`])
  })

  test("AWS's own are in every account, can be attached, and are changed by nobody", async () => {
    const { Policy } = await iam.client.send(new GetPolicyCommand({ PolicyArn: READ_ONLY }))
    expect(Policy).toMatchObject({ Arn: READ_ONLY, DefaultVersionId: 'v3', IsAttachable: true })
    const version = await iam.client.send(new GetPolicyVersionCommand({ PolicyArn: READ_ONLY, VersionId: 'v3' }))
    expect(decodeURIComponent(version.PolicyVersion?.Document ?? '')).toContain('ecr:BatchGetImage')
    for (const command of [
      new DeletePolicyCommand({ PolicyArn: READ_ONLY }),
      new CreatePolicyVersionCommand({ PolicyArn: READ_ONLY, PolicyDocument: TEXT }),
      new TagPolicyCommand({ PolicyArn: READ_ONLY, Tags: [{ Key: 'a', Value: 'b' }] }),
    ])
      expect((await refusalOf(iam.client.send(command as DeletePolicyCommand)))[0]).toBe('AccessDenied')
    const linked = 'arn:aws:iam::aws:policy/aws-service-role/ECRReplicationServiceRolePolicy'
    await createRole('r')
    expect(
      (await refusalOf(iam.client.send(new AttachRolePolicyCommand({ RoleName: 'r', PolicyArn: linked }))))[0],
    ).toBe('PolicyNotAttachableException')
  })

  test('are listed by scope, path and use', async () => {
    const arn = await createPolicy('own', { Path: '/x/' })
    await iam.client.send(new CreateGroupCommand({ GroupName: 'g' }))
    await iam.client.send(new AttachGroupPolicyCommand({ GroupName: 'g', PolicyArn: READ_ONLY }))
    const list = async (filter: object) =>
      (await iam.client.send(new ListPoliciesCommand(filter))).Policies?.map(({ Arn }) => Arn)
    expect(await list({ Scope: 'Local' })).toEqual([arn])
    expect(await list({ PathPrefix: '/x/' })).toEqual([arn])
    expect(await list({ OnlyAttached: true })).toEqual([READ_ONLY])
    expect(await list({ PolicyUsageFilter: 'PermissionsBoundary' })).toEqual([])
    expect((await list({ Scope: 'AWS' }))?.length).toBeGreaterThan(10)
    const used = await iam.client.send(new ListEntitiesForPolicyCommand({ PolicyArn: READ_ONLY }))
    expect(used.PolicyGroups).toMatchObject([{ GroupName: 'g' }])
    const none = await iam.client.send(new ListEntitiesForPolicyCommand({ PolicyArn: READ_ONLY, EntityFilter: 'Role' }))
    expect(none.PolicyGroups).toEqual([])
  })

  test('carry tags', async () => {
    const PolicyArn = await createPolicy('p')
    await iam.client.send(new TagPolicyCommand({ PolicyArn, Tags: [{ Key: 'a', Value: '1' }] }))
    await iam.client.send(new TagPolicyCommand({ PolicyArn, Tags: [{ Key: 'b', Value: '' }] }))
    await iam.client.send(new UntagPolicyCommand({ PolicyArn, TagKeys: ['a'] }))
    const { Tags } = await iam.client.send(new ListPolicyTagsCommand({ PolicyArn }))
    expect(Tags).toEqual([{ Key: 'b', Value: '' }])
  })

  test('of another account are not for us', async () => {
    const arn = await createPolicy('p')
    const other = iam.clientOf('999999999999')
    expect((await refusalOf(other.send(new GetPolicyCommand({ PolicyArn: arn }))))[0]).toBe('AccessDenied')
    await other.send(new CreateGroupCommand({ GroupName: 'g' }))
    expect((await refusalOf(other.send(new AttachGroupPolicyCommand({ GroupName: 'g', PolicyArn: arn }))))[0]).toBe(
      'NoSuchEntityException',
    )
  })
})

describe('OpenID Connect providers', () => {
  const Url = 'https://token.actions.githubusercontent.com'
  const thumbprint = '6938fd4d98bab03faadb97b34396831e3780aea1'

  test('are made, changed and deleted', async () => {
    const created = await iam.client.send(
      new CreateOpenIDConnectProviderCommand({ Url, ClientIDList: ['a'], ThumbprintList: [thumbprint] }),
    )
    const OpenIDConnectProviderArn = created.OpenIDConnectProviderArn ?? ''
    expect(OpenIDConnectProviderArn).toBe('arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com')
    const of = { OpenIDConnectProviderArn }
    await iam.client.send(new AddClientIDToOpenIDConnectProviderCommand({ ...of, ClientID: 'b' }))
    await iam.client.send(new AddClientIDToOpenIDConnectProviderCommand({ ...of, ClientID: 'b' }))
    await iam.client.send(new RemoveClientIDFromOpenIDConnectProviderCommand({ ...of, ClientID: 'a' }))
    const other = 'f'.repeat(40)
    await iam.client.send(new UpdateOpenIDConnectProviderThumbprintCommand({ ...of, ThumbprintList: [other] }))
    await iam.client.send(new TagOpenIDConnectProviderCommand({ ...of, Tags: [{ Key: 'a', Value: 'b' }] }))
    expect(await iam.client.send(new GetOpenIDConnectProviderCommand(of))).toMatchObject({
      Url: 'token.actions.githubusercontent.com',
      ClientIDList: ['b'],
      ThumbprintList: [other],
      Tags: [{ Key: 'a', Value: 'b' }],
    })
    const list = await iam.client.send(new ListOpenIDConnectProvidersCommand({}))
    expect(list.OpenIDConnectProviderList).toEqual([{ Arn: OpenIDConnectProviderArn }])
    expect((await refusalOf(iam.client.send(new CreateOpenIDConnectProviderCommand({ Url }))))[0]).toBe(
      'EntityAlreadyExistsException',
    )
    await iam.client.send(new DeleteOpenIDConnectProviderCommand(of))
    expect((await refusalOf(iam.client.send(new GetOpenIDConnectProviderCommand(of))))[0]).toBe('NoSuchEntityException')
  })

  test.each(['http://example.com', 'https://u:p@example.com', 'https://example.com/?a=b', 'example'])(
    '%p is no issuer',
    async (url) => {
      const create = new CreateOpenIDConnectProviderCommand({ Url: url })
      expect((await refusalOf(iam.client.send(create)))[0]).toBe('ValidationError')
    },
  )
})

describe("roles of AWS's services", () => {
  const create = new CreateServiceLinkedRoleCommand({ AWSServiceName: 'replication.ecr.amazonaws.com' })

  test('are made once, described and tagged but not changed, and deleted in their own way', async () => {
    const { Role } = await iam.client.send(create)
    expect(Role?.Arn).toBe(
      'arn:aws:iam::123456789012:role/aws-service-role/replication.ecr.amazonaws.com/AWSServiceRoleForECRReplication',
    )
    const RoleName = Role?.RoleName ?? ''
    const attached = await iam.client.send(new ListAttachedRolePoliciesCommand({ RoleName }))
    expect(attached.AttachedPolicies).toHaveLength(1)
    expect((await refusalOf(iam.client.send(create)))[0]).toBe('InvalidInputException')
    for (const command of [
      new DeleteRoleCommand({ RoleName }),
      new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: TEXT }),
      new UpdateRoleCommand({ RoleName, MaxSessionDuration: 7200 }),
    ])
      expect((await refusalOf(iam.client.send(command as DeleteRoleCommand)))[0]).toBe('UnmodifiableEntityException')
    await iam.client.send(new UpdateRoleDescriptionCommand({ RoleName, Description: 'x' }))
    await iam.client.send(new TagRoleCommand({ RoleName, Tags: [{ Key: 'a', Value: 'b' }] }))
    const { DeletionTaskId } = await iam.client.send(new DeleteServiceLinkedRoleCommand({ RoleName }))
    const status = await iam.client.send(new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId }))
    expect(status.Status).toBe('SUCCEEDED')
    await iam.client.send(create)
  })

  test('other services have none here', async () => {
    const other = new CreateServiceLinkedRoleCommand({ AWSServiceName: 'ec2.amazonaws.com' })
    expect((await refusalOf(iam.client.send(other)))[0]).toBe('InvalidInputException')
    const status = new GetServiceLinkedRoleDeletionStatusCommand({ DeletionTaskId: 'task/x' })
    expect((await refusalOf(iam.client.send(status)))[0]).toBe('NoSuchEntityException')
  })
})

test('an account says what it holds', async () => {
  await createRole('r')
  await createPolicy('p')
  const { SummaryMap } = await iam.client.send(new GetAccountSummaryCommand({}))
  expect(SummaryMap).toMatchObject({ Roles: 1, Policies: 1, PolicyVersionsInUse: 1, Users: 0, UsersQuota: 5000 })
  expect((await iam.client.send(new ListAccountAliasesCommand({}))).AccountAliases).toEqual([])
})
