import { readConfig } from '../config/config.ts'
import { VERSION } from '../config/version.ts'
import { systemClock } from '../lib/clock.ts'
import { createLogger, type Logger } from '../lib/logger.ts'
import { ownMemory, QuietCollector } from '../lib/quiet-collector.ts'
import { besideAuthority } from '../protocols/http/authority.ts'
import { type HttpServer, startHttpServer } from '../protocols/http/server.ts'
import type { Certificates } from '../tls/certificates.ts'
import { openCertificates } from '../tls/open-certificates.ts'
import { type DataLock, lockDataDirectory } from './data-lock.ts'
import type { Invocation } from './invocation.ts'
import type { RunningApp } from './running-app.ts'
import { EXIT, type Terminal } from './terminal.ts'

type RootKey = NonNullable<RunningApp['firstRootKey']>

/**
 * `ecru serve`: runs until SIGTERM or SIGINT, then accepts nothing new, lets requests finish, and closes. Answers 1
 * when some had to be cut. A second signal ends the process at once.
 */
export async function serve({ options, terminal, createApp }: Invocation): Promise<number> {
  const { config, warnings } = readConfig(terminal.env, options)
  const logger = createLogger({ level: config.logLevel, format: config.logFormat })
  for (const warning of warnings) logger.warn({}, warning)
  const signalled = nextSignal()
  let lock: DataLock | undefined
  let app: RunningApp | undefined
  let certificates: Certificates | undefined
  try {
    if (config.storage.kind === 'directory') lock = lockDataDirectory(config.storage.path, 'serve')
    certificates = await openCertificates(config, systemClock)
    app = await createApp(config, logger)
    if (app.firstRootKey !== undefined) showRootKey(app.firstRootKey, terminal)
    const handle = besideAuthority(certificates?.authority, app.handle)
    const server = startHttpServer({ ...config, tls: certificates, logger }, handle)
    certificates?.watch(
      () => renewCertificates(server, logger),
      (error) => logger.error({ error }, 'the certificates cannot be renewed; the earlier ones stay'),
    )
    lock?.announce(server.url)
    app.start()
    collectWhenQuiet()
    const { profile } = config
    logger.info({ url: server.url, profile, version: VERSION, storage: config.storage.kind, pid: process.pid }, 'ready')
    logger.flush()
    const signal = await signalled
    return await shutDown(server, signal, config.shutdownTimeoutMs, logger)
  } finally {
    certificates?.close()
    await app?.close()
    lock?.release()
    logger.flush()
  }
}

const COLLECT_EVERY_MS = 2000

function collectWhenQuiet(): void {
  const collector = new QuietCollector(ownMemory)
  setInterval(() => collector.tick(COLLECT_EVERY_MS), COLLECT_EVERY_MS).unref()
}

function renewCertificates(server: HttpServer, logger: Logger): void {
  try {
    server.renewCertificates()
    logger.info({}, 'new certificates')
  } catch (thrown) {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    logger.error({ error }, 'the new certificates cannot be shown; the earlier ones stay')
  }
}

/** Beside the log, which must hold no secrets. */
function showRootKey({ accessKeyId, secretAccessKey }: RootKey, terminal: Terminal): void {
  terminal.err(
    `\nThe root key of this registry, made now and never shown again:\n\n  AWS_ACCESS_KEY_ID=${accessKeyId}\n  AWS_SECRET_ACCESS_KEY=${secretAccessKey}\n\n`,
  )
}

async function shutDown(server: HttpServer, signal: string, timeoutMs: number, logger: Logger): Promise<number> {
  logger.info({ signal }, 'shutting down')
  logger.flush()
  const cut = await server.close(timeoutMs)
  if (cut === 0) {
    logger.info({}, 'shut down')
    return EXIT.ok
  }
  logger.warn({ requests: cut }, 'shut down; requests that did not finish in time were cut')
  return EXIT.failed
}

/** npm passes on the Ctrl-C that the terminal has already delivered to the whole group: that is one keystroke, not two. */
const SAME_KEYSTROKE_MS = 500

/** Resolves with the first signal to end. Another one, unless it comes right after, ends the process at once. */
function nextSignal(): Promise<'SIGTERM' | 'SIGINT'> {
  return new Promise((resolve) => {
    let firstAt: number | undefined
    const listen = (signal: 'SIGTERM' | 'SIGINT', exitCode: number) =>
      process.on(signal, () => {
        if (firstAt !== undefined && performance.now() - firstAt > SAME_KEYSTROKE_MS) process.exit(exitCode)
        firstAt ??= performance.now()
        resolve(signal)
      })
    listen('SIGTERM', 143)
    listen('SIGINT', 130)
    if (process.env.npm_command === 'exec') whenOrphaned(() => resolve('SIGTERM'))
  })
}

/** npx gives the signals it gets to a shell, which dies of them without a word to us: its end has to serve as the signal. */
function whenOrphaned(end: () => void): void {
  const parent = process.ppid
  const watching = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(watching)
    end()
  }, 500)
  watching.unref()
}
