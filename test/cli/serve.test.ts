import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { rawClient } from '../protocols/http/raw-client.ts'

const PROJECT = resolve(import.meta.dir, '../..')
const TEST_MS = 20_000

let directory: string
const children: Served[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-serve-'))
})

afterEach(async () => {
  for (const { process } of children.splice(0)) {
    process.kill('SIGKILL')
    await process.exited
  }
  await rm(directory, { recursive: true, force: true })
})

type Env = Readonly<Record<string, string>>

/** `ecru serve` as a process of its own, with whatever it has written so far. */
class Served {
  readonly process: Bun.Subprocess<'ignore', 'pipe', 'pipe'>
  readonly #out: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>; cancel(): Promise<void> }
  readonly #decoder = new TextDecoder()
  #log = ''

  constructor(env: Env) {
    const { PATH = '' } = Bun.env
    this.process = Bun.spawn([process.execPath, 'src/main.ts', 'serve'], {
      cwd: PROJECT,
      env: { PATH, ECRU_PORT: '0', ECRU_DATA_DIR: directory, ...env },
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    this.#out = this.process.stdout.getReader()
    children.push(this)
  }

  /** Resolves with the log up to now once it says `text`; at the end of the log it resolves anyway. */
  async logUntil(text: string): Promise<string> {
    while (!this.#log.includes(text)) {
      const { done, value } = await this.#out.read()
      if (done) return this.#log
      this.#log += this.#decoder.decode(value, { stream: true })
    }
    return this.#log
  }

  async port(): Promise<number> {
    const log = await this.logUntil('"ready"')
    return Number(/"url":"http:\/\/127\.0\.0\.1:(\d+)"/.exec(log)?.[1])
  }

  /** What it wrote to standard error, once it has ended. */
  complaints(): Promise<string> {
    return new Response(this.process.stderr).text()
  }

  /** Nobody reads its log from now on. */
  closeLog(): Promise<void> {
    return this.#out.cancel()
  }
}

/** A request that stays in flight: its body never comes. */
async function unfinishedRequest(port: number) {
  const client = await rawClient(port)
  await client.send(
    'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nAction=',
  )
  await client.received('100 Continue')
  return client
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(
    `${signal} ends it with 0, and it leaves no claim on its directory`,
    async () => {
      const served = new Served({})
      const port = await served.port()
      expect(await (await fetch(`http://127.0.0.1:${port}/_ecru/health`)).json()).toEqual({ status: 'ok' })
      served.process.kill(signal)
      expect(await served.process.exited).toBe(0)
      expect(await served.logUntil('(the end)')).toContain('"shut down"')
      expect(await readdir(directory)).not.toContain('ecru.json')
    },
    TEST_MS,
  )
}

test(
  'what does not finish in time is cut, and the exit code says so',
  async () => {
    const served = new Served({ ECRU_SHUTDOWN_TIMEOUT: '50ms' })
    const client = await unfinishedRequest(await served.port())
    served.process.kill('SIGTERM')
    expect(await served.process.exited).toBe(1)
    await client.closed
    expect(await served.logUntil('(the end)')).toContain('"requests":1')
  },
  TEST_MS,
)

test(
  'a second signal ends it at once, but the same keystroke delivered twice is one',
  async () => {
    const served = new Served({ ECRU_SHUTDOWN_TIMEOUT: '1h' })
    await unfinishedRequest(await served.port())
    served.process.kill('SIGTERM')
    served.process.kill('SIGTERM')
    await served.logUntil('"shutting down"')
    expect(served.process.exitCode).toBeNull()
    const again = setInterval(() => served.process.kill('SIGINT'), 100)
    expect(await served.process.exited).toBe(130)
    clearInterval(again)
  },
  TEST_MS,
)

test(
  'it ends well when nobody reads its log',
  async () => {
    const served = new Served({})
    const port = await served.port()
    await served.closeLog()
    await fetch(`http://127.0.0.1:${port}/_ecru/health`)
    served.process.kill('SIGTERM')
    expect(await served.process.exited).toBe(0)
  },
  TEST_MS,
)

test(
  'a second one on the same port, or on the same directory, says what is wrong',
  async () => {
    const port = String(await new Served({}).port())
    const samePort = new Served({ ECRU_MEMORY: 'true', ECRU_PORT: port })
    expect(await samePort.process.exited).toBe(1)
    expect(await samePort.complaints()).toStartWith(`Port ${port} on 127.0.0.1 is already in use`)
    const sameDirectory = new Served({})
    expect(await sameDirectory.process.exited).toBe(1)
    expect(await sameDirectory.complaints()).toStartWith(`The data directory ${directory} is in use by \`ecru serve\``)
  },
  TEST_MS,
)

test(
  'mistakes in the configuration end it with 2',
  async () => {
    const served = new Served({ ECRU_HOST: '0.0.0.0' })
    expect(await served.process.exited).toBe(2)
    expect(await served.complaints()).toStartWith('The dev profile makes every caller an administrator')
  },
  TEST_MS,
)

describe('a data directory without its metadata', () => {
  const blob = () => join(directory, 'blobs', 'sha256', 'ab', `ab${'0'.repeat(62)}`)

  test.each([
    ['is absent', undefined],
    ['is empty', ''],
  ])(
    'is not begun anew when there are blobs and the file %s: they would be garbage',
    async (_, content) => {
      await Bun.write(blob(), 'bytes')
      if (content !== undefined) await Bun.write(join(directory, 'metadata.db'), content)
      const served = new Served({})
      expect(await served.process.exited).toBe(1)
      expect(await served.complaints()).toStartWith(
        `There are blobs beside ${join(directory, 'metadata.db')}, but it is not there`,
      )
      expect(await Bun.file(blob()).text()).toBe('bytes')
    },
    TEST_MS,
  )

  test(
    'is refused in one sentence when they are damaged',
    async () => {
      await Bun.write(join(directory, 'metadata.db'), 'no database at all '.repeat(1000))
      const served = new Served({})
      expect(await served.process.exited).toBe(1)
      expect(await served.complaints()).toMatch(/^The metadata in \S+ are damaged: file is not a database\. .*\n$/)
    },
    TEST_MS,
  )
})

describe('the root key of the server profile', () => {
  test(
    'is shown once, and not in the log',
    async () => {
      const first = new Served({ ECRU_PROFILE: 'server' })
      await first.port()
      first.process.kill('SIGTERM')
      await first.process.exited
      const shown = await first.complaints()
      const [, secret = 'none'] = /AWS_SECRET_ACCESS_KEY=(\S+)/.exec(shown) ?? []
      expect(shown).toContain('AWS_ACCESS_KEY_ID=')
      expect(secret.length).toBeGreaterThanOrEqual(40)
      expect(await first.logUntil('(the end)')).not.toContain(secret)

      const second = new Served({ ECRU_PROFILE: 'server' })
      await second.port()
      second.process.kill('SIGTERM')
      await second.process.exited
      expect(await second.complaints()).toBe('')
    },
    TEST_MS,
  )
})
