import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MIRROR_PLANS, type MirrorRequest } from '../../src/cli/mirror-plans.ts'
import { runCli } from '../../src/cli/program.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string
let server: ReturnType<typeof Bun.serve>
let rules: object[]
const asked: { target: string | null; authorization: string | null; body: string }[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-mirror-'))
  asked.length = 0
  rules = [
    { ecrRepositoryPrefix: 'hub', upstreamRegistryUrl: 'registry-1.docker.io' },
    { ecrRepositoryPrefix: 'prom', upstreamRegistryUrl: 'quay.io', upstreamRepositoryPrefix: 'prometheus' },
  ]
  server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    async fetch(request) {
      const { headers } = request
      const body = await request.text()
      asked.push({ target: headers.get('x-amz-target'), authorization: headers.get('authorization'), body })
      const isFirst = !body.includes('more')
      return Response.json({
        pullThroughCacheRules: [rules[isFirst ? 0 : 1]].filter(Boolean),
        ...(isFirst && rules[1] ? { nextToken: 'more' } : {}),
      })
    },
  })
})
afterEach(async () => {
  await server.stop(true)
  await rm(directory, { recursive: true, force: true })
})

async function print(...line: readonly string[]) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: join(directory, 'data'), HOME: directory })
  const url = ['--url', `http://127.0.0.1:${server.port}`]
  const exitCode = await runCli(['mirror', 'print', ...line, ...url], terminal, fakeApp({}))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

describe('ecru mirror print', () => {
  test('reads the rules of the server, all pages of them', async () => {
    await writeFile(join(directory, 'token'), 'ecru_token\n')
    const address = ['--address', 'https://r.example.com', '--token-file', join(directory, 'token')]
    const { exitCode, said, complained } = await print('containerd', ...address)
    expect([exitCode, complained]).toEqual([0, ''])
    expect(said).toContain("cat > '/etc/containerd/certs.d/docker.io/hosts.toml'")
    expect(said).toContain('server = "https://registry-1.docker.io"\n\n[host."https://r.example.com"]')
    expect(said).toContain("install -m 600 /dev/null '/etc/containerd/certs.d/quay.io/hosts.toml'")
    expect(said).toContain(`authorization = "Basic ${Buffer.from('AWS:ecru_token').toString('base64')}"`)
    expect(asked.map(({ target }) => target)).toEqual(
      Array(2).fill('AmazonEC2ContainerRegistry_V20150921.DescribePullThroughCacheRules'),
    )
    expect(asked[0]?.authorization).toStartWith('AWS4-HMAC-SHA256 Credential=000000000000/')
  })

  test('says what clients without a token need', async () => {
    const { said, complained } = await print('docker')
    expect(said).toContain('ECRU_MIRROR_HOSTS=127.0.0.1')
    expect(complained).toContain('ECRU_MIRROR_USER')
  })

  test('says what is wrong', async () => {
    expect((await print('winamp')).complained).toContain('containerd, docker, podman, k3s')
    expect((await print('docker', '--address', 'r.example.com')).complained).toContain('--address must be')
    expect((await print('docker', '--token-file', join(directory, 'none'))).complained).toContain('cannot be read')
    rules = []
    expect((await print('docker')).complained).toContain('no pull-through cache rule')
  })
})

describe('what each client needs', () => {
  const request: MirrorRequest = {
    url: new URL('http://r.example.com:4566'),
    caches: [
      { original: 'docker.io', upstreamPrefix: '', prefix: 'hub' },
      { original: 'quay.io', upstreamPrefix: 'prometheus', prefix: 'prom' },
      { original: 'ghcr.io', upstreamPrefix: '', prefix: '' },
    ],
    token: undefined,
    has: () => false,
  }

  test('podman: other names, so each rule is a mirror of its own', () => {
    const content = MIRROR_PLANS.podman(request).files[0]?.content ?? ''
    expect(content).toContain(
      'prefix = "docker.io"\nlocation = "docker.io"\n\n[[registry.mirror]]\nlocation = "r.example.com:4566/hub"\ninsecure = true',
    )
    expect(content).toContain('prefix = "quay.io/prometheus"')
    expect(content).toContain('location = "r.example.com:4566/prom"')
    expect(content).toContain('location = "r.example.com:4566"\n')
  })

  test('docker: one mirror; a file that is there is not overwritten', () => {
    const [file] = MIRROR_PLANS.docker(request).files
    expect(JSON.parse(file?.content ?? '')).toEqual({
      'registry-mirrors': ['http://r.example.com:4566'],
      'insecure-registries': ['r.example.com:4566'],
    })
    const beside = MIRROR_PLANS.docker({ ...request, has: () => true })
    expect([beside.files, beside.notes[0]]).toEqual([[], expect.stringContaining('registry-mirrors')])
  })

  test('k3s: the login is in a file that only root reads', () => {
    const [file] = MIRROR_PLANS.k3s({ ...request, token: 't' }).files
    expect(file).toMatchObject({ path: '/etc/rancher/k3s/registries.yaml', mode: 0o600 })
    expect(file?.content).toContain('  "docker.io":\n    endpoint:\n      - "http://r.example.com:4566"\n')
    expect(file?.content).toContain(
      'configs:\n  "r.example.com:4566":\n    auth:\n      username: AWS\n      password: "t"\n',
    )
  })
})
