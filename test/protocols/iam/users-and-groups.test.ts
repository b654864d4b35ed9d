import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  AddUserToGroupCommand,
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateGroupCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteGroupCommand,
  DeleteLoginProfileCommand,
  DeleteUserCommand,
  DeleteUserPolicyCommand,
  DetachUserPolicyCommand,
  GetAccessKeyLastUsedCommand,
  GetGroupCommand,
  GetLoginProfileCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListGroupsCommand,
  ListGroupsForUserCommand,
  ListMFADevicesCommand,
  ListServiceSpecificCredentialsCommand,
  ListSigningCertificatesCommand,
  ListSSHPublicKeysCommand,
  ListUsersCommand,
  ListUserTagsCommand,
  ListVirtualMFADevicesCommand,
  PutUserPolicyCommand,
  paginateListUsers,
  RemoveUserFromGroupCommand,
  TagUserCommand,
  UntagUserCommand,
  UpdateAccessKeyCommand,
  UpdateUserCommand,
} from '@aws-sdk/client-iam'
import { createIam, type IamFixture, policyText, refusalOf } from './iam-fixture.ts'

let iam: IamFixture
beforeEach(async () => {
  iam = await createIam()
})
afterEach(async () => {
  expect(iam.reported).toEqual([])
  await iam.close()
})

const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
const createUser = (UserName: string, Path?: string) => iam.client.send(new CreateUserCommand({ UserName, Path }))

describe('users', () => {
  test('are made, shown, listed below a path, renamed and deleted', async () => {
    const tags = [{ Key: 'team', Value: 'a' }]
    const { User } = await iam.client.send(new CreateUserCommand({ UserName: 'Alice', Path: '/team/', Tags: tags }))
    expect(User).toEqual({
      ...{ UserName: 'Alice', Path: '/team/', Arn: 'arn:aws:iam::123456789012:user/team/Alice', Tags: tags },
      UserId: expect.stringMatching(/^AIDA[A-Z2-7]{17}$/),
      CreateDate: new Date(Math.floor(iam.clock.now().getTime() / 1000) * 1000),
    })
    expect((await iam.client.send(new GetUserCommand({ UserName: 'alice' }))).User).toEqual(User)
    await createUser('bob')
    const below = await iam.client.send(new ListUsersCommand({ PathPrefix: '/team/' }))
    expect([below.Users?.map(({ UserName }) => UserName), below.IsTruncated]).toEqual([['Alice'], false])
    await iam.client.send(new UpdateUserCommand({ UserName: 'Alice', NewUserName: 'Carol', NewPath: '/' }))
    const renamed = await iam.client.send(new GetUserCommand({ UserName: 'Carol' }))
    expect(renamed.User).toMatchObject({ UserId: User?.UserId, Arn: 'arn:aws:iam::123456789012:user/Carol' })
    expect(await refusalOf(iam.client.send(new UpdateUserCommand({ UserName: 'bob', NewUserName: 'carol' })))).toEqual([
      'EntityAlreadyExistsException',
      'User with name carol already exists.',
    ])
    await iam.client.send(new DeleteUserCommand({ UserName: 'Carol' }))
    expect(await refusalOf(iam.client.send(new GetUserCommand({ UserName: 'Carol' })))).toEqual([
      'NoSuchEntityException',
      'The user with name Carol cannot be found.',
    ])
  })

  test('of two accounts never see each other', async () => {
    const other = iam.clientOf('999999999999')
    await createUser('alice')
    await other.send(new CreateUserCommand({ UserName: 'alice' }))
    await iam.client.send(new DeleteUserCommand({ UserName: 'alice' }))
    expect((await other.send(new ListUsersCommand({}))).Users).toHaveLength(1)
    expect((await iam.client.send(new ListUsersCommand({}))).Users).toEqual([])
  })

  test('are listed page by page', async () => {
    for (const name of ['d', 'B', 'a', 'C']) await createUser(name)
    const names: (string | undefined)[][] = []
    for await (const { Users } of paginateListUsers({ client: iam.client, pageSize: 3 }, {}))
      names.push(Users?.map(({ UserName }) => UserName) ?? [])
    expect(names).toEqual([['a', 'B', 'C'], ['d']])
    expect(await refusalOf(iam.client.send(new ListUsersCommand({ Marker: 'nonsense' })))).toEqual([
      'ValidationError',
      'Invalid Marker.',
    ])
  })

  test('cannot be deleted while anything hangs on them', async () => {
    await createUser('alice')
    await iam.client.send(new CreateGroupCommand({ GroupName: 'g' }))
    await iam.client.send(new AddUserToGroupCommand({ GroupName: 'g', UserName: 'alice' }))
    await iam.client.send(new AttachUserPolicyCommand({ UserName: 'alice', PolicyArn: READ_ONLY }))
    const text = policyText('ecr:*', '*')
    await iam.client.send(new PutUserPolicyCommand({ UserName: 'alice', PolicyName: 'p', PolicyDocument: text }))
    const { AccessKey } = await iam.client.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
    const steps = [
      ['must remove users from group first.', new RemoveUserFromGroupCommand({ GroupName: 'g', UserName: 'alice' })],
      ['must detach all policies first.', new DetachUserPolicyCommand({ UserName: 'alice', PolicyArn: READ_ONLY })],
      ['must delete policies first.', new DeleteUserPolicyCommand({ UserName: 'alice', PolicyName: 'p' })],
      [
        'must delete access keys first.',
        new DeleteAccessKeyCommand({ UserName: 'alice', AccessKeyId: AccessKey?.AccessKeyId }),
      ],
    ] as const
    for (const [reason, command] of steps) {
      expect(await refusalOf(iam.client.send(new DeleteUserCommand({ UserName: 'alice' })))).toEqual([
        'DeleteConflictException',
        `Cannot delete entity, ${reason}`,
      ])
      await iam.client.send(command as DeleteAccessKeyCommand)
    }
    await iam.client.send(new DeleteUserCommand({ UserName: 'alice' }))
  })

  test('carry tags, each key once', async () => {
    await createUser('alice')
    const tag = (Key: string, Value: string) =>
      iam.client.send(new TagUserCommand({ UserName: 'alice', Tags: [{ Key, Value }] }))
    await tag('a', '1')
    await tag('b', '2')
    await tag('a', '3')
    await iam.client.send(new UntagUserCommand({ UserName: 'alice', TagKeys: ['b', 'unknown'] }))
    const { Tags, IsTruncated } = await iam.client.send(new ListUserTagsCommand({ UserName: 'alice' }))
    expect([Tags, IsTruncated]).toEqual([[{ Key: 'a', Value: '3' }], false])
    expect((await refusalOf(tag('aws:x', '1')))[0]).toBe('InvalidInputException')
  })

  test('the caller is shown without a name', async () => {
    const root = await iam.client.send(new GetUserCommand({}))
    expect(root.User).toMatchObject({ UserId: '123456789012', Arn: 'arn:aws:iam::123456789012:root' })
  })
})

