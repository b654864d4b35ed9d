import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { type HttpServer, startHttpServer } from '../../src/protocols/http/server.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string
let server: HttpServer
let asked: string[]
let answer: () => Response

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
  asked = []
  const listening = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger: silentLogger }
  server = startHttpServer(listening, async (request) => {
    const authorization = request.headers.has('authorization') ? ' signed' : ''
    asked.push(`${request.method} ${new URL(request.url).pathname} ${await request.text()}${authorization}`)
    return answer()
  })
})

afterEach(async () => {
  await server.close(0)
  await rm(directory, { recursive: true, force: true })
})

async function run(...line: readonly string[]) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(line, terminal, fakeApp())
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

describe('help', () => {
  for (const command of ['clock', 'reset'])
    test(`ecru ${command} --help has examples`, async () => {
      const { exitCode, said } = await run(command, '--help')
      expect(exitCode).toBe(0)
      expect(said).toContain(`Examples:\n  ecru ${command}`)
    })

  for (const line of [
    ['clock', 'now'],
    ['clock', '--advance'],
    ['reset', 'app'],
    ['reset', '--all'],
  ])
    test(`ecru ${line.join(' ')} is not understood`, async () => {
      expect((await run(...line)).exitCode).toBe(2)
    })
})

describe('clock', () => {
  beforeEach(() => {
    answer = () => Response.json({ now: '2026-03-02T08:00:00.000Z', offsetSeconds: 2_592_000 })
  })

  test('says what time it is', async () => {
    expect(await run('clock', '--url', server.url)).toEqual({
      exitCode: 0,
      said: 'now    2026-03-02T08:00:00.000Z\nahead  30 d 0 h\n',
      complained: '',
    })
    expect(asked).toEqual(['GET /_ecru/clock '])
  })

  test('is moved by a duration', async () => {
    const { said } = await run('clock', '--advance', '30d', '--json', '--url', server.url)
    expect(JSON.parse(said)).toEqual({ now: '2026-03-02T08:00:00.000Z', offsetSeconds: 2_592_000 })
    await run('clock', '--advance', '1500ms', '--url', server.url)
    expect(asked).toEqual(['POST /_ecru/clock {"advanceSeconds":2592000}', 'POST /_ecru/clock {"advanceSeconds":1.5}'])
  })

  test('is not moved by what is no duration', async () => {
    for (const text of ['30', 'tomorrow', '']) {
      const { exitCode, complained } = await run('clock', '--advance', text, '--url', server.url)
      expect(exitCode).toBe(1)
      expect(complained).toBe(`--advance must be a duration such as 90s, 12h or 30d, not '${text}'.\n`)
    }
    expect(asked).toEqual([])
  })

  test('says why the server refuses', async () => {
    answer = () => Response.json({ message: 'There is nothing here.' }, { status: 404 })
    const { exitCode, complained } = await run('clock', '--url', server.url)
    expect(exitCode).toBe(1)
    expect(complained).toBe(`${server.url} refused (404): There is nothing here.\n`)
  })
})

describe('reset', () => {
  beforeEach(() => {
    answer = () => Response.json({ repositories: 3 })
  })

  test('does nothing without --yes but say what it would do', async () => {
    const all = await run('reset', '--url', server.url)
    expect(all.exitCode).toBe(1)
    expect(all.complained).toBe(
      'This would delete every repository, setting, policy and template. Give --yes to do it.\n',
    )
    const one = await run('reset', '--repository', 'team/app', '--region', 'eu-west-3', '--url', server.url)
    expect(one.complained).toBe('This would delete the repository team/app in eu-west-3. Give --yes to do it.\n')
    expect(asked).toEqual([])
  })

  test('is as wide as is said', async () => {
    expect(await run('reset', '--yes', '--url', server.url)).toEqual({
      exitCode: 0,
      said: 'repositories  3\n',
      complained: '',
    })
    await run('reset', '--yes', '--account', '123456789012', '--region', 'eu-west-3', '--url', server.url)
    await run('reset', '--yes', '--repository', 'team/app', '--json', '--url', server.url)
    expect(asked).toEqual([
      'POST /_ecru/reset {}',
      'POST /_ecru/reset {"account":"123456789012","region":"eu-west-3"}',
      'POST /_ecru/reset {"repository":"team/app"}',
    ])
  })
})

test('both are of a running server', async () => {
  for (const line of [['clock'], ['reset', '--yes']]) {
    const { exitCode, complained } = await run(...line)
    expect(exitCode).toBe(1)
    expect(complained).toContain('No server runs here')
  }
})
