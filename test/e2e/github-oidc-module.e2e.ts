import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Subprocess } from 'bun'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { openPrivateNetwork, type PrivateNetwork } from '../support/clients/private-network.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { initializeTerraform } from '../support/clients/terraform-folder.ts'
import { MODULES } from '../support/clients/terraform-modules.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { ownEnvironment, program } from '../support/start-registry.ts'

const needed = ['terraform', 'terraform-providers', 'aws', 'crane', 'openssl', 'ip', 'nsenter'] as const
const test = testWith(...needed)

const ISSUER = 'token.actions.githubusercontent.com'
const URL = 'http://127.0.0.1:4566'
const ROOT = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLEROOT00001', AWS_SECRET_ACCESS_KEY: 'the-secret-of-the-root-is-long' }
const PROJECT = resolve(import.meta.dir, '../..')

/** An issuer under GitHub's own name, in a network of the test's own. */
const ISSUER_PROGRAM = `
const [key, cert, jwk] = process.argv.slice(2)
Bun.serve({
  hostname: '127.0.0.1',
  port: 443,
  tls: { key: Bun.file(key), cert: Bun.file(cert) },
  async fetch({ url }) {
    if (url.endsWith('/keys')) return Response.json({ keys: [await Bun.file(jwk).json()] })
    return Response.json({ issuer: 'https://${ISSUER}', jwks_uri: 'https://${ISSUER}/keys' })
  },
})
`

describe('the Terraform module github-oidc lets the workflows of a repository push', () => {
  const children: Subprocess[] = []
  let work: string
  let network: PrivateNetwork
  const keys = generateKeyPair('RS256', { extractable: true })

  const inside = (command: readonly string[], env: Readonly<Record<string, string>>, input?: string) =>
    attempt([...network.prefix, ...command], { env, ...(input === undefined ? {} : { input }) })
  const start = (command: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    children.push(
      Bun.spawn([...network.prefix, ...command], {
        ...{ cwd: PROJECT, env: { ...ownEnvironment(), ...env } },
        ...{ stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' },
      }),
    )
  const environment = (credentials: Readonly<Record<string, string>>): Record<string, string> => ({
    AWS_ENDPOINT_URL: URL,
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_MAX_ATTEMPTS: '1',
    HOME: work,
    ...credentials,
  })

  beforeAll(async () => {
    if (!hasClients(...needed)) return
    work = await mkdtemp(join(tmpdir(), 'ecru-github-'))
    network = await openPrivateNetwork(work, [ISSUER])
    const [key, cert, jwk, script] = ['key.pem', 'cert.pem', 'jwk.json', 'issuer.ts'].map((name) => join(work, name))
    if (key === undefined || cert === undefined || jwk === undefined || script === undefined) return
    const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1']
    const subject = ['-subj', `/CN=${ISSUER}`, '-addext', `subjectAltName=DNS:${ISSUER}`]
    await run([client('openssl'), 'req', ...kind, ...subject, '-keyout', key, '-out', cert])
    const { publicKey } = await keys
    await writeFile(jwk, JSON.stringify({ ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }))
    await writeFile(script, ISSUER_PROGRAM)
    start([process.execPath, script, key, cert, jwk])
    start([...program(), 'serve', '--memory'], {
      ECRU_PROFILE: 'server',
      ECRU_HOST: '127.0.0.1',
      ECRU_ROOT_ACCESS_KEY_ID: ROOT.AWS_ACCESS_KEY_ID,
      ECRU_ROOT_SECRET_ACCESS_KEY: ROOT.AWS_SECRET_ACCESS_KEY,
      ECRU_OIDC_ALLOW_PRIVATE: 'true',
      ECRU_CA_FILE: cert,
    })
    const ready = [
      'curl',
      '-fsk',
      '--retry',
      '100',
      '--retry-delay',
      '0',
      '--retry-all-errors',
      '--retry-max-time',
      '30',
    ]
    for (const url of [`${URL}/_ecru/ready`, `https://${ISSUER}/keys`])
      await run([...network.prefix, ...ready, '-o', '/dev/null', url])
    await writeOciLayout(join(work, 'layout'), { v1: buildImage('github-oidc') })
  }, 60_000)
  afterAll(async () => {
    for (const child of children) {
      child.kill()
      await child.exited
    }
    await network?.close()
    if (work !== undefined) await rm(work, { recursive: true, force: true })
  }, 30_000)

  async function tokenOf(subject: string): Promise<Record<string, string>> {
    const { privateKey } = await keys
    const token = await new SignJWT({ sub: subject, repository: 'example/app' })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(`https://${ISSUER}`)
      .setAudience('sts.amazonaws.com')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)
    const file = join(work, `token-${subject.replaceAll(/\W/g, '-')}`)
    await writeFile(file, token)
    return { AWS_WEB_IDENTITY_TOKEN_FILE: file, AWS_ROLE_SESSION_NAME: 'run-1' }
  }

  test('as applied from its example, with a token of the issuer under its own name', async () => {
    const modules = join(work, 'modules')
    await cp(MODULES, modules, { recursive: true })
    const terraform = await initializeTerraform(join(modules, 'github-oidc/examples/basic'), {
      prefix: network.prefix,
      env: environment(ROOT),
    })
    expect(await terraform.apply()).toBe('Apply complete! Resources: 5 added, 0 changed, 0 destroyed.')
    const { role_arn: AWS_ROLE_ARN } = await terraform.output<{ readonly role_arn: string }>()
    const workflow = environment({ AWS_ROLE_ARN, ...(await tokenOf('repo:example/app:ref:refs/heads/main')) })
    const password = await inside([client('aws'), 'ecr', 'get-login-password'], workflow)
    expect([password.exitCode, password.stderr]).toEqual([0, ''])
    const docker = { DOCKER_CONFIG: join(work, 'docker') }
    const login = [client('crane'), 'auth', 'login', '127.0.0.1:4566', '-u', 'AWS', '--password-stdin']
    expect((await inside(login, docker, password.stdout.trim())).exitCode).toBe(0)
    const push = (name: string) =>
      inside([client('crane'), 'push', '--insecure', join(work, 'layout'), `127.0.0.1:4566/${name}:v1`], docker)
    const pushed = await push('team/app')
    expect([pushed.exitCode, pushed.stdout]).toEqual([0, expect.stringContaining('team/app@sha256:')])
    expect((await push('team/other')).exitCode).not.toBe(0)

    for (const subject of ['repo:example/other:ref:refs/heads/main', 'repo:example/app:ref:refs/heads/topic']) {
      const stranger = environment({ AWS_ROLE_ARN, ...(await tokenOf(subject)) })
      const denied = await inside([client('aws'), 'ecr', 'get-login-password'], stranger)
      expect(denied.stderr).toContain('Not authorized to perform sts:AssumeRoleWithWebIdentity')
    }
  }, 240_000)
})
