import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CreateRepositoryCommand, DescribeRepositoriesCommand, SetRepositoryPolicyCommand } from '@aws-sdk/client-ecr'
import {
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
  SimulateCustomPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateGrantCommand, CreateKeyCommand, EncryptCommand, KMSClient } from '@aws-sdk/client-kms'
import {
  AssumeRoleCommand,
  type Credentials,
  GetCallerIdentityCommand,
  GetFederationTokenCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { A, type Hostile, type Keys, REGION, ROOT_A, startHostile } from './hostile-surroundings.ts'

let registry: Hostile
beforeAll(async () => {
  registry = await startHostile()
  await registry.ecr(ROOT_A).send(new CreateRepositoryCommand({ repositoryName: 'app' }))
})
afterAll(async () => {
  expect(registry.log()).not.toContain('request failed')
  await registry.close()
})

/** The code and text of what is refused. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const thrown: unknown = await work.then(
    () => 'nothing refused',
    (error: unknown) => error,
  )
  return String(thrown)
}

const document = (...Statement: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (more: object = {}) => ({ Effect: 'Allow', Action: '*', Resource: '*', ...more })
const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

async function userWith(UserName: string, policy: string): Promise<Keys> {
  const iam = registry.iam(ROOT_A)
  await iam.send(new CreateUserCommand({ UserName }))
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument: policy }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  return { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
}

describe('a policy that is too much is refused before it is stored', () => {
  const create = (PolicyDocument: string) =>
    refusal(registry.iam(ROOT_A).send(new CreatePolicyCommand({ PolicyName: 'bomb', PolicyDocument })))

  test('by its size, in the words of IAM', async () => {
    const statements = Array.from({ length: 3000 }, (_, index) => allow({ Sid: `s${index}` }))
    expect(await create(document(...statements.slice(0, 200)))).toBe(
      'LimitExceededException: Cannot exceed quota for PolicySize: 6144',
    )
    expect(await create(document(...statements))).toContain(
      "at 'policyDocument' failed to satisfy constraint: Member must have length less than or equal to 131072",
    )
    expect(await create('x'.repeat(2_000_000))).toContain('RequestEntityTooLarge')
    const trust = document({ ...allow({ Action: 'sts:AssumeRole', Resource: undefined }), Principal: { AWS: A } })
    const padded = trust.replace('"Statement"', `"Id":"${'i'.repeat(3000)}","Statement"`)
    const role = new CreateRoleCommand({ RoleName: 'bomb', AssumeRolePolicyDocument: padded })
    expect(await refusal(registry.iam(ROOT_A).send(role))).toBe(
      'LimitExceededException: Cannot exceed quota for ACLSizePerRole: 2048',
    )
  })

  test('by its depth and its keys', async () => {
    for (const bomb of [
      `{"Version":"2012-10-17","Statement":${nested(1000)}}`,
      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":${'{"a":'.repeat(600)}1${'}'.repeat(600)}}}`,
      `{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}`,
    ])
      expect(await create(bomb)).toContain('MalformedPolicyDocument')
  })

  test('also where ECR and STS take one', async () => {
    const policyText = document(allow({ Resource: undefined, Principal: '*', Sid: 's'.repeat(11_000) }))
    const put = new SetRepositoryPolicyCommand({ repositoryName: 'app', policyText })
    expect(await refusal(registry.ecr(ROOT_A).send(put))).toContain('InvalidParameterException')
    const keys = await userWith('sender', document(allow()))
    const federate = new GetFederationTokenCommand({
      Name: 'guest',
      Policy: document(allow({ Sid: 's'.repeat(3000) })),
    })
    expect(await refusal(registry.sts(keys).send(federate))).toMatch(/less than or equal to 2048|PackedPolicyTooLarge/)
  })
})

describe('a policy that is as much as may be is decided all the same', () => {
  /** Longest names for what conditions compare with. */
  const LONG = 'a'.repeat(1500)

  test.each([
    ['wildcards before every letter', allow({ Resource: `arn:aws:ecr:${'*?'.repeat(900)}b` })],
    ['long pieces between wildcards', allow({ Resource: `arn:aws:ecr:*${'a?'.repeat(900)}b*` })],
    ['hundreds of patterns', allow({ Action: Array.from({ length: 120 }, (_, index) => `ecr:*?*a${index}`) })],
    ['a long condition', allow({ Condition: { StringLike: { 'aws:UserAgent': `*${'a'.repeat(1800)}b` } } })],
    ['many variables', allow({ Resource: `arn:aws:ecr:${['$', '{aws:UserAgent}'].join('').repeat(100)}` })],
    ['the same key a hundred times', allow({ Condition: { StringLike: { 'aws:UserAgent': Array(300).fill('*?') } } })],
  ])('%s', async (what, statement) => {
    const name = what.replaceAll(' ', '-')
    const keys = await userWith(name, document(statement))
    const client = registry.ecr(keys)
    client.middlewareStack.add(
      (next) => (args) => {
        const { headers } = args.request as { headers: Record<string, string> }
        headers['user-agent'] = LONG
        return next(args)
      },
      { step: 'finalizeRequest', priority: 'low', override: true, name: 'longAgent' },
    )
    for (let count = 0; count < 20; count++) {
      const answer = await refusal(client.send(new DescribeRepositoriesCommand({})))
      expect(answer === 'nothing refused' || answer.includes('AccessDenied')).toBe(true)
    }
  })

  test('many simulations leave others their turn, and too many of long policies are refused', async () => {
    const PolicyInputList = [document(allow({ Resource: `arn:aws:ecr:*${'a'.repeat(1800)}b*` }))]
    const simulate = (policies: readonly string[]) =>
      registry.iam(ROOT_A).send(
        new SimulateCustomPolicyCommand({
          PolicyInputList: [...policies],
          ActionNames: Array.from({ length: 40 }, (_, index) => `ecr:Action${index}`),
          ResourceArns: Array.from({ length: 25 }, (_, index) => `arn:aws:ecr:${'a'.repeat(1900)}${index}`),
        }),
      )
    let isOver = false
    const ended = simulate(PolicyInputList).then(() => {
      isOver = true
    })
    const identity = await registry.sts(ROOT_A).send(new GetCallerIdentityCommand({}))
    expect([identity.Account, isOver]).toEqual([A, false])
    await ended
    const long = Array.from({ length: 20 }, () => PolicyInputList).flat()
    expect(await refusal(simulate(long))).toBe(
      'InvalidInputException: The policies are too long for a simulation of so many actions and resources.',
    )
  })
})

