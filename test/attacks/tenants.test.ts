import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import {
  BatchCheckLayerAvailabilityCommand,
  CreateRepositoryCommand,
  DescribeImagesCommand,
  GetDownloadUrlForLayerCommand,
  PutImageCommand,
} from '@aws-sdk/client-ecr'
import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { GetSessionTokenCommand } from '@aws-sdk/client-sts'
import { sha256 } from '../support/image-builder.ts'
import { A, B, type Hostile, type Keys, REGION, ROOT_A, startHostile } from './hostile-surroundings.ts'

const LAYER = 'a private layer of account A'
const DIGEST = sha256(LAYER)
const CONFIG = '{}'

let registry: Hostile
let tokenA: string
let tokenB: string

beforeAll(async () => {
  registry = await startHostile()
  await registry.ecr(ROOT_A).send(new CreateRepositoryCommand({ repositoryName: 'private' }))
  await registry.ecr(registry.rootB).send(new CreateRepositoryCommand({ repositoryName: 'own' }))
  ;[tokenA, tokenB] = [await registry.password(ROOT_A), await registry.password(registry.rootB)]
  for (const content of [LAYER, CONFIG]) await upload(tokenA, 'private', content)
  const pushed = await registry.v2('PUT', 'private/manifests/v1', tokenA, { body: manifest(), headers: OCI })
  expect(pushed.status).toBe(201)
})
afterAll(() => registry.close())

const OCI = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }

function manifest(): string {
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: OCI['content-type'],
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(CONFIG), size: CONFIG.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: DIGEST, size: LAYER.length }],
  })
}

async function upload(password: string, name: string, content: string): Promise<void> {
  const begun = await registry.v2('POST', `${name}/blobs/uploads/`, password)
  const { pathname } = new URL(begun.headers.get('location') ?? '', registry.url)
  const path = `${pathname.slice('/v2/'.length)}?digest=${sha256(content)}`
  expect((await registry.v2('PUT', path, password, { body: content })).status).toBe(201)
}

const hostOf = (account: string, region = REGION) => `${account}.dkr.ecr.${region}.example.com`

describe('who knows the digest of a private layer of another account', () => {
  test('reads it neither in that account nor in its own', async () => {
    for (const method of ['GET', 'HEAD']) {
      const there = await registry.v2(method, `private/blobs/${DIGEST}`, tokenB, { host: hostOf(A) })
      expect(there.status).toBe(403)
      const here = await registry.v2(method, `own/blobs/${DIGEST}`, tokenB)
      expect(here.status).toBe(404)
    }
  })

  test('mounts it from nowhere: an upload begins, as for content that nobody has', async () => {
    for (const from of ['private', `${A}/private`, '../private', 'own', '']) {
      const query = new URLSearchParams({ mount: DIGEST, ...(from === '' ? {} : { from }) })
      const response = await registry.v2('POST', `own/blobs/uploads/?${query}`, tokenB)
      expect(response.status).not.toBe(201)
    }
    expect((await registry.v2('HEAD', `own/blobs/${DIGEST}`, tokenB)).status).toBe(404)
  })

  test('is told by the API that it is not there', async () => {
    const client = registry.ecr(registry.rootB)
    const { layers, failures } = await client.send(
      new BatchCheckLayerAvailabilityCommand({ repositoryName: 'own', layerDigests: [DIGEST] }),
    )
    expect(JSON.stringify([layers, failures])).not.toContain('"AVAILABLE"')
    const url = client.send(new GetDownloadUrlForLayerCommand({ repositoryName: 'own', layerDigest: DIGEST }))
    await expect(url).rejects.toMatchObject({ name: 'LayersNotFoundException' })
  })

  test('pushes no image that names it', async () => {
    const put = registry
      .ecr(registry.rootB)
      .send(new PutImageCommand({ repositoryName: 'own', imageManifest: manifest() }))
    await expect(put).rejects.toMatchObject({ name: 'LayersNotFoundException' })
    const pushed = await registry.v2('PUT', 'own/manifests/v1', tokenB, { body: manifest(), headers: OCI })
    expect(pushed.status).toBe(404)
  })
})

