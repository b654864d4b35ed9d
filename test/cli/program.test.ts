import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockDataDirectory } from '../../src/cli/data-lock.ts'
import { runCli } from '../../src/cli/program.ts'
import type { AppFactory } from '../../src/cli/running-app.ts'
import { variable, variableNames } from '../../src/config/env.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import type { Handler } from '../../src/protocols/http/context.ts'
import { type HttpServer, startHttpServer } from '../../src/protocols/http/server.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function run(line: readonly string[], env: Readonly<Record<string, string>> = {}, app: AppFactory = fakeApp()) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory, ...env })
  const exitCode = await runCli(line, terminal, app)
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

describe('help', () => {
  for (const command of ['serve', 'gc', 'scrub', 'info', 'env', 'version']) {
    test(`ecru ${command} --help has examples`, async () => {
      const { exitCode, said } = await run([command, '--help'])
      expect(exitCode).toBe(0)
      expect(said).toContain(`Usage: ecru ${command}`)
      expect(said).toContain(`Examples:\n  `)
    })
  }

  test('serve has an option for each variable that has one', async () => {
    const { said } = await run(['serve', '--help'])
    for (const name of variableNames) {
      const { flag } = variable(name)
      if (flag !== undefined) expect(said).toContain(flag)
    }
  })
})

describe('what is not understood ends with 2', () => {
  const lines = [
    [],
    ['nope'],
    ['gc', '--nope'],
    ['gc', 'stray'],
    ['serve', '--port'],
    ['serve', '--port', 'x'],
    ['env', '--shell', 'tcsh'],
  ]
  for (const line of lines) {
    test(`ecru ${line.join(' ')}`, async () => {
      const { exitCode, said, complained } = await run(line)
      expect(exitCode).toBe(2)
      expect(said).toBe('')
      expect(complained).not.toBe('')
    })
  }
})

