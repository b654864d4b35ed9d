import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CreateRepositoryCommand, ListImagesCommand, SetRepositoryPolicyCommand } from '@aws-sdk/client-ecr'
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  ListUsersCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { AssumeRoleCommand, DecodeAuthorizationMessageCommand } from '@aws-sdk/client-sts'
import { A, B, type Hostile, type Keys, REGION, ROOT_A, startHostile } from '../../attacks/hostile-surroundings.ts'

let registry: Hostile
let user: Keys

const APP = `arn:aws:ecr:${REGION}:${A}:repository/app`
const HEADER = 'x-ecru-authorization-message'

beforeAll(async () => {
  registry = await startHostile()
  const iam = registry.iam(ROOT_A)
  await iam.send(new CreateUserCommand({ UserName: 'ci' }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName: 'ci' }))
  user = { accessKeyId: AccessKey?.AccessKeyId ?? '', secretAccessKey: AccessKey?.SecretAccessKey ?? '' }
  const document = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
      {
        Sid: 'NoListsOfApp',
        Effect: 'Deny',
        Action: ['ecr:ListImages', 'ecr:BatchGetImage'],
        Resource: '*',
        Condition: { StringNotEquals: { 'aws:PrincipalTag/team': 'app' } },
      },
    ],
  }
  await iam.send(
    new PutUserPolicyCommand({ UserName: 'ci', PolicyName: 'own', PolicyDocument: JSON.stringify(document) }),
  )
  await registry.ecr(ROOT_A).send(new CreateRepositoryCommand({ repositoryName: 'app' }))
})
afterAll(() => registry.close())

/** The error of a call through the SDK, and the message in the header of the answer. */
async function refused(
  send: (listen: (headers: Readonly<Record<string, string>>) => void) => Promise<unknown>,
): Promise<{ readonly text: string; readonly sealed: string }> {
  let sealed = ''
  const thrown: unknown = await send((headers) => {
    sealed = headers[HEADER] ?? ''
  }).then(
    () => undefined,
    (error: unknown) => error,
  )
  return { text: String(thrown), sealed }
}

interface Listened {
  readonly middlewareStack: {
    add(
      middleware: (next: (args: unknown) => Promise<{ response: unknown }>) => (args: unknown) => Promise<never>,
      options: { readonly step: 'deserialize'; readonly priority: 'low' },
    ): void
  }
}

/** Hears the headers of answers. */
function listening<T>(client: T, listen: (headers: Readonly<Record<string, string>>) => void): T {
  const { middlewareStack } = client as unknown as Listened
  middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      listen((result.response as { headers: Readonly<Record<string, string>> }).headers)
      return result as never
    },
    { step: 'deserialize', priority: 'low' },
  )
  return client
}

const listImages = (keys: Keys, repositoryName = 'app', registryId = A) =>
  refused((listen) => listening(registry.ecr(keys), listen).send(new ListImagesCommand({ repositoryName, registryId })))

async function decode(sealed: string, keys: Keys = ROOT_A) {
  const answer = await registry.sts(keys).send(new DecodeAuthorizationMessageCommand({ EncodedMessage: sealed }))
  return JSON.parse(answer.DecodedMessage ?? '') as Readonly<Record<string, unknown>>
}

