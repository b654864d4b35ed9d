import { describe, expect, test } from 'bun:test'
import { isLoopbackHost, registryHostFor } from './addresses.ts'
import { ConfigError, readConfig, type Texts } from './config.ts'

function mistakesOf(environment: Texts, options: Texts = {}): readonly string[] {
  try {
    readConfig(environment, options)
    return []
  } catch (failure) {
    if (failure instanceof ConfigError) return failure.mistakes
    throw failure
  }
}

test('nothing said is the dev profile on loopback with a directory', () => {
  const { config, warnings } = readConfig({ PATH: '/bin' })
  expect(warnings).toEqual([])
  expect(config).toMatchObject({
    profile: 'dev',
    host: '127.0.0.1',
    port: 4566,
    storage: { kind: 'directory', path: './.ecru' },
    publicHost: 'public.ecr.aws',
    defaultRegistry: { registryId: '000000000000', region: 'us-east-1' },
    createsRepositoryOnPush: false,
    fidelity: 'oci',
    gcIntervalMs: 3_600_000,
    gcGraceMs: 86_400_000,
    uploadExpiryMs: 604_800_000,
    idleTimeoutMs: 120_000,
    shutdownTimeoutMs: 30_000,
  })
  expect(config.tls).toBeUndefined()
  expect(config.rootKey).toBeUndefined()
})

test('options win over the environment, and an empty text counts as unset', () => {
  const { config } = readConfig({ ECRU_PORT: '5000', ECRU_HOST: '' }, { ECRU_PORT: '0' })
  expect(config).toMatchObject({ port: 0, host: '127.0.0.1' })
})

test('public and private registries have hosts of their own', () => {
  expect(readConfig({ ECRU_PUBLIC_HOST: 'LocalHost:4566' }).config.publicHost).toBe('localhost:4566')
  expect(mistakesOf({ ECRU_PUBLIC_HOST: 'here.example.com', ECRU_REGISTRY_HOST: 'Here.example.com' })).toHaveLength(1)
  expect(mistakesOf({ ECRU_PUBLIC_HOST: 'https://here.example.com' })).toHaveLength(1)
})

test('the master key has one place, or none', () => {
  const text = 'ab'.repeat(32)
  expect(readConfig({}).config.masterKey).toBeUndefined()
  expect(readConfig({ ECRU_MASTER_KEY_FILE: '/run/key' }).config.masterKey).toEqual({ kind: 'file', path: '/run/key' })
  expect(readConfig({ ECRU_MASTER_KEY: text }).config.masterKey).toEqual({ kind: 'text', text })
  const command = 'pass show ecru'
  expect(readConfig({ ECRU_MASTER_KEY_COMMAND: command }).config.masterKey).toEqual({ kind: 'command', command })
  expect(mistakesOf({ ECRU_MASTER_KEY: text, ECRU_MASTER_KEY_COMMAND: command })).toHaveLength(1)
  const [mistake = ''] = mistakesOf({ ECRU_MASTER_KEY: 'hunter2' })
  expect(mistake).toStartWith('ECRU_MASTER_KEY holds no master key')
  expect(mistake).not.toContain('hunter2')
})

test("AWS's own region is not consulted", () => {
  expect(readConfig({ AWS_REGION: 'eu-west-3' }).config.defaultRegistry.region as string).toBe('us-east-1')
})

for (const [text, value] of [
  ['true', true],
  ['1', true],
  ['ON', true],
  ['no', false],
  ['0', false],
] as const) {
  test(`${text} means ${value}`, () => {
    expect(readConfig({ ECRU_AUTO_CREATE: text }).config.createsRepositoryOnPush).toBe(value)
  })
}

test('every mistake is said at once, under the name by which it was made', () => {
  expect(
    mistakesOf(
      { ECRU_PORT: '70000', ECRU_LOG_LEVEL: 'loud', ECRU_AUTO_CREATE: 'constructor' },
      { ECRU_FIDELITY: 'gcp' },
    ),
  ).toEqual([
    "ECRU_PORT must be a whole number from 0 to 65535, not '70000'.",
    "ECRU_AUTO_CREATE must be true or false, not 'constructor'.",
    "--fidelity must be one of oci, aws, not 'gcp'.",
    "ECRU_LOG_LEVEL must be one of debug, info, warn, error, silent, not 'loud'.",
  ])
})

