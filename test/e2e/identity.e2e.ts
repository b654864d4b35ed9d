import { afterAll, beforeAll, expect } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'

const ACCOUNT = '123456789012'
const ROOT = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLEROOT00001', AWS_SECRET_ACCESS_KEY: 'the-secret-of-the-root-is-long' }
const AUDIENCE = 'sts.amazonaws.com'
const SUBJECT = 'repo:octo/app:ref:refs/heads/main'

let work: string
let registry: RunningRegistry
let issuerServer: ReturnType<typeof Bun.serve>
let issuer: string
const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })

beforeAll(async () => {
  if (!hasClients('openssl')) return
  work = await mkdtemp(join(tmpdir(), 'ecru-identity-'))
  const [key, cert] = [join(work, 'issuer.key'), join(work, 'issuer.crt')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
  await run([client('openssl'), 'req', ...kind, ...subject, '-keyout', key, '-out', cert])
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }
  issuerServer = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    tls: { key: await Bun.file(key).text(), cert: await Bun.file(cert).text() },
    fetch: (request) =>
      request.url.endsWith('/keys')
        ? Response.json({ keys: [jwk] })
        : Response.json({ issuer, jwks_uri: `${issuer}/keys` }),
  })
  issuer = `https://localhost:${issuerServer.port}`
  registry = await startRegistry({
    memory: true,
    env: {
      ECRU_PROFILE: 'server',
      ECRU_DEFAULT_ACCOUNT: ACCOUNT,
      ECRU_DEFAULT_REGION: 'eu-west-3',
      ECRU_ROOT_ACCESS_KEY_ID: ROOT.AWS_ACCESS_KEY_ID,
      ECRU_ROOT_SECRET_ACCESS_KEY: ROOT.AWS_SECRET_ACCESS_KEY,
      ECRU_OIDC_ALLOW_PRIVATE: 'true',
      ECRU_CA_FILE: cert,
    },
  })
  await writeOciLayout(join(work, 'layout'), { v1: buildImage('identity') })
})
afterAll(async () => {
  await registry?.stop()
  await issuerServer?.stop(true)
  if (work !== undefined) await rm(work, { recursive: true, force: true })
})

type Environment = Readonly<Record<string, string>>

function environment(credentials: Environment): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: registry.url,
    AWS_DEFAULT_REGION: 'eu-west-3',
    // The CLI keeps the credentials of roles there.
    HOME: work,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
    AWS_CONFIG_FILE: join(work, 'config'),
    AWS_SHARED_CREDENTIALS_FILE: join(work, 'credentials'),
    ...credentials,
  }
}

const aws = async (credentials: Environment, ...args: readonly string[]) =>
  (await run([client('aws'), ...args, '--output', 'text'], { env: environment(credentials) })).trim()
const asRoot = (...args: readonly string[]) => aws(ROOT, ...args)

function policy(...statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements.map((one) => ({ Effect: 'Allow', ...one })) })
}

const PUSH = [
  ...['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:CompleteLayerUpload', 'ecr:GetDownloadUrlForLayer'],
  ...['ecr:InitiateLayerUpload', 'ecr:PutImage', 'ecr:UploadLayerPart'],
]

const repositoryArn = (name: string) => `arn:aws:ecr:eu-west-3:${ACCOUNT}:repository/${name}`

/** Logs in with credentials, and answers what pushes with that login. */
async function pusher(name: string, credentials: Environment) {
  const env = { DOCKER_CONFIG: join(work, `docker-${name}`) }
  const password = await aws(credentials, 'ecr', 'get-login-password')
  const login = [client('crane'), 'auth', 'login', registry.host, '-u', 'AWS', '--password-stdin']
  await run(login, { env, input: password })
  return (repository: string) =>
    attempt([client('crane'), 'push', join(work, 'layout'), `${registry.host}/${repository}:v1`], { env })
}