describe('credentials without a second factor', () => {
  test('call nothing of IAM, whatever policies say', async () => {
    const keys = await userWith('all', document(allow()))
    expect(await refusal(registry.iam(keys).send(new ListUsersCommand({})))).toBe('nothing refused')
    const session = await registry.sts(keys).send(new GetSessionTokenCommand({}))
    const guest = await registry
      .sts(keys)
      .send(new GetFederationTokenCommand({ Name: 'guest', Policy: document(allow()) }))
    const ofRoot = await registry.sts(ROOT_A).send(new GetSessionTokenCommand({}))
    for (const { Credentials } of [session, guest, ofRoot]) {
      const temporary = {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      }
      expect(await refusal(registry.iam(temporary).send(new ListUsersCommand({})))).toBe(
        'InvalidClientTokenId: The security token included in the request is invalid.',
      )
      expect(await refusal(registry.ecr(temporary).send(new DescribeRepositoriesCommand({})))).toBe('nothing refused')
    }
  })

  test('that of a role are as good as its policies', async () => {
    const trust = document({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: A } })
    await registry.iam(ROOT_A).send(new CreateRoleCommand({ RoleName: 'r', AssumeRolePolicyDocument: trust }))
    const { Credentials } = await registry
      .sts(ROOT_A)
      .send(new AssumeRoleCommand({ RoleArn: `arn:aws:iam::${A}:role/r`, RoleSessionName: 'one' }))
    const temporary = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    }
    expect(await refusal(registry.iam(temporary).send(new ListUsersCommand({})))).toContain(
      'not authorized to perform: iam:ListUsers',
    )
  })
})

test('a grant for a key reaches sessions of a role, and of others in a user’s name, as far as their policies do', async () => {
  const kmsOf = (credentials: Keys) => new KMSClient({ endpoint: registry.url, region: REGION, credentials })
  const clients: KMSClient[] = []
  const encrypt = async ({ AccessKeyId = '', SecretAccessKey = '', SessionToken = '' }: Partial<Credentials> = {}) => {
    const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
    const client = kmsOf(keys)
    clients.push(client)
    return (await refusal(client.send(new EncryptCommand({ KeyId, Plaintext: new Uint8Array(1) })))).split(':', 1)[0]
  }
  const root = kmsOf(ROOT_A)
  clients.push(root)
  const { KeyMetadata: { KeyId = '' } = {} } = await root.send(new CreateKeyCommand({}))
  const trust = document({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: A } })
  await registry.iam(ROOT_A).send(new CreateRoleCommand({ RoleName: 'keyed', AssumeRolePolicyDocument: trust }))
  const user = await userWith('keyed', document(allow({ Action: 'sts:*' })))
  const grant = (GranteePrincipal: string) =>
    root.send(new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] }))
  await grant(`arn:aws:iam::${A}:role/keyed`)
  await grant(`arn:aws:iam::${A}:user/keyed`)
  const assume = async (Policy?: string, RoleSessionName = 'one') => {
    const RoleArn = `arn:aws:iam::${A}:role/keyed`
    const begun = registry.sts(user).send(new AssumeRoleCommand({ RoleArn, RoleSessionName, Policy }))
    return (await begun).Credentials
  }
  const federate = async (Policy: string) =>
    (await registry.sts(user).send(new GetFederationTokenCommand({ Name: 'guest', Policy }))).Credentials
  const [narrow, wide] = [document(allow({ Action: 'ecr:*' })), document(allow({ Action: 'kms:Encrypt' }))]
  expect([await encrypt(await assume()), await encrypt(await assume(wide))]).toEqual([
    'nothing refused',
    'nothing refused',
  ])
  expect(await encrypt(await assume(narrow))).toBe('AccessDeniedException')
  expect(await encrypt(await federate(wide))).toBe('nothing refused')
  expect(await encrypt(await federate(narrow))).toBe('AccessDeniedException')
  await grant(`arn:aws:sts::${A}:assumed-role/keyed/named`)
  expect(await encrypt(await assume(narrow, 'named'))).toBe('nothing refused')
  for (const client of clients) client.destroy()
})
