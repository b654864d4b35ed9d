import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  AssumeRoleCommand,
  DecodeAuthorizationMessageCommand,
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
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

function keysOf(
  given: {
    AccessKeyId?: string | undefined
    SecretAccessKey?: string | undefined
    SessionToken?: string | undefined
  } = {},
): Keys {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = given
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

describe('GetSessionToken', () => {
  test('gives a user temporary credentials of its own', async () => {
    await sts.putUser()
    const { Credentials } = await sts.as(USER).send(new GetSessionTokenCommand({ DurationSeconds: 900 }))
    expect(Credentials?.Expiration?.getTime()).toBe(sts.clock.now().getTime() + 900_000)
    const identity = await sts.as(keysOf(Credentials)).send(new GetCallerIdentityCommand())
    expect(identity).toMatchObject({ Arn: USER_ARN, UserId: 'AIDACIUSER0000000001', Account: ACCOUNT })
  })

  test('gives a root no more than an hour', async () => {
    const { Credentials } = await sts.as(ROOT).send(new GetSessionTokenCommand({ DurationSeconds: 7200 }))
    expect(Credentials?.Expiration?.getTime()).toBe(sts.clock.now().getTime() + 3600_000)
  })

  test('is refused in a session, and with a second factor', async () => {
    const { Credentials } = await sts.as(ROOT).send(new GetSessionTokenCommand({}))
    const again = sts.as(keysOf(Credentials)).send(new GetSessionTokenCommand({}))
    expect(await refusal(again)).toMatchObject({ code: 'AccessDenied' })
    const factor = new GetSessionTokenCommand({ SerialNumber: 'arn:aws:iam::1:mfa/x', TokenCode: '123456' })
    expect(await refusal(sts.as(ROOT).send(factor))).toMatchObject({ code: 'AccessDenied' })
  })
})

test('GetSessionToken is refused where a policy denies it', async () => {
  const Statement = [{ Effect: 'Deny', Action: 'sts:GetSession*', Resource: '*' }]
  await sts.putUser({ Version: '2012-10-17', Statement })
  expect(await refusal(sts.as(USER).send(new GetSessionTokenCommand({})))).toMatchObject({
    code: 'AccessDenied',
    message: `User: ${USER_ARN} is not authorized to perform: sts:GetSessionToken on resource: * with an explicit deny in an identity-based policy`,
  })
})

describe('GetFederationToken', () => {
  const federate = (keys: Keys) => sts.as(keys).send(new GetFederationTokenCommand({ Name: 'guest' }))

  test('speaks for somebody outside, in the name of a user who may', async () => {
    await sts.putUser(allow('sts:GetFederationToken'))
    const { Credentials, FederatedUser } = await federate(USER)
    const arn = `arn:aws:sts::${ACCOUNT}:federated-user/guest`
    expect(FederatedUser).toEqual({ Arn: arn, FederatedUserId: `${ACCOUNT}:guest` })
    expect(await sts.as(keysOf(Credentials)).send(new GetCallerIdentityCommand())).toMatchObject({ Arn: arn })
  })

  test('is refused to a user who may not, and to a root', async () => {
    await sts.putUser()
    for (const keys of [USER, ROOT]) expect(await refusal(federate(keys))).toMatchObject({ code: 'AccessDenied' })
  })
})

test('GetAccessKeyInfo reads the account from the id', async () => {
  const { Credentials } = await sts.as(ROOT).send(new GetSessionTokenCommand({}))
  const ask = (AccessKeyId: string) => sts.as(ROOT).send(new GetAccessKeyInfoCommand({ AccessKeyId }))
  expect(await ask(Credentials?.AccessKeyId ?? '')).toMatchObject({ Account: ACCOUNT })
  expect(await refusal(ask('AKIAIOSFODNN7EXAMPLE'))).toMatchObject({ code: 'ValidationError' })
})

test('GetAccessKeyInfo takes a permission', async () => {
  await sts.putUser()
  const ask = sts.as(USER).send(new GetAccessKeyInfoCommand({ AccessKeyId: USER.accessKeyId }))
  expect(await refusal(ask)).toMatchObject({
    code: 'AccessDenied',
    message: expect.stringContaining('perform: sts:GetAccessKeyInfo on resource: *'),
  })
})

describe('credentials without a second factor', () => {
  test('of GetSessionToken call AssumeRole and GetCallerIdentity of STS, and nothing else of it', async () => {
    await sts.putUser(allow('*'))
    await sts.putRole(trust({ Principal: { AWS: USER_ARN } }))
    const { Credentials } = await sts.as(USER).send(new GetSessionTokenCommand({}))
    const session = sts.as(keysOf(Credentials))
    expect(await session.send(new GetCallerIdentityCommand())).toMatchObject({ Arn: USER_ARN })
    const assumed = await session.send(new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: 'one' }))
    expect(assumed.AssumedRoleUser?.Arn).toEndWith('assumed-role/deploy/one')
    const code = 'AccessDenied'
    const key = new GetAccessKeyInfoCommand({ AccessKeyId: USER.accessKeyId })
    expect(await refusal(session.send(key))).toMatchObject({ code })
    expect(await refusal(session.send(new GetFederationTokenCommand({ Name: 'guest' })))).toMatchObject({ code })
    const message = new DecodeAuthorizationMessageCommand({ EncodedMessage: 'x' })
    expect(await refusal(session.send(message))).toMatchObject({ code })
  })

  test('of a federated user call GetCallerIdentity alone', async () => {
    await sts.putUser(allow('*'))
    await sts.putRole(trust({ Principal: { AWS: ACCOUNT } }))
    const policy = JSON.stringify(allow('*'))
    const { Credentials } = await sts.as(USER).send(new GetFederationTokenCommand({ Name: 'guest', Policy: policy }))
    const guest = sts.as(keysOf(Credentials))
    expect(await guest.send(new GetCallerIdentityCommand())).toMatchObject({ Account: ACCOUNT })
    const assume = new AssumeRoleCommand({ RoleArn: ROLE_ARN, RoleSessionName: 'one' })
    expect(await refusal(guest.send(assume))).toMatchObject({ code: 'AccessDenied' })
  })
})