describe('refused', () => {
  test.each([
    ['a name that is none', () => createUser('a b'), 'ValidationError'],
    ['a name that is too long', () => createUser('a'.repeat(65)), 'ValidationError'],
    ['a path that is none', () => createUser('a', 'x'), 'ValidationError'],
  ])('%s', async (_name, call, code) => {
    expect((await refusalOf(call()))[0]).toBe(code)
  })

  test('a second user of the name, however it is capitalised', async () => {
    await createUser('alice')
    expect(await refusalOf(createUser('ALICE'))).toEqual([
      'EntityAlreadyExistsException',
      'User with name ALICE already exists.',
    ])
  })
})

describe('access keys', () => {
  const keysOf = async (UserName: string) =>
    (await iam.client.send(new ListAccessKeysCommand({ UserName }))).AccessKeyMetadata ?? []

  test('let their user in, and nobody when they are inactive or gone', async () => {
    await createUser('alice')
    await iam.client.send(
      new PutUserPolicyCommand({
        UserName: 'alice',
        PolicyName: 'self',
        // biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
        PolicyDocument: policyText('iam:GetUser', 'arn:aws:iam::123456789012:user/${aws:username}'),
      }),
    )
    const { AccessKey: key } = await iam.client.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
    const id = key?.AccessKeyId ?? ''
    const alice = iam.clientOf(id, key?.SecretAccessKey)
    expect((await alice.send(new GetUserCommand({}))).User?.UserName).toBe('alice')
    expect((await refusalOf(iam.clientOf(id, 'wrong').send(new GetUserCommand({}))))[0]).toBe('SignatureDoesNotMatch')
    expect(await keysOf('alice')).toMatchObject([{ UserName: 'alice', AccessKeyId: id, Status: 'Active' }])
    expect(JSON.stringify(await keysOf('alice'))).not.toContain(key?.SecretAccessKey ?? '')
    const update = { UserName: 'alice', AccessKeyId: id, Status: 'Inactive' } as const
    await iam.client.send(new UpdateAccessKeyCommand(update))
    expect((await refusalOf(alice.send(new GetUserCommand({}))))[0]).toBe('InvalidClientTokenId')
    await iam.client.send(new UpdateAccessKeyCommand({ ...update, Status: 'Active' }))
    expect((await alice.send(new GetUserCommand({}))).User?.UserName).toBe('alice')
  })

  test('two for each user; when they were last used is said to their account alone', async () => {
    await createUser('alice')
    const create = () => iam.client.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
    const { AccessKey: key } = await create()
    await create()
    expect(await refusalOf(create())).toEqual([
      'LimitExceededException',
      'Cannot exceed quota for AccessKeysPerUser: 2',
    ])
    const lastUsed = new GetAccessKeyLastUsedCommand({ AccessKeyId: key?.AccessKeyId })
    expect(await iam.client.send(lastUsed)).toMatchObject({
      UserName: 'alice',
      AccessKeyLastUsed: { Region: 'N/A', ServiceName: 'N/A' },
    })
    expect((await refusalOf(iam.clientOf('999999999999').send(lastUsed)))[0]).toBe('NoSuchEntityException')
  })

  test('follow a user who is renamed', async () => {
    await createUser('alice')
    const { AccessKey: key } = await iam.client.send(new CreateAccessKeyCommand({ UserName: 'alice' }))
    await iam.client.send(new UpdateUserCommand({ UserName: 'alice', NewUserName: 'bob' }))
    expect(await keysOf('bob')).toMatchObject([{ UserName: 'bob', AccessKeyId: key?.AccessKeyId }])
  })
})