test('version says the version', async () => {
  expect((await run(['version'])).said).toMatch(/^ecru \d+\.\d+\.\d+ \(bun /)
  expect((await run(['--version'])).said).toMatch(/^ecru \d+\.\d+\.\d+\n$/)
})

describe('without a server, the data directory is opened', () => {
  test('gc reports in words, and in JSON when asked', async () => {
    const words = await run(['gc', '--dry-run'])
    expect(words.exitCode).toBe(0)
    expect(words.said).toBe('dry run        yes\ndeleted blobs  2\nfreed          2.00 KiB\ntook           5 ms\n')
    const { said } = await run(['gc', '--json'])
    expect(JSON.parse(said)).toEqual({ isDryRun: false, deletedBlobs: 2, freedBytes: 2048, tookMs: 5 })
  })

  test('info says what it holds', async () => {
    const { said } = await run(['info'])
    expect(said).toContain('server          not running')
    expect(said).toContain('blob count      3')
    expect(said).toContain('size            5.00 MiB')
  })

  test('scrub fails when it finds a bad blob', async () => {
    const faults = [{ digest: 'sha256:abc', fault: 'corrupt' }]
    const { exitCode, said } = await run(['scrub'], {}, fakeApp({ scrub: async () => ({ faults }) }))
    expect(exitCode).toBe(1)
    expect(said).toContain('faults  sha256:abc  corrupt')
    expect((await run(['scrub'])).exitCode).toBe(0)
  })

  test('the application is closed and the directory released, whatever happens', async () => {
    let isClosed = false
    const app = fakeApp({
      collectGarbage: async () => {
        throw new Error('disk on fire')
      },
      close: async () => {
        isClosed = true
      },
    })
    const { exitCode, complained } = await run(['gc'], {}, app)
    expect(exitCode).toBe(1)
    expect(complained).toContain('disk on fire')
    expect(isClosed).toBeTrue()
    lockDataDirectory(directory, 'test').release()
  })

  test('a directory that is not there is not made', async () => {
    const { exitCode, complained } = await run(['gc', '--data-dir', join(directory, 'absent')])
    expect(exitCode).toBe(1)
    expect(complained).toContain('There is no data directory at')
    expect(await Bun.file(join(directory, 'absent')).exists()).toBeFalse()
  })
})

describe('with a server, it is asked', () => {
  let server: HttpServer
  let asked: { readonly line: string; readonly headers: Headers }[]
  let answer: Handler

  beforeEach(() => {
    asked = []
    answer = async () => Response.json({ isDryRun: true, deletedBlobs: 7 })
    const listening = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger: silentLogger }
    server = startHttpServer(listening, (request, context) => {
      asked.push({ line: `${request.method} ${request.url}`, headers: new Headers(request.headers) })
      return answer(request, context)
    })
  })

  afterEach(() => server.close(0))

  const noApp: AppFactory = () => Promise.reject(new Error('the data directory must not be opened'))

  test('the one that holds the data directory', async () => {
    const lock = lockDataDirectory(directory, 'serve')
    lock.announce(server.url)
    const { exitCode, said } = await run(['gc', '--dry-run'], {}, noApp)
    lock.release()
    expect([exitCode, said]).toEqual([0, 'dry run        yes\ndeleted blobs  7\n'])
    expect(asked.map(({ line }) => line)).toEqual([`POST ${server.url}/_ecru/gc?dryRun=true`])
    expect(asked[0]?.headers.has('authorization')).toBeFalse()
  })

  test('or the one that is named, signed when there is a key', async () => {
    const key = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI' }
    const { exitCode } = await run(['scrub', '--url', server.url], key, noApp)
    expect(exitCode).toBe(0)
    expect(asked[0]?.headers.get('authorization')).toStartWith('AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/')
    expect(asked[0]?.headers.get('authorization')).toContain('/us-east-1/ecr/aws4_request')
    expect(asked[0]?.headers.get('x-amz-content-sha256')).not.toBeNull()
  })

  test('a refusal is passed on, with the way out', async () => {
    answer = async () => Response.json({ message: 'Missing Authentication Token' }, { status: 400 })
    const { exitCode, complained } = await run(['gc', '--url', server.url], {}, noApp)
    expect(exitCode).toBe(1)
    expect(complained).toContain('Missing Authentication Token')
    expect(complained).toContain('Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY')
  })

  test('a server that is not there is a sentence, not a stack', async () => {
    const { url } = server
    await server.close(0)
    const { exitCode, complained } = await run(['info', '--url', url], {}, noApp)
    expect(exitCode).toBe(1)
    expect(complained).toStartWith(`The server at ${url} cannot be reached: `)
    expect(complained).not.toContain('    at ')
  })

  test('a directory that somebody else works on without a server is left alone', async () => {
    const lock = lockDataDirectory(directory, 'gc')
    const { exitCode, complained } = await run(['scrub'], {}, noApp)
    lock.release()
    expect(exitCode).toBe(1)
    expect(complained).toContain(`in use by \`ecru gc\` (process ${process.pid})`)
  })
})

describe('env', () => {
  test('prints what to eval', async () => {
    expect((await run(['env'])).said.split('\n')).toEqual([
      "export AWS_ENDPOINT_URL='http://127.0.0.1:4566'",
      "export AWS_REGION='us-east-1'",
      "export AWS_DEFAULT_REGION='us-east-1'",
      "export AWS_ACCESS_KEY_ID='000000000000'",
      "export AWS_SECRET_ACCESS_KEY='ecru'",
      'unset AWS_SESSION_TOKEN',
      'unset AWS_PROFILE',
      '',
    ])
  })

  test('in other shells as well', async () => {
    expect((await run(['env', '--shell', 'fish'])).said).toContain("set -gx AWS_REGION 'us-east-1'\n")
    expect((await run(['env', '--shell', 'powershell'])).said).toContain("$env:AWS_REGION = 'us-east-1'\n")
  })

  test('never prints the keys of the server profile', async () => {
    const { said } = await run(['env'], {
      ECRU_PROFILE: 'server',
      ECRU_ROOT_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE',
      ECRU_ROOT_SECRET_ACCESS_KEY: 'wJalrXUtnFEMIwJalrXUtnFEMI',
    })
    expect(said).not.toContain('wJalr')
    expect(said).not.toContain('AKIA')
  })

  test('follows a running server', async () => {
    const lock = lockDataDirectory(directory, 'serve')
    lock.announce('http://127.0.0.1:9999')
    const { said } = await run(['env'])
    lock.release()
    expect(said).toContain("AWS_ENDPOINT_URL='http://127.0.0.1:9999'")
  })
})
