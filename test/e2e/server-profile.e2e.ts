import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { freePort, ownEnvironment, program, type RunningRegistry, startRegistry } from '../support/start-registry.ts'

const ROOT = {
  ECRU_ROOT_ACCESS_KEY_ID: 'AKIAEXAMPLEROOT00001',
  ECRU_ROOT_SECRET_ACCESS_KEY: 'first-secret-of-the-root',
}
const NEXT_ROOT = {
  ECRU_ROOT_ACCESS_KEY_ID: 'AKIAEXAMPLEROOT00002',
  ECRU_ROOT_SECRET_ACCESS_KEY: 'next-secret-of-the-root',
}

const keyOf = (root: typeof ROOT, url: string) => ({
  AWS_ENDPOINT_URL: url,
  AWS_DEFAULT_REGION: 'eu-west-3',
  AWS_ACCESS_KEY_ID: root.ECRU_ROOT_ACCESS_KEY_ID,
  AWS_SECRET_ACCESS_KEY: root.ECRU_ROOT_SECRET_ACCESS_KEY,
  AWS_EC2_METADATA_DISABLED: 'true',
  AWS_MAX_ATTEMPTS: '1',
})
const aws = (env: Record<string, string>, ...args: readonly string[]) =>
  attempt([client('aws'), ...args, '--output', 'text'], { env })

describe('the server profile', () => {
  let dataDir: string
  let registry: RunningRegistry
  const start = (root: typeof ROOT) => startRegistry({ dataDir, env: { ECRU_PROFILE: 'server', ...root } })

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ecru-server-'))
    registry = await start(ROOT)
  })
  afterAll(async () => {
    await registry.stop()
    await rm(dataDir, { recursive: true, force: true })
  })

  testWith('aws')('serves those who sign with a key it knows', async () => {
    const env = keyOf(ROOT, registry.url)
    expect((await aws(env, 'sts', 'get-caller-identity', '--query', 'Arn')).stdout.trim()).toBe(
      'arn:aws:iam::000000000000:root',
    )
    expect((await aws(env, 'ecr', 'create-repository', '--repository-name', 'team/app')).exitCode).toBe(0)
  })

  testWith('aws')('refuses a wrong secret, an unknown key and no signature at all', async () => {
    const env = keyOf(ROOT, registry.url)
    const describeAll = ['ecr', 'describe-repositories'] as const
    const wrong = await aws({ ...env, AWS_SECRET_ACCESS_KEY: 'guessed' }, ...describeAll)
    expect(wrong.stderr).toContain('(InvalidSignatureException)')
    const unknown = await aws({ ...env, AWS_ACCESS_KEY_ID: '000000000000' }, ...describeAll)
    expect(unknown.stderr).toContain('(UnrecognizedClientException)')
    const unsigned = await aws(env, ...describeAll, '--no-sign-request')
    expect(unsigned.stderr).toContain('(MissingAuthenticationTokenException)')
  })

  testWith('aws', 'crane')('lets a login push and pull until the root key is replaced', async () => {
    const work = await mkdtemp(join(tmpdir(), 'ecru-server-client-'))
    try {
      const image = buildImage('server-profile')
      await writeOciLayout(join(work, 'layout'), { v1: image })
      const crane = (host: string, ...args: string[]) =>
        attempt([client('crane'), ...args.map((arg) => arg.replace('HOST', host))], {
          env: { DOCKER_CONFIG: join(work, 'docker') },
        })
      const login = async (root: typeof ROOT) => {
        const password = (await aws(keyOf(root, registry.url), 'ecr', 'get-login-password')).stdout.trim()
        await run([client('crane'), 'auth', 'login', registry.host, '-u', 'AWS', '--password-stdin'], {
          env: { DOCKER_CONFIG: join(work, 'docker') },
          input: password,
        })
      }
      await login(ROOT)
      expect((await crane(registry.host, 'push', join(work, 'layout'), 'HOST/team/app:v1')).exitCode).toBe(0)
      expect((await crane(registry.host, 'digest', 'HOST/team/app:v1')).stdout.trim()).toBe(image.manifest.digest)

      const { port } = registry
      await registry.stop()
      registry = await startRegistry({ dataDir, port, env: { ECRU_PROFILE: 'server', ...NEXT_ROOT } })
      expect((await crane(registry.host, 'digest', 'HOST/team/app:v1')).exitCode).not.toBe(0)
      expect((await aws(keyOf(ROOT, registry.url), 'ecr', 'describe-repositories')).stderr).toContain(
        '(UnrecognizedClientException)',
      )
      await login(NEXT_ROOT)
      expect((await crane(registry.host, 'digest', 'HOST/team/app:v1')).stdout.trim()).toBe(image.manifest.digest)
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  })

  testWith()('is operated by its root alone', async () => {
    expect((await fetch(`${registry.url}/_ecru/gc`, { method: 'POST' })).status).toBe(400)
    const gc = [...program(), 'gc', '--json', '--url', registry.url]
    const unsigned = await attempt(gc)
    expect(unsigned.exitCode).toBe(1)
    const signed = await run(gc, { env: keyOf(NEXT_ROOT, registry.url) })
    expect(JSON.parse(signed)).toMatchObject({ isDryRun: false })
  })

  testWith()('keeps secrets out of its log', async () => {
    const log = await registry.log()
    for (const { ECRU_ROOT_SECRET_ACCESS_KEY: secret } of [ROOT, NEXT_ROOT]) expect(log).not.toContain(secret)
    expect(log).not.toMatch(/eyJ[\w-]{10,}\.|Signature=|authorization/i)
  })
})

