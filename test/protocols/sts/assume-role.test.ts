import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import {
  ACCOUNT,
  allow,
  createSts,
  type Keys,
  ROLE_ARN,
  ROOT,
  refusal,
  type Sts,
  trust,
  USER,
  USER_ARN,
} from './sts-fixture.ts'

let sts: Sts
beforeEach(async () => {
  sts = await createSts()
})
afterEach(() => sts.close())

const TRUSTS_ACCOUNT = trust({ Principal: { AWS: ACCOUNT } })
const assume = (keys: Keys, input: Partial<AssumeRoleCommandInput> = {}) =>
  sts.as(keys).send(new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: 'build-7', ...input }))

async function keysOf(answer: ReturnType<typeof assume>): Promise<Keys> {
  const { Credentials: { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = {} } = await answer
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

describe('who may take on a role', () => {
  test('a user whom its account lets, when the role trusts the account', async () => {
    await sts.putUser(allow('sts:AssumeRole', ROLE_ARN))
    await sts.putRole(TRUSTS_ACCOUNT)
    const { AssumedRoleUser, Credentials, PackedPolicySize } = await assume(USER)
    expect(AssumedRoleUser).toEqual({
      Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/build-7`,
      AssumedRoleId: 'AROADEPLOY0000000001:build-7',
    })
    expect(Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/)
    expect(Credentials?.Expiration?.getTime()).toBe(sts.clock.now().getTime() + 3600_000)
    expect(PackedPolicySize).toBeUndefined()
    expect(await sts.as(await keysOf(assume(USER))).send(new GetCallerIdentityCommand())).toMatchObject({
      Arn: AssumedRoleUser?.Arn,
      UserId: AssumedRoleUser?.AssumedRoleId,
      Account: ACCOUNT,
    })
  })

  test('a user whom the role names, without permissions of its own', async () => {
    await sts.putUser()
    await sts.putRole(trust({ Principal: { AWS: USER_ARN } }))
    expect(await assume(USER)).toMatchObject({ $metadata: { httpStatusCode: 200 } })
  })

  test.each([
    ['the role trusts the account, and the user may not', undefined, TRUSTS_ACCOUNT],
    ['the role trusts another account', allow('sts:*'), trust({ Principal: { AWS: '999999999999' } })],
    ['the role trusts web identities', allow('sts:*'), trust({ Principal: { Federated: 'accounts.google.com' } })],
    [
      'the role wants an external id',
      allow('sts:*'),
      trust({ Principal: { AWS: ACCOUNT }, Condition: { StringEquals: { 'sts:ExternalId': 'x' } } }),
    ],
  ])('nobody else: %s', async (_, policy, roleTrust) => {
    await sts.putUser(policy)
    await sts.putRole(roleTrust)
    expect(await refusal(assume(USER, { ExternalId: 'wrong' }))).toEqual({
      code: 'AccessDenied',
      message: `User: ${USER_ARN} is not authorized to perform: sts:AssumeRole on resource: ${ROLE_ARN}`,
    })
  })

  test('whoever knows the external id', async () => {
    await sts.putUser(allow('sts:*'))
    await sts.putRole(
      trust({ Principal: { AWS: ACCOUNT }, Condition: { StringEquals: { 'sts:ExternalId': 'right' } } }),
    )
    await assume(USER, { ExternalId: 'right' })
  })

  test('a role that is missing is answered like one that trusts others', async () => {
    await sts.putUser(allow('sts:*'))
    expect(await refusal(assume(USER))).toMatchObject({ code: 'AccessDenied' })
    expect(await refusal(assume(USER, { RoleArn: `arn:aws:iam::${ACCOUNT}:user/x` }))).toMatchObject({
      code: 'ValidationError',
    })
  })
})

describe('a session', () => {
  beforeEach(async () => {
    await sts.putUser(allow('sts:*'))
    await sts.putRole(TRUSTS_ACCOUNT)
  })

  test('lasts as long as was asked, within what the role permits', async () => {
    const { Credentials } = await assume(USER, { DurationSeconds: 7200 })
    expect(Credentials?.Expiration?.getTime()).toBe(sts.clock.now().getTime() + 7200_000)
    expect(await refusal(assume(USER, { DurationSeconds: 7201 }))).toEqual({
      code: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    })
    expect(await refusal(assume(USER, { DurationSeconds: 899 }))).toMatchObject({ code: 'ValidationError' })
  })

  test('ends when its time is over', async () => {
    const keys = await keysOf(assume(USER))
    const { principal } = (await sts.sessions.find(keys.accessKeyId)) ?? {}
    expect(principal?.session?.name).toBe('build-7')
    sts.clock.advance(3600_000)
    expect(await refusal(sts.as(keys).send(new GetCallerIdentityCommand()))).toEqual({
      code: 'ExpiredToken',
      message: 'The security token included in the request is expired',
    })
  })

  test('is nobody without its token, or with another', async () => {
    const keys = await keysOf(assume(USER))
    const { sessionToken: _, ...bare } = keys
    for (const wrong of [bare, { ...keys, sessionToken: 'x' }])
      expect(await refusal(sts.as(wrong).send(new GetCallerIdentityCommand()))).toMatchObject({
        code: 'InvalidClientTokenId',
      })
    expect(await refusal(sts.as({ ...keys, secretAccessKey: 'x' }).send(new GetCallerIdentityCommand()))).toMatchObject(
      {
        code: 'SignatureDoesNotMatch',
      },
    )
  })

  test('dies with its role, whose namesake is another', async () => {
    const keys = await keysOf(assume(USER))
    await sts.metadata.transact(async (tx) => {
      const role = await tx.iam.find('role', ACCOUNT, 'deploy')
      await tx.iam.delete(role?.id ?? 0)
      if (role !== undefined) await tx.iam.insert({ ...role, uniqueId: 'AROAANOTHER' })
    })
    expect(await refusal(sts.as(keys).send(new GetCallerIdentityCommand()))).toMatchObject({
      code: 'InvalidClientTokenId',
    })
  })

  test('can be revoked', async () => {
    const keys = await keysOf(assume(USER))
    expect(await sts.sessions.revoke(ROLE_ARN, new Date(sts.clock.now().getTime() + 1))).toBe(1)
    expect(await refusal(sts.as(keys).send(new GetCallerIdentityCommand()))).toMatchObject({
      code: 'InvalidClientTokenId',
    })
  })

  test('its login token outlives it, and dies when it is revoked', async () => {
    const keys = await keysOf(assume(USER))
    const principal = await sts.callers.identify({ accessKeyId: keys.accessKeyId, isVerified: true })
    const { password } = await sts.tokens.issue(principal, 'eu-west-3' as never)
    sts.clock.advance(3600_000)
    expect((await sts.tokens.verify(password)).principal).toEqual(principal)
    await sts.sessions.revoke(ROLE_ARN, sts.clock.now())
    await expect(sts.tokens.verify(password)).rejects.toMatchObject({ code: 'token-invalid' })
  })

  test('needs permission to be tagged', async () => {
    expect(await refusal(assume(USER, { Tags: [{ Key: 'a', Value: 'b' }] }))).toMatchObject({ code: 'AccessDenied' })
  })
})

describe('tags and source identities', () => {
  beforeEach(async () => {
    await sts.putUser(allow('sts:*'))
    const actions = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']
    await sts.putRole(trust({ Principal: { AWS: ACCOUNT }, Action: actions }), {}, allow('sts:*'))
  })

  test('belong to the session, and what is transitive to those after it', async () => {
    const Tags = [
      { Key: 'project', Value: 'x' },
      { Key: 'cost', Value: 'y' },
    ]
    const first = await keysOf(assume(USER, { Tags, TransitiveTagKeys: ['project'], SourceIdentity: 'alice' }))
    expect(await refusal(assume(first, { DurationSeconds: 3601 }))).toMatchObject({
      message: 'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    })
    expect(await refusal(assume(first, { Tags: [{ Key: 'Project', Value: 'z' }] }))).toMatchObject({
      code: 'ValidationError',
    })
    expect(await refusal(assume(first, { SourceIdentity: 'mallory' }))).toMatchObject({ code: 'ValidationError' })
    const second = await assume(first)
    expect(second.SourceIdentity).toBe('alice')
    const { principal } = (await sts.sessions.find(second.Credentials?.AccessKeyId ?? '')) ?? {}
    expect(principal?.tags).toEqual([{ key: 'project', value: 'x' }])
  })

  test('that are handed on take the same permissions of the next role as new ones', async () => {
    const transitive = { Tags: [{ Key: 'project', Value: 'x' }], TransitiveTagKeys: ['project'] }
    const tagged = await keysOf(assume(USER, transitive))
    const named = await keysOf(assume(USER, { SourceIdentity: 'alice' }))
    const bare = await keysOf(assume(USER))
    const refusals = async (...more: string[]) => {
      const role = await sts.metadata.view.iam.find('role', ACCOUNT, 'deploy')
      if (role === undefined) throw new Error('the role is there')
      const trustPolicy = JSON.stringify(trust({ Principal: { AWS: ACCOUNT }, Action: ['sts:AssumeRole', ...more] }))
      await sts.metadata.transact((tx) => tx.iam.update({ ...role, attributes: { ...role.attributes, trustPolicy } }))
      return Promise.all(
        [tagged, named, bare].map(async (keys) => {
          const { code, message } = await refusal(assume(keys))
          return code === 'AccessDenied' ? /perform: (\S+)/.exec(message)?.[1] : code
        }),
      )
    }
    const none = 'nothing refused'
    expect(await refusals()).toEqual(['sts:TagSession', 'sts:SetSourceIdentity', none])
    expect(await refusals('sts:TagSession')).toEqual([none, 'sts:SetSourceIdentity', none])
    expect(await refusals('sts:SetSourceIdentity')).toEqual(['sts:TagSession', none, none])
  })

  test.each([
    [
      'twice the same key',
      [
        { Key: 'a', Value: '1' },
        { Key: 'A', Value: '2' },
      ],
    ],
    ['keys of AWS', [{ Key: 'aws:x', Value: '1' }]],
  ])('are refused: %s', async (_, Tags) => {
    expect(await refusal(assume(USER, { Tags }))).toMatchObject({ code: 'ValidationError' })
  })
})

describe('session policies', () => {
  beforeEach(async () => {
    await sts.putUser(allow('sts:*'))
    await sts.putRole(TRUSTS_ACCOUNT)
  })

  test('go with the session, managed ones as well', async () => {
    const Policy = JSON.stringify(allow('ecr:BatchGetImage'))
    const PolicyArns = [{ arn: 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly' }]
    const answer = await assume(USER, { Policy, PolicyArns })
    expect(answer.PackedPolicySize).toBeGreaterThan(0)
    const { principal } = (await sts.sessions.find(answer.Credentials?.AccessKeyId ?? '')) ?? {}
    expect(principal?.session?.policies).toEqual([Policy, expect.stringContaining('ecr:BatchImportUpstreamImage')])
  })

  test('that cannot be read, do not exist or are too long are refused', async () => {
    for (const Policy of ['{', '[]', JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Perhaps' }] })])
      expect(await refusal(assume(USER, { Policy }))).toMatchObject({ code: 'MalformedPolicyDocument' })
    const missing = [{ arn: 'arn:aws:iam::aws:policy/NoSuchPolicy' }]
    expect(await refusal(assume(USER, { PolicyArns: missing }))).toMatchObject({ code: 'ValidationError' })
    const Policy = JSON.stringify(allow(Array.from({ length: 200 }, (_, at) => `ecr:Action${at}`)))
    expect(await refusal(assume(USER, { Policy }))).toMatchObject({ code: 'PackedPolicyTooLarge' })
  })
})

test('only the session of a role is chained: credentials of GetSessionToken take one on for as long as it permits', async () => {
  await sts.putUser(allow('sts:*'))
  await sts.putRole(TRUSTS_ACCOUNT, {}, allow('sts:*'))
  const { Credentials: { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = {} } = await sts
    .as(USER)
    .send(new GetSessionTokenCommand({}))
  const own = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
  const ofRole = await keysOf(assume(own, { DurationSeconds: 7200 }))
  expect((await refusal(assume(ofRole, { DurationSeconds: 7200 }))).code).toBe('ValidationError')
})

test('a root takes on roles of its account', async () => {
  await sts.putRole(TRUSTS_ACCOUNT)
  expect(await assume(ROOT)).toMatchObject({ $metadata: { httpStatusCode: 200 } })
})
