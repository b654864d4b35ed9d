import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Subprocess } from 'bun'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { openPrivateNetwork, type PrivateNetwork } from '../support/clients/private-network.ts'
import { run } from '../support/clients/run-command.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'
import { ownEnvironment, program } from '../support/start-registry.ts'

const needed = [
  'aws',
  'crane',
  'skopeo',
  'docker-credential-ecr-login',
  'ip',
  'nsenter',
  'update-ca-certificates',
] as const
const test = testWith(...needed)

const ACCOUNT = '123456789012'
const REGION = 'eu-west-3'
const REGISTRY = `${ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`
const NAMES = [
  REGISTRY,
  `api.ecr.${REGION}.amazonaws.com`,
  `sts.${REGION}.amazonaws.com`,
  `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`,
]
const ROOT_KEY = { id: 'AKIAIOSFODNN7EXAMPLE', secret: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const PROJECT = resolve(import.meta.dir, '../..')

describe('standing in for AWS under its own host names', () => {
  let dir: string
  let network: PrivateNetwork
  let server: Subprocess
  let environment: Record<string, string>

  /** Runs a client in a world where AWS's names lead to the registry. Nothing tells it of Ecru. */
  const there = async (command: readonly string[], input?: string) =>
    (await run([...network.prefix, ...command], { env: environment, ...(input === undefined ? {} : { input }) })).trim()
  const ecru = (...command: string[]) => there([...program(), ...command])

  beforeAll(async () => {
    if (!hasClients(...needed)) return
    dir = await mkdtemp(join(tmpdir(), 'ecru-aws-hosts-'))
    network = await openPrivateNetwork(dir, NAMES)
    const config = join(dir, 'docker')
    await mkdir(config)
    await writeFile(join(config, 'config.json'), JSON.stringify({ credHelpers: { [REGISTRY]: 'ecr-login' } }))
    environment = {
      PATH: `${join(PROJECT, 'bin')}:${dirname(client('docker-credential-ecr-login'))}:${process.env.PATH}`,
      HOME: dir,
      DOCKER_CONFIG: config,
      REGISTRY_AUTH_FILE: join(dir, 'auth.json'),
      AWS_ACCESS_KEY_ID: ROOT_KEY.id,
      AWS_SECRET_ACCESS_KEY: ROOT_KEY.secret,
      AWS_REGION: REGION,
      AWS_DEFAULT_REGION: REGION,
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_STS_REGIONAL_ENDPOINTS: 'regional',
      AWS_CA_BUNDLE: '/etc/ssl/certs/ca-certificates.crt',
      AWS_MAX_ATTEMPTS: '1',
      AWS_PAGER: '',
      ECRU_DATA_DIR: join(dir, 'data'),
    }
    server = Bun.spawn([...network.prefix, ...program(), 'serve'], {
      cwd: PROJECT,
      env: {
        ...ownEnvironment(),
        ECRU_PROFILE: 'server',
        ECRU_HOST: '0.0.0.0',
        ECRU_PORT: '443',
        ECRU_AWS_HOSTS: `${REGION},us-east-1`,
        ECRU_DEFAULT_ACCOUNT: ACCOUNT,
        ECRU_DATA_DIR: join(dir, 'data'),
        ECRU_ROOT_ACCESS_KEY_ID: ROOT_KEY.id,
        ECRU_ROOT_SECRET_ACCESS_KEY: ROOT_KEY.secret,
      },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
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
    await there([...ready, '-o', '/dev/null', `https://${REGISTRY}/_ecru/ready`])
    await ecru('trust', 'system', '--write')
  }, 60_000)
  afterAll(async () => {
    server?.kill()
    await server?.exited
    await network?.close()
    if (dir !== undefined) await rm(dir, { recursive: true, force: true })
  }, 30_000)

  test('an unmodified pipeline: create, log in, push, pull', async () => {
    const identity = JSON.parse(await there([client('aws'), 'sts', 'get-caller-identity', '--output', 'json']))
    expect(identity).toMatchObject({ Account: ACCOUNT, Arn: `arn:aws:iam::${ACCOUNT}:root` })
    const create = ['ecr', 'create-repository', '--repository-name', 'team/app', '--query', 'repository.repositoryUri']
    expect(await there([client('aws'), ...create, '--output', 'text'])).toBe(`${REGISTRY}/team/app`)

    const password = await there([client('aws'), 'ecr', 'get-login-password'])
    await there([client('skopeo'), 'login', '-u', 'AWS', '--password-stdin', REGISTRY], password)
    await writeOciLayout(join(dir, 'layout'), { v1: buildImage('aws-hosts') })
    const target = `docker://${REGISTRY}/team/app:v1`
    await there([client('skopeo'), 'copy', `oci:${join(dir, 'layout')}:v1`, target])
    await there([client('skopeo'), 'copy', target, `dir:${join(dir, 'pulled')}`])
  })

  test("Amazon's credential helper logs in by itself", async () => {
    expect(await there([client('crane'), 'ls', `${REGISTRY}/team/app`])).toBe('v1')
    await there([client('crane'), 'validate', '--remote', `${REGISTRY}/team/app:v1`])
  })

  test('so does our own, for whichever host', async () => {
    const login = JSON.parse(await there(['docker-credential-ecru', 'get'], REGISTRY))
    expect(login).toMatchObject({ ServerURL: REGISTRY, Username: 'AWS' })
    await writeFile(join(dir, 'docker', 'config.json'), JSON.stringify({ credHelpers: { [REGISTRY]: 'ecru' } }))
    expect(await there([client('crane'), 'ls', `${REGISTRY}/team/app`])).toBe('v1')
  })

  test('a login of one region is none in another', async () => {
    const elsewhere = `${ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com`
    const password = await there([client('aws'), 'ecr', 'get-login-password'])
    const refused = there([client('skopeo'), 'login', '-u', 'AWS', '--password-stdin', elsewhere], password)
    await expect(refused).rejects.toThrow(/400|Bad Request/)
  })

  test('without trust in the authority nobody talks to it', async () => {
    const untrusting = ['env', 'SSL_CERT_FILE=/dev/null', 'SSL_CERT_DIR=/nonexistent', client('crane')]
    await expect(there([...untrusting, 'ls', `${REGISTRY}/team/app`])).rejects.toThrow(/certificate/)
  })

  test('podman and containerd find what `ecru trust` wrote for them', async () => {
    await ecru('trust', 'podman', '--host', REGISTRY, '--write')
    await ecru('trust', 'containerd', '--host', REGISTRY, '--write')
    const untrusting = ['env', 'SSL_CERT_FILE=/dev/null', 'SSL_CERT_DIR=/nonexistent', client('skopeo')]
    const tags = await there([...untrusting, 'list-tags', `docker://${REGISTRY}/team/app`])
    expect(JSON.parse(tags).Tags).toEqual(['v1'])
    const hosts = await there(['cat', `/etc/containerd/certs.d/${REGISTRY}/hosts.toml`])
    expect(hosts).toContain(`ca = "/etc/containerd/certs.d/${REGISTRY}/ca.crt"`)
  })
})
