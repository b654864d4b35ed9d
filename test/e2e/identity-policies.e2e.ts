import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, type CommandResult, run } from '../support/clients/run-command.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'

const test = testWith('aws', 'crane')
const REGION = 'eu-west-3'
const APP = `arn:aws:ecr:${REGION}:000000000000:repository/team/app`
const ROOT = {
  ECRU_ROOT_ACCESS_KEY_ID: 'AKIAEXAMPLEROOT00001',
  ECRU_ROOT_SECRET_ACCESS_KEY: 'the-secret-of-the-root',
}
const PUSH = [
  'BatchCheckLayerAvailability',
  'BatchGetImage',
  'CompleteLayerUpload',
  'GetDownloadUrlForLayer',
  'InitiateLayerUpload',
  'PutImage',
  'UploadLayerPart',
].map((name) => `ecr:${name}`)
const PULL = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']

interface Key {
  readonly id: string
  readonly secret: string
}

const allow = (Action: string | readonly string[], Resource = '*', more: object = {}) => ({
  Effect: 'Allow',
  Action,
  Resource,
  ...more,
})
const LOGIN = allow('ecr:GetAuthorizationToken')

describe('the policies that teams use, with the clients that they use', () => {
  const image = buildImage('identity-policies')
  let work: string
  let registry: RunningRegistry

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'ecru-identities-'))
    const env = { ECRU_PROFILE: 'server', ECRU_DEFAULT_REGION: REGION, ...ROOT }
    registry = await startRegistry({ dataDir: join(work, 'data'), env })
    await writeOciLayout(join(work, 'layout'), { v1: image })
    for (const name of ['team/app', 'other/app'])
      await root('ecr', 'create-repository', '--repository-name', name, '--query', 'repository.repositoryName')
  })
  afterAll(async () => {
    await registry.stop()
    await rm(work, { recursive: true, force: true })
  })

  const as = ({ id, secret }: Key, ...args: readonly string[]) =>
    attempt([client('aws'), ...args, '--output', 'text'], {
      env: {
        AWS_ENDPOINT_URL: registry.url,
        AWS_DEFAULT_REGION: REGION,
        AWS_ACCESS_KEY_ID: id,
        AWS_SECRET_ACCESS_KEY: secret,
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_MAX_ATTEMPTS: '1',
      },
    })
  const root = async (...args: readonly string[]) => {
    const key = { id: ROOT.ECRU_ROOT_ACCESS_KEY_ID, secret: ROOT.ECRU_ROOT_SECRET_ACCESS_KEY }
    const { exitCode, stdout, stderr } = await as(key, ...args)
    if (exitCode !== 0) throw new Error(stderr)
    return stdout.trim()
  }

  /** A user with a key and what he may do. */
  const user = async (name: string, ...statements: readonly object[]): Promise<Key> => {
    const named = ['--user-name', name]
    await root('iam', 'create-user', ...named)
    if (statements.length > 0) await give(name, ...statements)
    const query = 'AccessKey.[AccessKeyId,SecretAccessKey]'
    const [id = '', secret = ''] = (await root('iam', 'create-access-key', ...named, '--query', query)).split('\t')
    return { id, secret }
  }
  const give = (name: string, ...statements: readonly object[]) => {
    const text = JSON.stringify({ Version: '2012-10-17', Statement: statements })
    return root('iam', 'put-user-policy', '--user-name', name, '--policy-name', 'own', '--policy-document', text)
  }

  /** crane, logged in as the user; `HOST` stands for the registry. */
  const craneAs = async (key: Key) => {
    const env = { DOCKER_CONFIG: join(work, `docker-${key.id}`) }
    const { stdout } = await as(key, 'ecr', 'get-login-password')
    const login = [client('crane'), 'auth', 'login', registry.host, '-u', 'AWS', '--password-stdin']
    await run(login, { env, input: stdout.trim() })
    return (...args: readonly string[]) =>
      attempt([client('crane'), ...args.map((arg) => arg.replace('HOST', registry.host)), '--insecure'], { env })
  }
  const push = (crane: Awaited<ReturnType<typeof craneAs>>, reference: string) =>
    crane('push', join(work, 'layout'), `HOST/${reference}`)

  const expectDone = ({ exitCode, stderr }: CommandResult) => expect([exitCode, stderr]).toEqual([0, expect.anything()])
  const expectDenied = ({ exitCode, stderr }: CommandResult, name: string, action: string, resource = APP) => {
    expect(exitCode).not.toBe(0)
    expect(stderr).toContain(
      `User: arn:aws:iam::000000000000:user/${name} is not authorized to perform: ${action} on resource: ${resource} `,
    )
  }
  const ofApp = ['--repository-name', 'team/app'] as const
  const pullByApi = [
    'ecr',
    'batch-get-image',
    ...ofApp,
    '--image-ids',
    'imageTag=v1',
    '--query',
    'images[].imageId',
  ] as const

  test('a user without a policy may not even log in', async () => {
    const key = await user('nobody')
    expectDenied(await as(key, 'ecr', 'get-login-password'), 'nobody', 'ecr:GetAuthorizationToken', '*')
    expectDenied(await as(key, ...pullByApi), 'nobody', 'ecr:BatchGetImage')
  })

  test('the seven actions of a push, on one repository', async () => {
    const key = await user('pusher', LOGIN, allow(PUSH, APP))
    const crane = await craneAs(key)
    expectDone(await push(crane, 'team/app:v1'))
    expectDone(await as(key, ...pullByApi))
    const other = APP.replace('team/', 'other/')
    // crane asks by HEAD first, whose answer has no body.
    expect((await push(crane, 'other/app:v1')).stderr).toContain('403 Forbidden')
    expectDenied(await crane('manifest', 'HOST/other/app:v1'), 'pusher', 'ecr:BatchGetImage', other)
    const begin = await as(key, 'ecr', 'initiate-layer-upload', '--repository-name', 'other/app')
    expectDenied(begin, 'pusher', 'ecr:InitiateLayerUpload', other)
    expectDenied(await crane('delete', 'HOST/team/app:v1'), 'pusher', 'ecr:BatchDeleteImage')
    const remove = await as(key, 'ecr', 'batch-delete-image', ...ofApp, '--image-ids', 'imageTag=v1')
    expectDenied(remove, 'pusher', 'ecr:BatchDeleteImage')
    // One of the seven is missing: each plane says which.
    await give(
      'pusher',
      LOGIN,
      allow(
        PUSH.filter((action) => action !== 'ecr:PutImage'),
        APP,
      ),
    )
    expectDenied(await crane('tag', 'HOST/team/app:v1', 'v2'), 'pusher', 'ecr:PutImage')
    const put = ['ecr', 'put-image', ...ofApp, '--image-tag', 'v2', '--image-manifest', image.manifest.bytes.toString()]
    expectDenied(await as(key, ...put), 'pusher', 'ecr:PutImage')
  })

  test('pull only', async () => {
    const key = await user('puller', LOGIN, allow(PULL))
    const crane = await craneAs(key)
    expectDone(await crane('pull', 'HOST/team/app:v1', join(work, 'pulled.tar')))
    expectDone(await as(key, ...pullByApi))
    expectDenied(await crane('tag', 'HOST/team/app:v1', 'v2'), 'puller', 'ecr:PutImage')
    expectDenied(await crane('ls', 'HOST/team/app'), 'puller', 'ecr:ListImages')
    expectDenied(await as(key, 'ecr', 'list-images', ...ofApp), 'puller', 'ecr:ListImages')
  })

  test('AmazonEC2ContainerRegistryReadOnly', async () => {
    const key = await user('reader')
    const policyArn = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'
    await root('iam', 'attach-user-policy', '--user-name', 'reader', '--policy-arn', policyArn)
    const crane = await craneAs(key)
    expectDone(await crane('pull', 'HOST/team/app:v1', join(work, 'read.tar')))
    expectDone(await crane('ls', 'HOST/team/app'))
    expectDone(await crane('catalog', 'HOST'))
    expectDone(await as(key, 'ecr', 'describe-images', ...ofApp, '--query', 'imageDetails[].imageTags'))
    expectDenied(await crane('tag', 'HOST/team/app:v1', 'v2'), 'reader', 'ecr:PutImage')
    expectDenied(await as(key, 'ecr', 'delete-repository', ...ofApp, '--force'), 'reader', 'ecr:DeleteRepository')
  })

  test('a repository policy lets one user of the account in, who has no policy of his own', async () => {
    const key = await user('invited', LOGIN)
    expectDenied(await as(key, ...pullByApi), 'invited', 'ecr:BatchGetImage')
    const statement = { Effect: 'Allow', Principal: { AWS: 'arn:aws:iam::000000000000:user/invited' }, Action: PULL }
    const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    await root('ecr', 'set-repository-policy', ...ofApp, '--policy-text', text)
    expectDone(await as(key, ...pullByApi))
    const crane = await craneAs(key)
    expectDone(await crane('pull', 'HOST/team/app:v1', join(work, 'invited.tar')))
  })

  test('pushes without a tag, and the deletion of releases, denied', async () => {
    const untagged = { Condition: { Null: { 'ecr:ImageTag': 'true' } } }
    const release = { Condition: { StringLike: { 'ecr:ImageTag': 'v*' } } }
    const deny = (action: string, more: object) => ({ ...allow(action, '*', more), Effect: 'Deny' })
    const key = await user(
      'tagger',
      allow('ecr:*'),
      deny('ecr:PutImage', untagged),
      deny('ecr:BatchDeleteImage', release),
    )
    const crane = await craneAs(key)
    const { digest } = image.manifest
    expectDone(await push(crane, 'team/app:nightly'))
    expectDenied(await crane('delete', `HOST/team/app@${digest}`), 'tagger', 'ecr:BatchDeleteImage')
    const remove = (id: string) => as(key, 'ecr', 'batch-delete-image', ...ofApp, '--image-ids', id)
    expectDenied(await remove(`imageDigest=${digest}`), 'tagger', 'ecr:BatchDeleteImage')
    expectDone(await remove('imageTag=nightly'))
    const put = ['ecr', 'put-image', ...ofApp, '--image-manifest', image.manifest.bytes.toString()]
    expectDenied(await as(key, ...put), 'tagger', 'ecr:PutImage')
  })

  test('everything from outside an address range denied', async () => {
    const outside = (range: string) => ({
      ...allow('ecr:*', '*', { Condition: { NotIpAddress: { 'aws:SourceIp': range } } }),
      Effect: 'Deny',
    })
    const key = await user('local', allow('ecr:*'), outside('127.0.0.0/8'))
    const crane = await craneAs(key)
    expectDone(await crane('ls', 'HOST/team/app'))
    expectDone(await as(key, ...pullByApi))
    await give('local', allow('ecr:*'), outside('10.0.0.0/8'))
    expectDenied(await crane('ls', 'HOST/team/app'), 'local', 'ecr:ListImages')
    expectDenied(await as(key, ...pullByApi), 'local', 'ecr:BatchGetImage')
  })

  test('a permissions boundary holds what a policy gives', async () => {
    const key = await user('bounded', allow('*'))
    const text = JSON.stringify({ Version: '2012-10-17', Statement: [LOGIN, allow(PULL)] })
    const query = ['--query', 'Policy.Arn']
    const arn = await root('iam', 'create-policy', '--policy-name', 'bound', '--policy-document', text, ...query)
    await root('iam', 'put-user-permissions-boundary', '--user-name', 'bounded', '--permissions-boundary', arn)
    const crane = await craneAs(key)
    expectDone(await crane('manifest', 'HOST/team/app:v1'))
    const denied = await as(key, 'ecr', 'list-images', ...ofApp)
    expectDenied(denied, 'bounded', 'ecr:ListImages')
    expect(denied.stderr).toContain('because no permissions boundary allows the ecr:ListImages action')
    expectDenied(await crane('ls', 'HOST/team/app'), 'bounded', 'ecr:ListImages')
  })
})
