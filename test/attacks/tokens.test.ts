import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  CreateRepositoryCommand,
  DeleteRepositoryPolicyCommand,
  DescribeRepositoriesCommand,
  SetRepositoryPolicyCommand,
} from '@aws-sdk/client-ecr'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, GetFederationTokenCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { SignJWT } from 'jose'
import { A, type Hostile, type Keys, REGION, ROOT_A, startHostile } from './hostile-surroundings.ts'

let registry: Hostile
const secrets: string[] = []

beforeAll(async () => {
  registry = await startHostile()
  for (const repositoryName of ['team/app', 'team/lib', 'other'])
    await registry.ecr(ROOT_A).send(new CreateRepositoryCommand({ repositoryName }))
  secrets.push(ROOT_A.secretAccessKey, registry.rootB.secretAccessKey)
})
afterAll(() => registry.close())

const allow = (Action: string | readonly string[], Resource = '*') =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action, Resource }] })

async function userWithKey(UserName: string, policy: string): Promise<Keys> {
  const iam = registry.iam(ROOT_A)
  await iam.send(new CreateUserCommand({ UserName }))
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument: policy }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  const keys = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  secrets.push(keys.secretAccessKey)
  return keys
}

function keysOf(
  given: {
    AccessKeyId?: string | undefined
    SecretAccessKey?: string | undefined
    SessionToken?: string | undefined
  } = {},
): Keys {
  const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = given
  secrets.push(SecretAccessKey, SessionToken)
  return { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
}

async function login(keys: Keys): Promise<string> {
  const password = await registry.password(keys)
  secrets.push(password)
  return password
}

const statusOf = async (password: string, path = '') => (await registry.v2('GET', path, password)).status

describe('a login token', () => {
  test('of a user dies when its key is switched off, and lives again with it', async () => {
    const keys = await userWithKey('switched', allow('ecr:*'))
    const password = await login(keys)
    expect(await statusOf(password, 'team/app/tags/list')).toBe(200)
    const iam = registry.iam(ROOT_A)
    const set = (Status: 'Active' | 'Inactive') =>
      iam.send(new UpdateAccessKeyCommand({ UserName: 'switched', AccessKeyId: keys.accessKeyId, Status }))
    await set('Inactive')
    expect(await statusOf(password)).toBe(400)
    await expect(registry.ecr(keys).send(new DescribeRepositoriesCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
    })
    await set('Active')
    expect(await statusOf(password)).toBe(200)
    await iam.send(new DeleteAccessKeyCommand({ UserName: 'switched', AccessKeyId: keys.accessKeyId }))
    expect(await statusOf(password)).toBe(400)
  })

  test('says what its user may do, and nothing else', async () => {
    const password = await login(
      await userWithKey('reader', allow(['ecr:GetAuthorizationToken', 'ecr:ListImages'], '*')),
    )
    expect(await statusOf(password, 'team/app/tags/list')).toBe(200)
    expect((await registry.v2('POST', 'team/app/blobs/uploads/', password)).status).toBe(403)
  })

  test('of a role dies with the role', async () => {
    const iam = registry.iam(ROOT_A)
    const trust = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: A } }],
    }
    await iam.send(new CreateRoleCommand({ RoleName: 'deploy', AssumeRolePolicyDocument: JSON.stringify(trust) }))
    await iam.send(new PutRolePolicyCommand({ RoleName: 'deploy', PolicyName: 'own', PolicyDocument: allow('ecr:*') }))
    const { Credentials } = await registry
      .sts(ROOT_A)
      .send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${A}:role/deploy`, RoleSessionName: 'build' }))
    const password = await login(keysOf(Credentials))
    expect(await statusOf(password, 'team/app/tags/list')).toBe(200)
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'deploy', PolicyName: 'own' }))
    expect(await statusOf(password, 'team/app/tags/list')).toBe(403)
    await iam.send(new DeleteRoleCommand({ RoleName: 'deploy' }))
    expect(await statusOf(password)).toBe(400)
  })

  test('of somebody federated does what both the user and the session may', async () => {
    const user = await userWithKey(
      'broker',
      allow(['ecr:GetAuthorizationToken', 'ecr:ListImages', 'sts:GetFederationToken']),
    )
    const federate = (Policy?: string) =>
      registry
        .sts(user)
        .send(new GetFederationTokenCommand({ Name: 'guest', ...(Policy === undefined ? {} : { Policy }) }))
    const { Credentials, FederatedUser } = await federate(allow('ecr:*'))
    expect(FederatedUser?.Arn).toBe(`arn:aws:sts::${A}:federated-user/guest`)
    const password = await login(keysOf(Credentials))
    expect(await statusOf(password, 'team/app/tags/list')).toBe(200)
    expect((await registry.v2('POST', 'team/app/blobs/uploads/', password)).status).toBe(403)
    const { Credentials: bare } = await federate()
    await expect(registry.password(keysOf(bare))).rejects.toMatchObject({ name: 'AccessDeniedException' })
  })

  test('of a session dies with the key that began it', async () => {
    const keys = await userWithKey('short', allow('ecr:*'))
    const { Credentials } = await registry.sts(keys).send(new GetSessionTokenCommand())
    const session = keysOf(Credentials)
    const password = await login(session)
    await expect(registry.sts(session).send(new GetSessionTokenCommand())).rejects.toMatchObject({
      Code: 'AccessDenied',
    })
    await registry.iam(ROOT_A).send(new DeleteAccessKeyCommand({ UserName: 'short', AccessKeyId: keys.accessKeyId }))
    expect(await statusOf(password)).toBe(400)
    await expect(registry.password(session)).rejects.toMatchObject({ name: 'UnrecognizedClientException' })
  })

  test('is worth nothing when it is forged, mutilated, or says that nothing signed it', async () => {
    const password = await login(ROOT_A)
    const [header = '', payload = '', signature = ''] = password.split('.')
    const json = (text: object) => Buffer.from(JSON.stringify(text)).toString('base64url')
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
    const forgeries = [
      `${json({ alg: 'none' })}.${payload}.`,
      `${json({ alg: 'none', typ: 'JWT' })}.${payload}.${signature}`,
      `${header}.${json({ ...claims, acct: '222222222222' })}.${signature}`,
      `${header}.${json({ ...claims, exp: 4_000_000_000 })}.${signature}`,
      `${header}.${payload}.`,
      `${header}.${payload}`,
      `${header}.${payload}.${signature.slice(0, -2)}`,
      `${json({ alg: 'HS256', kid: 'unknown' })}.${payload}.${signature}`,
      `${json({ alg: 'HS256', kid: ['a'] })}.${payload}.${signature}`,
      await new SignJWT({ ...claims }).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32)),
      `ecru_0123456789abcdef_${'A'.repeat(43)}`,
      '',
      'x'.repeat(100_000).slice(0, 9000),
    ]
    for (const forged of forgeries) expect(await statusOf(forged)).toBe(400)
    expect(await statusOf(password)).toBe(200)
  })
})

describe('the token of a robot', () => {
  test('does what its scope and its user may, in its repositories, until it is revoked', async () => {
    await userWithKey('robot', allow('ecr:*'))
    const create = (actions: string) =>
      registry.app.administer('token/create', { user: 'robot', repositories: 'team/*', actions, seconds: '3600' })
    const { token, id } = (await create('pull')) as { readonly token: string; readonly id: string }
    secrets.push(token)
    expect(await statusOf(token, 'team/app/tags/list')).toBe(200)
    expect(await statusOf(token, 'team/lib/tags/list')).toBe(200)
    expect(await statusOf(token, 'other/tags/list')).toBe(403)
    expect((await registry.v2('POST', 'team/app/blobs/uploads/', token)).status).toBe(403)
    const { token: pusher } = (await create('push')) as { readonly token: string }
    secrets.push(pusher)
    expect((await registry.v2('POST', 'team/app/blobs/uploads/', pusher)).status).toBe(202)
    expect((await registry.v2('POST', 'other/blobs/uploads/', pusher)).status).toBe(403)
    expect(JSON.stringify(await registry.app.administer('token/list', {}))).not.toContain(token.slice(-20))
    await registry.app.administer('token/revoke', { id })
    expect(await statusOf(token)).toBe(400)
  })

  test('does no more where the policy of a repository names its user', async () => {
    await userWithKey('named', allow('ecr:*'))
    const mine = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${A}:user/named` }, Action: 'ecr:*' }
    const anyone = {
      ...{ Effect: 'Allow', Principal: '*', Action: 'ecr:*' },
      Condition: { ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${A}:user/named` } },
    }
    const made = { user: 'named', repositories: 'team/app', actions: 'pull', seconds: '3600' }
    const { token } = (await registry.app.administer('token/create', made)) as { readonly token: string }
    secrets.push(token)
    for (const statement of [mine, anyone])
      for (const repositoryName of ['team/app', 'other']) {
        const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
        await registry.ecr(ROOT_A).send(new SetRepositoryPolicyCommand({ repositoryName, policyText }))
        expect((await registry.v2('POST', `${repositoryName}/blobs/uploads/`, token)).status).toBe(403)
        expect(await statusOf(token, `${repositoryName}/tags/list`)).toBe(repositoryName === 'other' ? 403 : 200)
      }
    for (const repositoryName of ['team/app', 'other'])
      await registry.ecr(ROOT_A).send(new DeleteRepositoryPolicyCommand({ repositoryName }))
  })

  test('is none where its region is not', async () => {
    const made = { user: 'robot', repositories: '*', actions: 'pull', seconds: '60', region: 'us-west-2' }
    const { token } = (await registry.app.administer('token/create', made)) as { readonly token: string }
    secrets.push(token)
    const host = `${A}.dkr.ecr.${REGION}.example.com`
    expect((await registry.v2('GET', 'team/app/tags/list', token, { host })).status).toBe(400)
  })
})

test('nothing secret of all this is in the log', () => {
  const log = registry.log()
  expect(log).toContain('team/app')
  expect(secrets.length).toBeGreaterThan(15)
  for (const secret of secrets) expect([secret.slice(0, 8), log.includes(secret)]).toEqual([secret.slice(0, 8), false])
  expect(log).not.toMatch(/eyJ[\w-]{10,}\.|Signature=|Basic [\w+/]{10}/)
})