testWith(
  'aws',
  'crane',
  'openssl',
)('a role that a profile names pushes where its policy says', async () => {
  for (const name of ['team/app', 'team/other']) await asRoot('ecr', 'create-repository', '--repository-name', name)
  await asRoot('iam', 'create-user', '--user-name', 'ci')
  const assume = policy({ Action: 'sts:AssumeRole', Resource: `arn:aws:iam::${ACCOUNT}:role/push` })
  await asRoot('iam', 'put-user-policy', '--user-name', 'ci', '--policy-name', 'assume', '--policy-document', assume)
  const trust = policy({ Action: 'sts:AssumeRole', Principal: { AWS: ACCOUNT } })
  await asRoot('iam', 'create-role', '--role-name', 'push', '--assume-role-policy-document', trust)
  const push = policy(
    { Action: PUSH, Resource: repositoryArn('team/app') },
    { Action: 'ecr:GetAuthorizationToken', Resource: '*' },
  )
  await asRoot('iam', 'put-role-policy', '--role-name', 'push', '--policy-name', 'push', '--policy-document', push)
  const query = 'AccessKey.[AccessKeyId,SecretAccessKey]'
  const [id, secret] = (await asRoot('iam', 'create-access-key', '--user-name', 'ci', '--query', query)).split(/\s+/)
  await writeFile(join(work, 'credentials'), `[ci]\naws_access_key_id = ${id}\naws_secret_access_key = ${secret}\n`)
  const role = `role_arn = arn:aws:iam::${ACCOUNT}:role/push\nsource_profile = ci\nrole_session_name = build`
  await writeFile(join(work, 'config'), `[profile push]\n${role}\n`)
  const profile = { AWS_PROFILE: 'push' }
  expect(await aws(profile, 'sts', 'get-caller-identity', '--query', 'Arn')).toBe(
    `arn:aws:sts::${ACCOUNT}:assumed-role/push/build`,
  )
  const pushTo = await pusher('role', profile)
  expect((await pushTo('team/app')).exitCode).toBe(0)
  const refused = await pushTo('team/other')
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('403 Forbidden')])
})

testWith(
  'aws',
  'crane',
  'openssl',
)('a workflow pushes to its repository with the token of its issuer, and to no other', async () => {
  for (const name of ['octo/app', 'octo/other']) await asRoot('ecr', 'create-repository', '--repository-name', name)
  await asRoot('iam', 'create-open-id-connect-provider', '--url', issuer, '--client-id-list', AUDIENCE)
  const provider = issuer.replace('https://', '')
  const trust = policy({
    Action: 'sts:AssumeRoleWithWebIdentity',
    Principal: { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/${provider}` },
    Condition: { StringEquals: { [`${provider}:aud`]: AUDIENCE, [`${provider}:sub`]: SUBJECT } },
  })
  await asRoot('iam', 'create-role', '--role-name', 'workflow', '--assume-role-policy-document', trust)
  const push = policy(
    { Action: PUSH, Resource: repositoryArn('octo/app') },
    { Action: 'ecr:GetAuthorizationToken', Resource: '*' },
  )
  await asRoot('iam', 'put-role-policy', '--role-name', 'workflow', '--policy-name', 'push', '--policy-document', push)
  const bring = async (sub: string): Promise<Environment> => {
    const token = await new SignJWT({ sub })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(issuer)
      .setAudience(AUDIENCE)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)
    const file = join(work, `token-${sub.replaceAll(/\W/g, '-')}`)
    await writeFile(file, token)
    return {
      AWS_ROLE_ARN: `arn:aws:iam::${ACCOUNT}:role/workflow`,
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_SESSION_NAME: 'run-7',
    }
  }
  const pushTo = await pusher('workflow', await bring(SUBJECT))
  expect((await pushTo('octo/app')).exitCode).toBe(0)
  const refused = await pushTo('octo/other')
  expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('403 Forbidden')])
  const stranger = environment(await bring('repo:mallory/app:ref:refs/heads/main'))
  const denied = await attempt([client('aws'), 'ecr', 'get-login-password'], { env: stranger })
  expect(denied.stderr).toContain('Not authorized to perform sts:AssumeRoleWithWebIdentity')
})

testWith('openssl')('nothing secret is in the log', async () => {
  const log = await registry.log()
  expect(log).not.toMatch(/eyJ[\w-]{10,}\.|Signature=|Basic [\w+/]{10}/)
  expect(log).not.toContain(ROOT.AWS_SECRET_ACCESS_KEY)
})
