import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import type { Subprocess } from 'bun'

const PROJECT = resolve(import.meta.dir, '../..')
const READY_WITHIN_MS = 20_000
const STOP_WITHIN_MS = 20_000
const PORT_ATTEMPTS = 5

export interface RegistryOptions {
  /** Keeps nothing on disk (`--memory`). */
  readonly memory?: boolean
  /** A directory that the caller owns and removes; without it a temporary one lives and dies with the process. */
  readonly dataDir?: string
  /** A port to come back to after a restart; without it a free one. */
  readonly port?: number
  /** More of `ECRU_*`, or anything else the process should see. */
  readonly env?: Readonly<Record<string, string>>
  /** More arguments of `ecru serve`. */
  readonly args?: readonly string[]
}

/** An Ecru of one's own: a real process on a loopback port. */
export interface RunningRegistry {
  readonly url: string
  /** `127.0.0.1:PORT`, as image references want it. */
  readonly host: string
  readonly port: number
  readonly dataDir: string
  readonly process: Subprocess
  /** The password of `docker login -u AWS`, fresh from GetAuthorizationToken. */
  password(): Promise<string>
  /** What the process has written to its standard output and error so far. */
  log(): Promise<string>
  /** Asks to end (SIGTERM), waits, removes what is temporary. Answers the exit code. Twice is harmless. */
  stop(): Promise<number>
  /** Ends it at once (SIGKILL) and waits; a data directory of the caller's stays as it was left. */
  kill(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** Starts `ecru serve` as a child process and waits until it says that it is ready. Throws with its log when it does not come up. */
export async function startRegistry(options: RegistryOptions = {}): Promise<RunningRegistry> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort())
    try {
      return await startOn(port, options)
    } catch (error) {
      // Between choosing a free port and binding it, someone else may take it.
      const portTaken = error instanceof Error && /EADDRINUSE|in use/i.test(error.message)
      if (!portTaken || options.port !== undefined || attempt === PORT_ATTEMPTS) throw error
    }
  }
}

async function startOn(port: number, options: RegistryOptions): Promise<RunningRegistry> {
  const scratch = await mkdtemp(join(tmpdir(), 'ecru-registry-'))
  const dataDir = options.dataDir ?? join(scratch, 'data')
  const logFile = join(scratch, 'log')
  const command = [...program(), 'serve']
  if (options.memory) command.push('--memory')
  const child = Bun.spawn([...command, ...(options.args ?? [])], {
    cwd: PROJECT,
    env: {
      ...ownEnvironment(),
      ECRU_HOST: '127.0.0.1',
      ECRU_PORT: String(port),
      ECRU_DATA_DIR: dataDir,
      ...options.env,
    },
    stdin: 'ignore',
    stdout: Bun.file(logFile),
    stderr: Bun.file(`${logFile}.err`),
  })
  const log = async () =>
    (await Promise.all([logFile, `${logFile}.err`].map((file) => readFile(file, 'utf8')))).join('')
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN_MS)
    const exitCode = await child.exited
    clearTimeout(forced)
    await rm(scratch, { recursive: true, force: true })
    return exitCode
  }
  const url = `http://127.0.0.1:${port}`
  try {
    await untilReady(url, child)
  } catch (error) {
    const said = await log()
    await end('SIGKILL')
    throw new Error(`Ecru did not come up on port ${port}: ${String(error)}\n${said}`)
  }
  return {
    url,
    host: `127.0.0.1:${port}`,
    port,
    dataDir,
    process: child,
    password: () => loginPassword(url),
    log,
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL')
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGTERM')
    },
  }
}

/** What to start: the sources, or the executable that `TEST_PROGRAM` names, to show that a build of them behaves the same. */
export function program(): readonly string[] {
  return process.env.TEST_PROGRAM?.split(' ') ?? [process.execPath, 'src/main.ts']
}

/** The environment without anything that would configure Ecru or AWS clients behind a test's back. */
export function ownEnvironment(): Record<string, string> {
  const kept: Record<string, string> = {}
  for (const [name, value] of Object.entries(process.env)) {
    if (value !== undefined && !/^(ECRU_|AWS_|DOCKER_|REGISTRY_AUTH_FILE|NODE_ENV$)/.test(name)) kept[name] = value
  }
  return kept
}

/** An ECR client of the AWS SDK for the account that a 12-digit access key means in the development profile. */
export function ecrClient(
  url: string,
  accessKeyId = '000000000000',
  region = 'us-east-1',
  secretAccessKey = 'test',
): ECRClient {
  return new ECRClient({ endpoint: url, region, credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 })
}

/** The password half of the first authorization token. */
export async function loginPassword(
  url: string,
  accessKeyId?: string,
  region?: string,
  secretAccessKey?: string,
): Promise<string> {
  const client = ecrClient(url, accessKeyId, region, secretAccessKey)
  try {
    const { authorizationData } = await client.send(new GetAuthorizationTokenCommand({}))
    const token = authorizationData?.[0]?.authorizationToken
    if (token === undefined) throw new Error('GetAuthorizationToken answered no token')
    return Buffer.from(token, 'base64').toString().slice('AWS:'.length)
  } finally {
    client.destroy()
  }
}

/** Waits until an Ecru says that it is ready. Throws when its process ends, or when it takes too long. */
export async function untilReady(url: string, child: Subprocess): Promise<void> {
  const deadline = Date.now() + READY_WITHIN_MS
  while (Date.now() < deadline) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`it ended with ${child.exitCode ?? child.signalCode}`)
    try {
      const answer = await fetch(`${url}/_ecru/ready`, { signal: AbortSignal.timeout(1_000) })
      if (answer.ok) return
    } catch {
      // not listening yet
    }
    await Bun.sleep(10)
  }
  throw new Error(`not ready within ${READY_WITHIN_MS} ms`)
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((listening, failed) => server.once('error', failed).listen(0, '127.0.0.1', listening))
  const address = server.address()
  await new Promise<void>((closed) => server.close(() => closed()))
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}
