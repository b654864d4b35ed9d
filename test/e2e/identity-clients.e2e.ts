import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { copyFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { awsCli } from '../support/clients/aws-cli.ts'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { initializeTerraform } from '../support/clients/terraform-folder.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { program } from '../support/start-registry.ts'

const ACCOUNT = '000000000000'
const SUPPORT = resolve(import.meta.dir, '../support/clients')

type Environment = Readonly<Record<string, string>>

interface Walk {
  readonly pages: readonly number[]
}

interface Identities {
  readonly users: Walk
  readonly groups: Walk
  readonly roles: Walk
  readonly policies: Walk
  readonly attached: Walk
  readonly denied: { readonly Sealed: string }
  readonly decoded: object
}

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements.map((one) => ({ Effect: 'Allow', ...one })) })
}

const PUSH = [
  ...['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:CompleteLayerUpload', 'ecr:GetDownloadUrlForLayer'],
  ...['ecr:InitiateLayerUpload', 'ecr:PutImage', 'ecr:UploadLayerPart'],
]

describe('identities with the clients that people use', () => {
  const stage = useStage({ repositories: ['team/app', 'team/lib', 'other'] })
  const aws = (...args: readonly string[]) => awsCli(stage).text(...args)
  const ecru = (...args: readonly string[]) =>
    run([...program(), ...args, '--url', stage.url], { env: stage.awsEnvironment })

  /** A user with a key and what it may do, as the environment of its clients. */
  const userWith = async (name: string, ...statements: readonly object[]): Promise<Environment> => {
    await aws('iam', 'create-user', '--user-name', name)
    await aws('iam', 'wait', 'user-exists', '--user-name', name)
    const document = ['--policy-name', 'own', '--policy-document', policy(...statements)]
    await aws('iam', 'put-user-policy', '--user-name', name, ...document)
    const query = ['--query', 'AccessKey.[AccessKeyId,SecretAccessKey]']
    const key = await aws('iam', 'create-access-key', '--user-name', name, ...query)
    const [id = '', secret = ''] = key.split('\t')
    return { ...stage.awsEnvironment, AWS_ACCESS_KEY_ID: id, AWS_SECRET_ACCESS_KEY: secret }
  }

  /** A role of the account, which may do something. */
  const roleWith = async (name: string, condition: object, ...statements: readonly object[]): Promise<string> => {
    const trust = policy({ Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT }, ...condition })
    await aws('iam', 'create-role', '--role-name', name, '--assume-role-policy-document', trust)
    await aws('iam', 'wait', 'role-exists', '--role-name', name)
    const document = ['--policy-name', 'own', '--policy-document', policy(...statements)]
    await aws('iam', 'put-role-policy', '--role-name', name, ...document)
    return `arn:aws:iam::${ACCOUNT}:role/${name}`
  }
  const ASSUME = { Action: 'sts:AssumeRole', Resource: '*' }
  const LOGIN = { Action: 'ecr:GetAuthorizationToken', Resource: '*' }

  testWith('python-with-boto3')('boto3: waiters, paginators, sessions, and what a refusal carries', async () => {
    const script = [client('python-with-boto3'), join(SUPPORT, 'boto3/identity.py')]
    const did = JSON.parse(await run(script, { env: stage.awsEnvironment })) as Identities
    const pages = [did.users, did.groups, did.roles, did.policies, did.attached].map((walk) => walk.pages)
    expect(pages).toEqual([
      [2, 2, 1],
      [2, 1],
      [2, 1],
      [2, 1],
      [2, 1],
    ])
    expect(did).toMatchObject({
      document: { Version: '2012-10-17', Statement: [{ Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT } }] },
      asSession: `arn:aws:iam::${ACCOUNT}:user/boto3/user-0`,
      sessionInIam: { Code: 'InvalidClientTokenId' },
      asRole: `arn:aws:sts::${ACCOUNT}:assumed-role/role-0/boto3`,
      described: expect.arrayContaining([expect.objectContaining({ repositoryName: 'team/app' })]),
      denied: { Code: 'AccessDeniedException', Message: expect.stringContaining('ecr:CreateRepository') },
      decoded: { allowed: false, explicitDeny: false, context: { action: 'ecr:CreateRepository' } },
      missing: { Code: 'NoSuchEntity', Message: 'The user with name nobody cannot be found.' },
      invalid: {
        Code: 'ValidationError',
        Message: expect.stringContaining("Value 'no blanks' at 'userName' failed to satisfy constraint"),
      },
    })
  })

  testWith('aws')('the aws CLI: waiters, pages, a profile with a role, and a decoded refusal', async () => {
    const user = await userWith('cli', ASSUME)
    const created = ['iam', 'create-policy', '--policy-name', 'cli', '--policy-document', policy(LOGIN)]
    const arn = await aws(...created, '--query', 'Policy.Arn')
    await aws('iam', 'wait', 'policy-exists', '--policy-arn', arn)
    for (const name of ['page-1', 'page-2', 'page-3']) await aws('iam', 'create-group', '--group-name', name)
    const listed = await aws(
      'iam',
      'list-groups',
      '--page-size',
      '1',
      '--query',
      "Groups[?starts_with(GroupName, 'page-')].GroupName",
    )
    expect(listed.split(/\s+/)).toEqual(['page-1', 'page-2', 'page-3'])
    const role = await roleWith('cli', {}, LOGIN)
    const assumed = await run(
      [client('aws'), 'sts', 'assume-role', '--role-arn', role, '--role-session-name', 'cli', '--output', 'json'],
      { env: user },
    )
    expect(JSON.parse(assumed)).toMatchObject({
      AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/cli/cli` },
    })
    const denied = await attempt([client('aws'), '--debug', 'ecr', 'describe-repositories'], { env: user })
    const [, sealed = ''] = /x-ecru-authorization-message'?: '([\w-]+)'/.exec(denied.stderr) ?? []
    const decoded = ['sts', 'decode-authorization-message', '--encoded-message', sealed, '--query', 'DecodedMessage']
    expect(JSON.parse(await aws(...decoded))).toMatchObject({
      context: { principal: { arn: `arn:aws:iam::${ACCOUNT}:user/cli` }, action: 'ecr:DescribeRepositories' },
    })
  })

  testWith(
    'aws',
    'crane',
    'skopeo',
  )('a robot token logs crane and skopeo in, for what it names, until it is revoked', async () => {
    await userWith('robot', LOGIN, { Action: PUSH, Resource: '*' })
    const made = ['token', 'create', '--user', 'robot', '--repositories', 'team/*', '--actions', 'pull,push']
    const token = JSON.parse(await ecru('admin', ...made, '--expires', '90d', '--json')) as {
      readonly id: string
      readonly token: string
    }
    await writeOciLayout(stage.path('layout'), { v1: buildImage('robot') })
    const env = { DOCKER_CONFIG: stage.path('crane') }
    const login = [client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '--password-stdin']
    await run(login, { env, input: token.token })
    const crane = (...args: readonly string[]) => attempt([client('crane'), ...args, '--insecure'], { env })
    expect((await crane('push', stage.path('layout'), `${stage.host}/team/app:robot`)).exitCode).toBe(0)
    expect((await crane('push', stage.path('layout'), `${stage.host}/other:robot`)).exitCode).not.toBe(0)
    const authFile = stage.path('skopeo-auth.json')
    const skopeo = await containersTool('skopeo', stage.path('skopeo'))
    const tls = ['--tls-verify=false', '--authfile', authFile]
    const loggedIn = await run([...skopeo, 'login', ...tls, '-u', 'AWS', '--password-stdin', stage.host], {
      input: token.token,
    })
    expect(loggedIn).toContain('Login Succeeded')
    const inspect = () => attempt([...skopeo, 'inspect', '--raw', ...tls, `docker://${stage.host}/team/app:robot`])
    expect(JSON.parse((await inspect()).stdout)).toMatchObject({ schemaVersion: 2 })
    expect((await crane('manifest', `${stage.host}/team/app:robot`)).exitCode).toBe(0)
    const listed = await ecru('admin', 'token', 'list')
    expect([listed.includes(token.id), listed.includes(token.token)]).toEqual([true, false])
    await ecru('admin', 'token', 'revoke', token.id)
    expect((await inspect()).exitCode).not.toBe(0)
    expect((await crane('manifest', `${stage.host}/team/app:robot`)).exitCode).not.toBe(0)
  })

  describe('docker', () => {
    const needed = ['aws', 'docker', 'dockerd', 'busybox'] as const
    let docker: Docker
    beforeAll(async () => {
      if (hasClients(...needed)) docker = await startDocker({ dir: stage.path('docker') })
    }, 90_000)
    afterAll(async () => {
      await docker?.stop()
    }, 60_000)

    testWith(...needed)('pushes and pulls with the token of a role, where its policy says', async () => {
      const user = await userWith('builder', ASSUME)
      const arn = `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/team/lib`
      const role = await roleWith('builder', {}, LOGIN, { Action: PUSH, Resource: arn })
      const query = ['--query', 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]', '--output', 'text']
      const assume = [client('aws'), 'sts', 'assume-role', '--role-arn', role, '--role-session-name', 'build', ...query]
      const [AWS_ACCESS_KEY_ID = '', AWS_SECRET_ACCESS_KEY = '', AWS_SESSION_TOKEN = ''] = (
        await run(assume, { env: user })
      )
        .trim()
        .split('\t')
      const session = { ...user, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN }
      const password = await run([client('aws'), 'ecr', 'get-login-password'], { env: session })
      const said = await docker.run(['login', '-u', 'AWS', '--password-stdin', stage.host], { input: password.trim() })
      expect(said).toContain('Login Succeeded')
      await writeBuildContext(stage.path('context'), 'role')
      const image = `${stage.host}/team/lib:role`
      await docker.run(['build', '-q', '-t', image, '-t', `${stage.host}/other:role`, stage.path('context')])
      await docker.run(['push', '-q', image])
      await docker.run(['rmi', '-f', image, `${stage.host}/other:role`])
      expect((await docker.run(['pull', '-q', image])).trim()).toBe(image)
      await docker.run(['tag', image, `${stage.host}/other:role`])
      expect(await docker.failure(['push', `${stage.host}/other:role`])).toMatch(/denied|403/)
      await ecru('admin', 'session', 'revoke', role)
      expect(await docker.failure(['pull', `${stage.host}/team/lib:role`])).toMatch(
        /denied|unauthorized|40[013]|no basic auth/i,
      )
    })
  })

  testWith(
    'aws',
    'terraform',
    'terraform-providers',
  )('Terraform takes on a role, and says who it is', async () => {
    const user = await userWith('planner', ASSUME)
    const condition = { Condition: { StringEquals: { 'sts:ExternalId': 'the-external-id' } } }
    const role_arn = await roleWith('terraform', condition, { Action: 'ecr:*', Resource: '*' })
    const folder = stage.path('terraform-role')
    await run(['mkdir', '-p', folder])
    await copyFile(join(SUPPORT, 'terraform-assume-role/main.tf'), join(folder, 'main.tf'))
    const variables = { endpoint: stage.url, role_arn }
    const { AWS_ENDPOINT_URL: _, ...env } = user
    const terraform = await initializeTerraform(folder, { env, variables })
    expect(await terraform.apply()).toBe('Apply complete! Resources: 1 added, 0 changed, 0 destroyed.')
    expect(await terraform.output<object>()).toEqual({
      account: ACCOUNT,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/terraform/terraform`,
    })
    expect(await terraform.changes()).toBeUndefined()
    expect(await terraform.destroy()).toBe('Destroy complete! Resources: 1 destroyed.')
  })
})