describe('a refusal carries why, for those who may decode it', () => {
  test('on the JSON API: who, what, and the statement that denied', async () => {
    const { text, sealed } = await listImages(user)
    expect(text).toContain('with an explicit deny in an identity-based policy')
    expect(text).not.toContain(sealed)
    expect(await decode(sealed)).toMatchObject({
      allowed: false,
      explicitDeny: true,
      deniedBy: 'identity',
      matchedStatements: {
        items: [
          {
            statementId: 'NoListsOfApp',
            effect: 'DENY',
            policy: 'own',
            policyType: 'identity',
            actions: { items: [{ value: 'ecr:ListImages' }, { value: 'ecr:BatchGetImage' }] },
            resources: { items: [{ value: '*' }] },
            conditions: {
              items: [
                { operator: 'StringNotEquals', key: 'aws:PrincipalTag/team', values: { items: [{ value: 'app' }] } },
              ],
            },
          },
        ],
      },
      failures: { items: [] },
      context: {
        principal: { id: expect.stringMatching(/^AIDA/), arn: `arn:aws:iam::${A}:user/ci` },
        action: 'ecr:ListImages',
        resource: APP,
        conditions: {
          items: expect.arrayContaining([
            { key: 'aws:SourceIp', values: { items: [{ value: '127.0.0.1' }] } },
            { key: 'aws:SecureTransport', values: { items: [{ value: 'false' }] } },
          ]),
        },
      },
    })
  })

  test('on the Query API, where nothing allowed', async () => {
    const { text, sealed } = await refused((listen) =>
      listening(registry.iam(user), listen).send(new ListUsersCommand({})),
    )
    expect(text).toContain('AccessDenied')
    expect(await decode(sealed)).toMatchObject({
      explicitDeny: false,
      matchedStatements: { items: [] },
      context: { action: 'iam:ListUsers' },
    })
  })

  test('on /v2/, also in answers to HEAD', async () => {
    const password = await registry.password(user)
    for (const method of ['GET', 'HEAD']) {
      const response = await registry.v2(method, 'app/manifests/latest', password)
      expect(response.status).toBe(403)
      const message = await decode(response.headers.get(HEADER) ?? '')
      expect(message).toMatchObject({ explicitDeny: true, context: { action: 'ecr:BatchGetImage', resource: APP } })
    }
  })

  test('when a role is not to be had, the same whether it is there or not', async () => {
    const trusted = {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: B } },
    }
    await registry
      .iam(ROOT_A)
      .send(new CreateRoleCommand({ RoleName: 'there', AssumeRolePolicyDocument: JSON.stringify(trusted) }))
    for (const name of ['there', 'missing']) {
      const RoleArn = `arn:aws:iam::${A}:role/${name}`
      const { text, sealed } = await refused((listen) =>
        listening(registry.sts(user), listen).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'one' })),
      )
      expect(text).toEndWith(`is not authorized to perform: sts:AssumeRole on resource: ${RoleArn}`)
      expect(await decode(sealed)).toMatchObject({
        deniedBy: 'resource',
        context: { action: 'sts:AssumeRole', resource: RoleArn },
      })
    }
  })
})

describe('nobody else learns anything', () => {
  test('the refused user may not decode it without sts:DecodeAuthorizationMessage', async () => {
    const { sealed } = await listImages(user)
    const { text } = await refused(() => decode(sealed, user))
    expect(text).toContain('not authorized to perform: sts:DecodeAuthorizationMessage on resource: *')
  })

  test('messages are of one length, whatever they say, and none is like another', async () => {
    const [first, again, other] = [
      await listImages(user),
      await listImages(user),
      await listImages(user, 'a/longer/name'),
    ]
    expect(new Set([first, again, other].map(({ sealed }) => sealed)).size).toBe(3)
    expect(new Set([first, again, other].map(({ sealed }) => sealed.length)).size).toBe(1)
    expect(first.sealed.length).toBeLessThan(3000)
    expect(Buffer.from(first.sealed, 'base64url').includes('NoListsOfApp')).toBe(false)
  })

  test('across accounts, only the account whose policies refused reads why', async () => {
    await registry.ecr(ROOT_A).send(
      new SetRepositoryPolicyCommand({
        repositoryName: 'app',
        policyText: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Sid: 'NotThem',
              Effect: 'Deny',
              Principal: { AWS: `arn:aws:iam::${B}:root` },
              Action: 'ecr:ListImages',
            },
          ],
        }),
      }),
    )
    const { sealed } = await listImages(registry.rootB)
    expect(await decode(sealed)).toMatchObject({
      deniedBy: 'resource',
      matchedStatements: { items: [{ statementId: 'NotThem' }] },
    })
    const { text } = await refused(() => decode(sealed, registry.rootB))
    expect(text).toContain('InvalidAuthorizationMessageException')
  })

  test('what was not sealed here is refused', async () => {
    const { sealed } = await listImages(user)
    const changed = sealed.slice(0, 500) + (sealed[500] === 'A' ? 'B' : 'A') + sealed.slice(501)
    for (const text of ['x', 'not base64url!', sealed.slice(0, -4), changed, `${sealed}AAAA`, `${sealed} `]) {
      const { text: said } = await refused(() => decode(text))
      expect([text.length, said]).toEqual([
        text.length,
        expect.stringContaining('InvalidAuthorizationMessageException'),
      ])
    }
  })
})
