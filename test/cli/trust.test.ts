import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import { TRUST_PLANS, type TrustRequest } from '../../src/cli/trust-plans.ts'
import { besideAuthority } from '../../src/protocols/http/authority.ts'
import { type HttpServer, startHttpServer } from '../../src/protocols/http/server.ts'
import { openOwnAuthority } from '../../src/tls/own-authority.ts'
import { memoryLogger } from '../protocols/http/memory-logger.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string
const servers: HttpServer[] = []
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-trust-'))
})
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close(0)
  await rm(directory, { recursive: true, force: true })
})

const clock = new FakeClock(new Date().toISOString())

async function run(line: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: join(directory, 'data'), HOME: directory, ...env })
  const exitCode = await runCli(['trust', ...line], terminal, fakeApp({}))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

/** A server of an own authority; `undefined` for one without. */
async function serve(hasAuthority: boolean): Promise<{ url: string; authority: string }> {
  const certificates = await openOwnAuthority(undefined, ['127.0.0.1'], clock)
  const { authority = '' } = certificates
  const handler = besideAuthority(hasAuthority ? authority : undefined, async () => new Response('other'))
  const options = { host: '127.0.0.1', port: 0, tls: certificates, idleTimeoutMs: 60_000, logger: memoryLogger() }
  const server = startHttpServer(options, handler)
  servers.push(server)
  return { url: server.url, authority }
}

describe('ecru trust', () => {
  test('prints a script that writes the authority where the client looks for it', async () => {
    const { url, authority } = await serve(true)
    const { exitCode, said, complained } = await run(['docker', '--url', url, '--host', 'registry.example.com:8443'])
    expect(exitCode).toBe(0)
    expect(said).toContain("mkdir -p '/etc/docker/certs.d/registry.example.com:8443'\n")
    expect(said).toContain(authority.trim())
    expect(complained).toContain(new X509Certificate(authority).fingerprint256)
  })

  test('takes the authority of a server that stands still from its data directory', async () => {
    const { authority } = await openOwnAuthority(join(directory, 'data', 'tls'), ['localhost'], clock)
    const { said } = await run(['podman', '--host', 'localhost:4566'])
    expect(said).toContain(authority?.trim() ?? '?')
  })

  test('goes on only with the expected fingerprint, however it is written', async () => {
    const { url, authority } = await serve(true)
    const { fingerprint256 } = new X509Certificate(authority)
    const plain = `sha256:${fingerprint256.replaceAll(':', '').toLowerCase()}`
    for (const fingerprint of [fingerprint256, plain])
      expect((await run(['docker', '--url', url, '--fingerprint', fingerprint])).exitCode).toBe(0)
    const other = await run(['docker', '--url', url, '--fingerprint', fingerprint256.replace(/^../, '00'), '--write'])
    expect([other.exitCode, other.said, other.complained]).toEqual([1, '', expect.stringContaining('not the one')])
  })

  test('says what is wrong', async () => {
    const { url } = await serve(false)
    expect((await run(['docker', '--url', url])).complained).toContain('hands out no certificate authority')
    expect((await run(['winamp', '--url', url])).complained).toContain('docker, podman, containerd, k3s, system')
    expect((await run(['docker'])).complained).toContain('--data-dir')
    await mkdir(join(directory, 'data'))
    expect((await run(['docker'])).complained).toContain('ECRU_TLS_HOSTS')
    const odd = await run(['docker', '--url', (await serve(true)).url, '--host', '../../etc'])
    expect(odd.complained).toContain('is not a host')
  })
})

describe('what each client needs', () => {
  const request: TrustRequest = {
    authority: 'PEM\n',
    hosts: ['r.example', 's.example:8443'],
    isRoot: false,
    home: '/home/ann',
    has: () => false,
  }
  const pathsOf = (client: keyof typeof TRUST_PLANS, more: Partial<TrustRequest> = {}) =>
    TRUST_PLANS[client]({ ...request, ...more }).files.map(({ path }) => path)

  test('podman has a place for each user', () => {
    expect(pathsOf('podman')[0]).toBe('/home/ann/.config/containers/certs.d/r.example/ca.crt')
    expect(pathsOf('podman', { isRoot: true })[1]).toBe('/etc/containers/certs.d/s.example:8443/ca.crt')
  })

  test('k3s: a file that is there is not overwritten', () => {
    expect(pathsOf('k3s')).toEqual(['/etc/rancher/k3s/ecru-ca.crt', '/etc/rancher/k3s/registries.yaml'])
    expect(pathsOf('k3s', { has: () => true })).toEqual(['/etc/rancher/k3s/ecru-ca.crt'])
    expect(TRUST_PLANS.k3s({ ...request, has: () => true }).notes[0]).toContain('"s.example:8443"')
  })

  test('the system: as its family does it', () => {
    expect(TRUST_PLANS.system(request).commands).toEqual([['update-ca-certificates']])
    expect(TRUST_PLANS.system({ ...request, has: () => true }).commands).toEqual([['update-ca-trust']])
  })
})