describe('of another account', () => {
  test('images are not listed, pulled, pushed or deleted', async () => {
    const client = registry.ecr(registry.rootB)
    const described = client.send(new DescribeImagesCommand({ registryId: A, repositoryName: 'private' }))
    await expect(described).rejects.toMatchObject({ name: 'AccessDeniedException' })
    const asks = [
      ['GET', 'private/manifests/v1'],
      ['HEAD', 'private/manifests/v1'],
      ['GET', 'private/tags/list'],
      ['GET', `private/referrers/${DIGEST}`],
      ['POST', 'private/blobs/uploads/'],
      ['DELETE', `private/manifests/${sha256(manifest())}`],
      ['GET', '_catalog'],
    ] as const
    for (const [method, path] of asks)
      expect([path, (await registry.v2(method, path, tokenB, { host: hostOf(A) })).status]).toEqual([path, 403])
  })

  test('what is there is told apart from what is not by nobody', async () => {
    const ask = async (name: string) =>
      (await registry.v2('GET', `${name}/manifests/v1`, tokenB, { host: hostOf(A) })).status
    expect(await ask('private')).toBe(await ask('missing'))
  })

  test('a host of another region makes a token worthless', async () => {
    expect((await registry.v2('GET', '', tokenA, { host: hostOf(A, 'us-west-2') })).status).toBe(400)
  })

  test.each([
    `${A}.dkr.ecr.${REGION}.example.com.`,
    `${A}.DKR.ECR.${REGION}.EXAMPLE.COM`,
    `x.${A}.dkr.ecr.${REGION}.example.com`,
    `${A}.dkr.ecr.${REGION}`,
    `${A}%2edkr.ecr.${REGION}.example.com`,
    `${B}.dkr.ecr.${REGION}.example.com@${A}.dkr.ecr.${REGION}.example.com`,
  ])('the host %p lets nobody else in', async (host) => {
    const response = await registry.v2('GET', 'private/manifests/v1', tokenB, { host })
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(await response.text()).not.toContain(DIGEST)
  })

  test.each([
    'own//../private/manifests/v1',
    'own/%2e%2e/private/manifests/v1',
    'own%2f..%2fprivate/manifests/v1',
    `${A}/private/manifests/v1`,
    '/private/manifests/v1',
    'private/manifests/v1%00',
    'own/manifests/../../private/manifests/v1',
    'PRIVATE/manifests/v1',
  ])('the path %p leads nowhere', async (path) => {
    const response = await registry.v2('GET', path, tokenB)
    expect(response.status).toBeGreaterThanOrEqual(400)
    expect(response.status).toBeLessThan(500)
    expect(await response.text()).not.toContain(DIGEST)
  })
})

describe('a push that calls itself a copy of another registry', () => {
  const COPY = { ...OCI, 'ecru-replicated-from': `${B}/${REGION}` }
  const statement = (Effect: string, Action: string) => ({ Effect, Action, Resource: '*' })
  const put = async (password: string) =>
    (await registry.v2('PUT', 'private/manifests/copied', password, { body: manifest(), headers: COPY })).status
  const loginWith = async (UserName: string, ...Statement: object[]) => {
    const iam = registry.iam(ROOT_A)
    await iam.send(new CreateUserCommand({ UserName }))
    const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
    await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'own', PolicyDocument }))
    const { AccessKey: { AccessKeyId = '', SecretAccessKey = '' } = {} } = await iam.send(
      new CreateAccessKeyCommand({ UserName }),
    )
    return registry.password({ accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey })
  }

  test('takes the permission to replicate, and is no way around what denies pushes', async () => {
    const login = statement('Allow', 'ecr:GetAuthorizationToken')
    const pusher = await loginWith('pusher', login, statement('Allow', 'ecr:PutImage'))
    expect(await put(pusher)).toBe(403)
    const reader = await loginWith('reader', statement('Allow', 'ecr:*'), statement('Deny', 'ecr:PutImage'))
    expect(await put(reader)).toBe(403)
    const begun = await registry.v2('POST', 'private/blobs/uploads/', reader, { headers: COPY })
    expect(begun.status).toBe(202)
    const replicator = await loginWith('replicator', login, statement('Allow', 'ecr:ReplicateImage'))
    expect(await put(replicator)).toBe(201)
  })
})