describe('groups', () => {
  test('have members, each once', async () => {
    const { Group } = await iam.client.send(new CreateGroupCommand({ GroupName: 'Devs', Path: '/a/' }))
    expect(Group).toMatchObject({
      Arn: 'arn:aws:iam::123456789012:group/a/Devs',
      GroupId: expect.stringMatching(/^AGPA/),
    })
    for (const name of ['bob', 'alice']) {
      await createUser(name)
      await iam.client.send(new AddUserToGroupCommand({ GroupName: 'devs', UserName: name }))
      await iam.client.send(new AddUserToGroupCommand({ GroupName: 'devs', UserName: name }))
    }
    const shown = await iam.client.send(new GetGroupCommand({ GroupName: 'Devs', MaxItems: 1 }))
    expect([shown.Users?.map(({ UserName }) => UserName), shown.IsTruncated]).toEqual([['alice'], true])
    const rest = await iam.client.send(new GetGroupCommand({ GroupName: 'Devs', Marker: shown.Marker }))
    expect([rest.Users?.map(({ UserName }) => UserName), rest.IsTruncated]).toEqual([['bob'], false])
    expect((await iam.client.send(new ListGroupsForUserCommand({ UserName: 'bob' }))).Groups).toEqual([
      Group ?? {},
    ] as never)
    expect((await iam.client.send(new ListGroupsCommand({}))).Groups).toHaveLength(1)
    expect((await refusalOf(iam.client.send(new DeleteGroupCommand({ GroupName: 'Devs' }))))[0]).toBe(
      'DeleteConflictException',
    )
    for (const UserName of ['alice', 'bob'])
      await iam.client.send(new RemoveUserFromGroupCommand({ GroupName: 'Devs', UserName }))
    expect(
      (await refusalOf(iam.client.send(new RemoveUserFromGroupCommand({ GroupName: 'Devs', UserName: 'bob' }))))[0],
    ).toBe('NoSuchEntityException')
    await iam.client.send(new DeleteGroupCommand({ GroupName: 'Devs' }))
  })
})

describe('credentials that no user here has', () => {
  test('are listed as none, so that clients can delete a user with all that it has', async () => {
    await createUser('robot')
    const UserName = 'robot'
    expect(await iam.client.send(new ListSSHPublicKeysCommand({ UserName }))).toMatchObject({ SSHPublicKeys: [] })
    expect(await iam.client.send(new ListSigningCertificatesCommand({ UserName }))).toMatchObject({ Certificates: [] })
    expect(await iam.client.send(new ListServiceSpecificCredentialsCommand({ UserName }))).toMatchObject({
      ServiceSpecificCredentials: [],
    })
    expect(await iam.client.send(new ListMFADevicesCommand({ UserName }))).toMatchObject({ MFADevices: [] })
    const virtual = await iam.client.send(new ListVirtualMFADevicesCommand({ AssignmentStatus: 'Any' }))
    expect(virtual).toMatchObject({ VirtualMFADevices: [], IsTruncated: false })
    for (const command of [new GetLoginProfileCommand({ UserName }), new DeleteLoginProfileCommand({ UserName })])
      expect(await refusalOf(iam.client.send(command as GetLoginProfileCommand))).toEqual([
        'NoSuchEntityException',
        'Login Profile for User robot cannot be found.',
      ])
  })

  test('are told of users that are there alone, to who may ask', async () => {
    expect(await refusalOf(iam.client.send(new ListSSHPublicKeysCommand({ UserName: 'nobody' })))).toEqual([
      'NoSuchEntityException',
      'The user with name nobody cannot be found.',
    ])
    await createUser('asker')
    const { AccessKey } = await iam.client.send(new CreateAccessKeyCommand({ UserName: 'asker' }))
    const asker = iam.clientOf(AccessKey?.AccessKeyId ?? '', AccessKey?.SecretAccessKey)
    const [code, message] = await refusalOf(asker.send(new ListMFADevicesCommand({})))
    expect([code, message]).toEqual([
      'AccessDenied',
      expect.stringContaining(
        'iam:ListMFADevices on resource: arn:aws:iam::123456789012:user/asker because no identity-based policy',
      ),
    ])
  })
})
