import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import { invalidParameters } from '../../src/domain/errors.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string
let asked: readonly (readonly [string, object])[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
  asked = []
})
afterEach(() => rm(directory, { recursive: true, force: true }))

/** Runs a command on a data directory that no server holds; `answer` is what the installation says. */
async function run(line: readonly string[], answer: object | Error = {}) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const administer: RunningApp['administer'] = async (command, parameters) => {
    asked = [...asked, [command, parameters]]
    if (answer instanceof Error) throw answer
    return answer
  }
  const exitCode = await runCli(['admin', ...line], terminal, fakeApp({ administer }))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

test.each([
  [['account', 'create', '123456789012'], 'account/create', { account: '123456789012' }],
  [['account', 'list'], 'account/list', {}],
  [['public-alias', 'add', 'acme', '--primary'], 'public-alias/add', { name: 'acme', primary: 'true' }],
  [
    ['public-alias', 'add', 'acme', '--account', '123456789012'],
    'public-alias/add',
    { name: 'acme', account: '123456789012' },
  ],
  [['public-alias', 'list'], 'public-alias/list', {}],
  [['public-alias', 'remove', 'acme'], 'public-alias/remove', { name: 'acme' }],
  [['root', 'rotate', '--account', '123456789012'], 'root/rotate', { account: '123456789012' }],
  [['root', 'rotate'], 'root/rotate', {}],
  [
    ['token', 'create', '--user', 'ci', '--repositories', 'team/*', '--actions', 'pull,push', '--expires', '2d'],
    'token/create',
    { user: 'ci', repositories: 'team/*', actions: 'pull,push', seconds: '172800' },
  ],
  [
    ['token', 'create', '--user', 'ci', '--repositories', 'a', '--region', 'eu-west-3'],
    'token/create',
    { user: 'ci', repositories: 'a', actions: 'pull', seconds: '7776000', region: 'eu-west-3' },
  ],
  [['token', 'list'], 'token/list', {}],
  [['token', 'revoke', '0123456789abcdef'], 'token/revoke', { id: '0123456789abcdef' }],
  [['token-key', 'rotate'], 'token-key/rotate', {}],
  [['token-key', 'rotate', '--revoke'], 'token-key/rotate', { revoke: 'true' }],
  [
    ['session', 'revoke', 'arn:aws:iam::123456789012:role/r', '--before', '2026-01-01T00:00:00Z'],
    'session/revoke',
    { identity: 'arn:aws:iam::123456789012:role/r', before: '2026-01-01T00:00:00Z' },
  ],
] as const)('ecru admin %p asks for what it says', async (line, command, parameters) => {
  expect(await run(line)).toMatchObject({ exitCode: 0, complained: '' })
  expect(asked).toEqual([[command, parameters]])
})

test('lists are tables, everything else one fact to a line, and --json is for programs', async () => {
  const accounts = [{ accountId: '123456789012', rootKeyId: 'AKIA', createdAt: new Date(0) }]
  expect((await run(['account', 'list'], { accounts })).said).toMatch(
    /^accountId +rootKeyId +createdAt\n123456789012 +AKIA +1970-01-01T00:00:00\.000Z\n$/,
  )
  const made = { accessKeyId: 'AKIAMADE', secretAccessKey: 'shown once' }
  const { said } = await run(['account', 'create', '123456789012'], made)
  expect(said).toContain('AKIAMADE')
  expect(said).toContain('shown once')
  expect(JSON.parse((await run(['account', 'create', '123456789012', '--json'], made)).said)).toEqual(made)
})

test('aliases are a table, too', async () => {
  const one = { name: 'acme', registryId: '123456789012', status: 'ACTIVE', isPrimary: true, isDefault: false }
  expect((await run(['public-alias', 'list'], { aliases: [one] })).said).toMatch(
    /^name +registryId +status +isPrimary +isDefault\nacme +123456789012 +ACTIVE +true +false\n$/,
  )
})

test('what the installation refuses is told in its words', async () => {
  const refused = await run(['account', 'create', 'x'], invalidParameters('An account has twelve digits.'))
  expect(refused).toMatchObject({ exitCode: 1, complained: 'An account has twelve digits.\n' })
})

test.each([
  [['token', 'create', '--user', 'ci'], 2],
  [['token', 'create', '--user', 'ci', '--repositories', 'a', '--expires', 'soon'], 1],
  [['account', 'create'], 2],
  [['nonsense'], 2],
] as const)('%p is refused before anybody is asked', async (line, exitCode) => {
  expect((await run(line)).exitCode).toBe(exitCode)
  expect(asked).toEqual([])
})