describe('over TLS', () => {
  testWith(
    'aws',
    'crane',
    'openssl',
  )('clients that trust the certificate push and pull', async () => {
    const work = await mkdtemp(join(tmpdir(), 'ecru-tls-'))
    const [key, cert] = [join(work, 'tls.key'), join(work, 'tls.crt')]
    await run([
      client('openssl'),
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1,DNS:localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ])
    const port = await freePort()
    const url = `https://127.0.0.1:${port}`
    const child = Bun.spawn([...program(), 'serve'], {
      env: {
        ...ownEnvironment(),
        ...ROOT,
        ECRU_PROFILE: 'server',
        ECRU_PORT: String(port),
        ECRU_DATA_DIR: join(work, 'data'),
        ECRU_TLS_CERT: cert,
        ECRU_TLS_KEY: key,
      },
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: 'ignore',
    })
    try {
      await untilTrusted(url, await Bun.file(cert).text())
      const env = { ...keyOf(ROOT, url), AWS_CA_BUNDLE: cert, SSL_CERT_FILE: cert, DOCKER_CONFIG: join(work, 'docker') }
      const uri = (
        await aws(
          env,
          'ecr',
          'create-repository',
          '--repository-name',
          'team/app',
          '--query',
          'repository.repositoryUri',
        )
      ).stdout.trim()
      expect(uri).toBe(`127.0.0.1:${port}/team/app`)
      const endpoint = await aws(env, 'ecr', 'get-authorization-token', '--query', 'authorizationData[0].proxyEndpoint')
      expect(endpoint.stdout.trim()).toBe(url)
      const password = (await aws(env, 'ecr', 'get-login-password')).stdout.trim()
      await run([client('crane'), 'auth', 'login', `127.0.0.1:${port}`, '-u', 'AWS', '--password-stdin'], {
        env,
        input: password,
      })
      const image = buildImage('tls')
      await writeOciLayout(join(work, 'layout'), { v1: image })
      await run([client('crane'), 'push', join(work, 'layout'), `${uri}:v1`], { env })
      await run([client('crane'), 'validate', '--remote', `${uri}:v1`], { env })
      expect((await run([client('crane'), 'digest', `${uri}:v1`], { env })).trim()).toBe(image.manifest.digest)
    } finally {
      child.kill('SIGTERM')
      await child.exited
      await rm(work, { recursive: true, force: true })
    }
  })
})

async function untilTrusted(url: string, ca: string): Promise<void> {
  for (let attempts = 0; attempts < 500; attempts++) {
    const answer = await fetch(`${url}/_ecru/ready`, { tls: { ca } }).catch(() => undefined)
    if (answer?.ok) return
    await Bun.sleep(20)
  }
  throw new Error('not ready')
}
