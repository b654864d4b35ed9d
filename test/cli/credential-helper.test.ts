import { afterEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ownEnvironment, program } from '../support/start-registry.ts'

const servers: Bun.Server<undefined>[] = []
const directories: string[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop(true)
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true })
})

/** A registry that answers every request for a login in the same way. */
function registry(status: number, answer: object) {
  const requests: { readonly authorization: string; readonly body: string }[] = []
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    fetch: async (request) => {
      requests.push({ authorization: request.headers.get('authorization') ?? '', body: await request.text() })
      return Response.json(answer, { status })
    },
  })
  servers.push(server)
  return { host: `127.0.0.1:${server.port}`, requests }
}

/** The helper as docker calls it: in a process of its own, where AWS's settings are looked up. */
async function help(action: string, input: string, env: Readonly<Record<string, string>> = {}) {
  const home = await mkdtemp(join(tmpdir(), 'ecru-helper-'))
  directories.push(home)
  const child = Bun.spawn([...program(), 'credential-helper', action], {
    env: { ...ownEnvironment(), HOME: home, AWS_EC2_METADATA_DISABLED: 'true', ...env },
    stdin: new TextEncoder().encode(input),
    stdout: 'pipe',
    stderr: 'pipe',
  })
  const said = await new Response(child.stdout).text()
  return { exitCode: await child.exited, said }
}

const KEY = { AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'eu-west-3' }
const TOKEN = { authorizationData: [{ authorizationToken: Buffer.from('AWS:password').toString('base64') }] }

describe('the credential helper', () => {
  test('answers a login, with the caller’s key and region', async () => {
    const { host, requests } = registry(200, TOKEN)
    const { exitCode, said } = await help('get', `${host}\n`, KEY)
    expect([exitCode, JSON.parse(said)]).toEqual([0, { ServerURL: host, Username: 'AWS', Secret: 'password' }])
    expect(requests[0]?.authorization).toContain('Credential=AKIAEXAMPLE/')
    expect(requests[0]?.authorization).toContain('/eu-west-3/ecr/aws4_request')
  })

  test('takes account and region from a host of ECR’s form', async () => {
    const { host, requests } = registry(200, TOKEN)
    const env = { ...KEY, AWS_ENDPOINT_URL_ECR: `http://${host}` }
    await help('get', '123456789012.dkr.ecr.us-west-2.registry.example.com', env)
    expect(requests[0]?.authorization).toContain('/us-west-2/ecr/aws4_request')
    expect(JSON.parse(requests[0]?.body ?? '')).toEqual({ registryIds: ['123456789012'] })
  })

  test('without credentials docker is told to go on without a login', async () => {
    const { host, requests } = registry(200, TOKEN)
    const { exitCode, said } = await help('get', host, { AWS_REGION: 'eu-west-3' })
    expect([exitCode, said, requests]).toEqual([1, 'credentials not found in native keychain\n', []])
  })

  test('repeats why the registry refuses', async () => {
    const { host } = registry(400, { message: 'The security token included in the request is invalid.' })
    const { exitCode, said } = await help('get', host, KEY)
    expect([exitCode, said]).toEqual([1, expect.stringContaining('The security token included')])
  })

  test('has nothing to store or erase, and says what is wrong', async () => {
    expect(await help('erase', 'registry.example.com')).toEqual({ exitCode: 0, said: '' })
    expect(await help('list', '')).toEqual({ exitCode: 0, said: '{}\n' })
    expect((await help('store', '{}')).said).toContain('nothing is stored')
    expect((await help('dance', '')).said).toContain('none of get, store')
    expect((await help('get', '')).said).toContain('not a registry')
    const { AWS_REGION: _region, ...key } = KEY
    expect((await help('get', 'registry.example.com', key)).said).toContain('set AWS_REGION')
  })
})