test('a secret is never repeated', () => {
  const [mistake] = mistakesOf({ ECRU_ROOT_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', ECRU_ROOT_SECRET_ACCESS_KEY: 'hush' })
  expect(mistake).toBe('ECRU_ROOT_SECRET_ACCESS_KEY must be 16 to 128 printable characters without spaces.')
})

test('halves of pairs are refused', () => {
  expect(mistakesOf({ ECRU_TLS_CERT: 'cert.pem', ECRU_ROOT_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' })).toEqual([
    'ECRU_TLS_CERT and ECRU_TLS_KEY are needed together, each key for its certificate.',
    'ECRU_ROOT_ACCESS_KEY_ID and ECRU_ROOT_SECRET_ACCESS_KEY are needed together.',
  ])
})

test('an unknown variable is pointed to the nearest known one', () => {
  expect(readConfig({ ECRU_PROT: '1' }).warnings).toEqual([
    'ECRU_PROT is not a variable of Ecru; the nearest is ECRU_PORT.',
  ])
})

test('memory wins over a data directory, with a warning', () => {
  const { config, warnings } = readConfig({ ECRU_DATA_DIR: '/data' }, { ECRU_MEMORY: 'true' })
  expect(config.storage).toEqual({ kind: 'memory' })
  expect(warnings).toHaveLength(1)
})

describe('where it may listen', () => {
  const tls = { ECRU_TLS_CERT: 'cert.pem', ECRU_TLS_KEY: 'key.pem' }
  const anywhere = { ECRU_HOST: '0.0.0.0' }
  const server = { ...anywhere, ECRU_PROFILE: 'server' }

  test('dev stays on loopback, TLS or not', () => {
    expect(mistakesOf(anywhere)).toEqual([expect.stringContaining('ECRU_ALLOW_OPEN_ACCESS=true')])
    expect(mistakesOf({ ...anywhere, ...tls })).toHaveLength(1)
    expect(mistakesOf({ ...anywhere, ECRU_ALLOW_PLAIN_HTTP: 'true' })).toHaveLength(1)
  })

  test('dev listens elsewhere when told that everyone there is welcome', () => {
    expect(mistakesOf({ ...anywhere, ECRU_ALLOW_OPEN_ACCESS: 'true' })).toEqual([])
  })

  test('server needs TLS, or to be told that a proxy ends it', () => {
    expect(mistakesOf(server)).toEqual([expect.stringContaining('ECRU_ALLOW_PLAIN_HTTP=true')])
    expect(mistakesOf({ ...server, ECRU_ALLOW_OPEN_ACCESS: 'true' })).toHaveLength(1)
    expect(mistakesOf({ ...server, ...tls })).toEqual([])
    expect(mistakesOf({ ...server, ECRU_ALLOW_PLAIN_HTTP: 'true' })).toEqual([])
  })

  test('an own authority is TLS, for this machine too; standing in for AWS implies it', () => {
    const named = { ...server, ECRU_TLS_HOSTS: 'Registry.example.com, *.dkr.example.com' }
    expect(readConfig(named).config.tls).toEqual({
      kind: 'own-authority',
      hosts: ['registry.example.com', '*.dkr.example.com', 'localhost', '127.0.0.1', '::1'],
    })
    expect(mistakesOf({ ...named, ...tls })).toEqual([expect.stringContaining('exclude each other')])
    const { config, warnings } = readConfig({ ...server, ECRU_AWS_HOSTS: 'eu-west-3,cn-north-1' })
    const hosts = config.tls?.kind === 'own-authority' ? config.tls.hosts : []
    expect(hosts).toContain('*.dkr.ecr.eu-west-3.amazonaws.com')
    expect(hosts).toContain('api.ecr.cn-north-1.amazonaws.com.cn')
    expect(config.registryHost).toBe('{account}.dkr.ecr.{region}.amazonaws.com')
    expect(warnings).toEqual([expect.stringContaining('port 443')])
    expect(readConfig({ ECRU_AWS_HOSTS: 'cn-north-1', ECRU_PORT: '443' }).warnings).toEqual([])
    const behindProxy = { ...server, ECRU_AWS_HOSTS: 'eu-west-3', ECRU_ALLOW_PLAIN_HTTP: 'true' }
    expect(readConfig(behindProxy).config.tls).toBeUndefined()
  })

  test.each([
    { ECRU_TLS_HOSTS: 'a.example,' },
    { ECRU_TLS_HOSTS: 'https://a.example' },
    { ECRU_TLS_HOSTS: 'a.example:443' },
    { ECRU_TLS_HOSTS: '*.*.example' },
    { ECRU_AWS_HOSTS: 'Paris!' },
  ])('%p is refused', (environment) => expect(mistakesOf(environment)).toHaveLength(1))

  test('on loopback, server needs nothing', () => {
    expect(mistakesOf({ ECRU_PROFILE: 'server' })).toEqual([])
  })

  for (const host of ['127.0.0.1', '127.8.9.10', 'localhost', '::1']) {
    test(`${host} is loopback`, () => expect(isLoopbackHost(host)).toBeTrue())
  }
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.evil.example', 'localhost.example']) {
    test(`${host} is not`, () => expect(isLoopbackHost(host)).toBeFalse())
  }
})

test('the server profile refuses times that would endanger pushes in flight', () => {
  expect(mistakesOf({ ECRU_PROFILE: 'server', ECRU_GC_GRACE: '59m', ECRU_UPLOAD_EXPIRY: '23h' })).toHaveLength(2)
  expect(mistakesOf({ ECRU_GC_GRACE: '0', ECRU_UPLOAD_EXPIRY: '1m' })).toEqual([])
})

describe('the registry host template', () => {
  for (const template of ['registry.example.com', '{account}.dkr.ecr.{region}.example.com:5000', 'localhost:4566']) {
    test(`takes ${template}`, () => expect(mistakesOf({ ECRU_REGISTRY_HOST: template })).toEqual([]))
  }
  for (const template of [
    'https://registry.example.com',
    'example.com/path',
    '{tenant}.example.com',
    'a b',
    '-a.example',
  ]) {
    test(`refuses ${template}`, () => expect(mistakesOf({ ECRU_REGISTRY_HOST: template })).toHaveLength(1))
  }
  test('is filled in', () => {
    expect(registryHostFor('{account}.dkr.ecr.{region}.example.com', '123456789012', 'eu-west-3')).toBe(
      '123456789012.dkr.ecr.eu-west-3.example.com',
    )
  })
})