describe('the operator’s plane', () => {
  const admin = (path: string, keys?: Keys) =>
    keys === undefined
      ? fetch(`${registry.url}/_ecru/admin/${path}`, { method: 'POST' })
      : signedPost(`/_ecru/admin/${path}`, keys)

  const signedPost = (path: string, credentials: Keys) => signedCall('POST', path, credentials)

  async function signedCall(method: string, path: string, credentials: Keys): Promise<Response> {
    const { signed } = await import('../protocols/aws/sign.ts')
    return fetch(await signed({ method, url: `${registry.url}${path}`, region: REGION, at: new Date(), credentials }))
  }

  test('answers strangers, other roots and administrators that it is there, and nothing else', async () => {
    const { message } = (await (await fetch(`${registry.url}/_ecru/nothing`)).json()) as { readonly message: string }
    const routes = message.match(/(?:GET|POST) \/[\w/-]+/g) ?? []
    const open = ['GET /_ecru/health', 'GET /_ecru/ready']
    const closed = routes.filter((route) => !open.includes(route) && !route.endsWith('/_ecru/nothing'))
    expect(closed.length).toBeGreaterThan(40)
    const iam = registry.iam(ROOT_A)
    await iam.send(new CreateUserCommand({ UserName: 'administrator' }))
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    await iam.send(new AttachUserPolicyCommand({ UserName: 'administrator', PolicyArn }))
    const { AccessKey: { AccessKeyId = '', SecretAccessKey = '' } = {} } = await iam.send(
      new CreateAccessKeyCommand({ UserName: 'administrator' }),
    )
    const others = [registry.rootB, { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey }]
    for (const route of closed) {
      const [method = '', path = ''] = route.split(' ')
      const answers = [await fetch(`${registry.url}${path}`, { method })]
      for (const keys of others) answers.push(await signedCall(method, path, keys))
      expect([route, ...answers.map(({ status }) => status)]).toEqual([route, 400, 400, 400])
      for (const answer of answers) expect(await answer.text()).toMatch(/Missing Authentication Token|only the root/)
    }
  })

  test.each(['account/list', 'token/list', 'root/rotate', 'token-key/rotate?revoke=true'])(
    '%s is the operator’s alone',
    async (path) => {
      expect((await admin(path)).status).toBe(400)
      const denied = await admin(path, registry.rootB)
      expect([denied.status, await denied.text()]).toEqual([
        400,
        expect.stringContaining(`only the root of the account ${A}`),
      ])
      expect((await signedPost('/_ecru/gc', registry.rootB)).status).toBe(400)
    },
  )

  test('takes no session of the operator’s', async () => {
    const { Credentials = {} as never } = await registry.sts(ROOT_A).send(new GetSessionTokenCommand())
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials
    const session = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken }
    expect((await admin('account/list', session)).status).toBe(400)
  })

  test('answers the operator, whose answers nobody keeps', async () => {
    const listed = await admin('account/list', ROOT_A)
    expect(listed.headers.get('cache-control')).toBe('no-store')
    expect(await listed.json()).toMatchObject({ accounts: [{ accountId: A }, { accountId: B }] })
    expect((await admin('account/create?account=222222222222', ROOT_A)).status).toBe(400)
    expect((await admin('account/create?account=1', ROOT_A)).status).toBe(400)
    expect((await admin('account/list?all=1', ROOT_A)).status).toBe(400)
  })

  test('rotates the root of an account, whose tokens die at once', async () => {
    const { accessKeyId, secretAccessKey } = (await (await admin(`root/rotate?account=${B}`, ROOT_A)).json()) as Keys
    expect((await registry.v2('GET', '', tokenB)).status).toBe(400)
    expect((await registry.v2('GET', '', await registry.password({ accessKeyId, secretAccessKey }))).status).toBe(200)
    expect((await registry.v2('GET', '', tokenA)).status).toBe(200)
  })
})
