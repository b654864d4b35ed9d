import type { Server } from 'bun'
import type { Logger } from '../../lib/logger.ts'
import type { Certificates } from '../../tls/certificates.ts'
import { ClientGone } from './body.ts'
import type { Handler } from './context.ts'
import type { TrustedProxies } from './forwarded.ts'
import { LAYER_DOWNLOADS_PATH, pathOf } from './router.ts'
import { ServedRequest } from './served-request.ts'

export interface HttpServerOptions {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
  /** The port speaks HTTPS with these; not ours to close. */
  readonly tls: Certificates | undefined
  /** From 8 s to 255 s; the clock behind it ticks every 4 s. */
  readonly idleTimeoutMs: number
  readonly logger: Logger
  /** What they say of their clients is believed; nobody else's word is. */
  readonly trustedProxies?: TrustedProxies | undefined
}

/** A listening socket with a handler behind it. */
export interface HttpServer {
  readonly port: number
  /** Where this machine reaches it, such as `http://127.0.0.1:4566`. */
  readonly url: string
  /** Shows the certificates of now to clients that come from now on; those that are here go on as they are. */
  renewCertificates(): void
  /**
   * Accepts nothing new, lets requests in flight finish, and cuts what is left after `timeoutMs`.
   * Answers how many requests had to be cut. The second time, it is the first one's answer.
   */
  close(timeoutMs: number): Promise<number>
}

/** The server cannot listen; the message is a whole sentence for the operator. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

/** From this size on, a download that breaks off is worth a line of its own. */
const LONG_DOWNLOAD_BYTES = 1024 * 1024
const LOGGED_PATH_MAX = 300

/** Listens, gives every request its context, and logs one line for each. Throws `ListenError`. */
export function startHttpServer(options: HttpServerOptions, handle: Handler): HttpServer {
  const { logger, tls, trustedProxies = [] } = options
  const active = new Set<ServedRequest>()
  const idleTimeoutSeconds = Math.ceil(options.idleTimeoutMs / 1000)
  const logsRequests = logger.isEnabled('info')

  const answer = async (request: Request, server: Server<undefined>): Promise<Response> => {
    const context = new ServedRequest(request, server, tls !== undefined, trustedProxies)
    active.add(context)
    let response: Response
    try {
      response = await handle(request, context)
    } catch (failure) {
      response = lastResort(failure, context.requestId, logger)
    } finally {
      active.delete(context)
    }
    if (logsRequests) logRequest(logger, request, response, context)
    return response
  }

  if (tls !== undefined && options.port !== 0) checkFree(options, answer)
  let server = listen(options, options.port, idleTimeoutSeconds, answer)
  const port = server.port ?? 0
  /** Servers of earlier certificates, until their last client has left. */
  const leaving = new Set<Server<undefined>>()
  // Bun's idle clock also runs while a handler works. It is wound up again here unless the client is the one to wait for.
  const rewinding = setInterval(
    () => {
      for (const context of active) {
        if (context.isWorkingOrProgressed()) context.rewind(idleTimeoutSeconds)
      }
    },
    Math.max(options.idleTimeoutMs / 4, 1000),
  )
  rewinding.unref()

  let closing: Promise<number> | undefined
  return {
    port,
    url: reachableUrl(options, port),
    renewCertificates() {
      if (closing !== undefined) return
      const earlier = server
      server = listen(options, port, idleTimeoutSeconds, answer)
      leaving.add(earlier)
      earlier.stop().finally(() => leaving.delete(earlier))
    },
    close(timeoutMs) {
      closing ??= drain([server, ...leaving], timeoutMs).finally(() => clearInterval(rewinding))
      return closing
    },
  }
}

/** What has been cut is given so long to notice it. */
const CUT_MS = 1000

async function drain(servers: readonly Server<undefined>[], timeoutMs: number): Promise<number> {
  const stopped = Promise.all(servers.map((server) => server.stop()))
  const isDrained = await Promise.race([stopped.then(() => true), Bun.sleep(timeoutMs).then(() => false)])
  if (isDrained) return 0
  const cut = servers.reduce((sum, { pendingRequests }) => sum + pendingRequests, 0)
  await Promise.race([Promise.all(servers.map((server) => server.stop(true))), Bun.sleep(CUT_MS)])
  return cut
}

/** A port that is shared with the servers of later certificates would be shared with another process too: is there one? */
function checkFree(options: HttpServerOptions, answer: Answer): void {
  listen({ ...options, tls: undefined }, options.port, 1, answer).stop(true)
}

type Answer = (request: Request, server: Server<undefined>) => Promise<Response>

function listen(
  { host, tls, logger }: HttpServerOptions,
  port: number,
  idleTimeout: number,
  fetch: Answer,
): Server<undefined> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      idleTimeout,
      development: false,
      // Said aloud, because outside development Bun shares ports (SO_REUSEPORT). Only servers of later certificates may join.
      reusePort: tls !== undefined,
      // Layers are as large as they are; the planes limit every other body.
      maxRequestBodySize: Number.MAX_SAFE_INTEGER,
      ...(tls === undefined ? {} : { tls: shown(tls) }),
      fetch,
      error: (failure) => lastResort(failure, 'unknown', logger),
    })
  } catch (failure) {
    throw new ListenError(listenSentence(failure, host, port), { cause: failure })
  }
}

/** Each certificate under the names that clients may ask for; the first also for all others. */
function shown(tls: Certificates): Bun.TLSOptions[] {
  const [first, ...others] = tls.current()
  if (first === undefined) return []
  const options = ({ certificate, privateKey }: typeof first) => ({ cert: certificate, key: privateKey })
  return [
    options(first),
    ...[first, ...others].flatMap((served) => served.hosts.map((serverName) => ({ ...options(served), serverName }))),
  ]
}

function listenSentence(failure: unknown, host: string, port: number): string {
  const { code, message } = failure as { readonly code?: string; readonly message?: string }
  if (code === 'EADDRINUSE')
    return `Port ${port} on ${host} is already in use: stop what listens there, or choose another with ECRU_PORT.`
  if (code === 'EACCES')
    return `This user may not listen on port ${port} of ${host}: choose one above 1023 with ECRU_PORT.`
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine: see ECRU_HOST.`
  return `The server cannot listen on ${host}:${port}: ${message ?? String(failure)}.`
}

/** Only a fault of a plane's own error handling ends here: nothing of it reaches the client but the id to ask about. */
function lastResort(failure: unknown, requestId: string, logger: Logger): Response {
  if (failure instanceof ClientGone) return new Response(null, { status: 400 })
  const error = failure instanceof Error ? failure : new Error(String(failure))
  if ('code' in error && (error.code === 'EMFILE' || error.code === 'ENFILE')) return crowded(logger)
  logger.error({ requestId, error }, 'a request failed unexpectedly')
  return Response.json({ message: 'Internal error', requestId }, { status: 500 })
}

/** A file that was to be sent could not be opened, as clients hold all descriptors. */
function crowded(logger: Logger): Response {
  logger.warn({}, 'no file can be opened: too many connections; see `ulimit -n`, LimitNOFILE')
  return Response.json(
    { errors: [{ code: 'TOOMANYREQUESTS', message: 'Too many connections' }] },
    { status: 429, headers: { 'retry-after': '1' } },
  )
}

function logRequest(logger: Logger, request: Request, response: Response, context: ServedRequest): void {
  const isGone = context.isClientGone()
  const path = pathOf(request.url)
  const length = response.headers.get('content-length')
  const facts = {
    requestId: context.requestId,
    method: request.method,
    path: path.startsWith(LAYER_DOWNLOADS_PATH) ? LAYER_DOWNLOADS_PATH : path.slice(0, LOGGED_PATH_MAX),
    status: isGone ? 499 : response.status,
    bytes: length === null ? undefined : Number(length),
    ms: context.elapsedMs(),
    principal: context.principal,
    remote: context.remoteAddress,
  }
  if (response.status >= 500 && !isGone) logger.error(facts, 'request')
  else logger.info(facts, 'request')
  if (length !== null && Number(length) >= LONG_DOWNLOAD_BYTES && request.method === 'GET') {
    const { requestId } = context
    request.signal.addEventListener('abort', () => {
      logger.info({ requestId, ms: context.elapsedMs() }, 'the client left before the download was complete')
    })
  }
}

function reachableUrl({ host, tls }: HttpServerOptions, port: number): string {
  const anyAddress = host === '0.0.0.0' || host === '::'
  const reachable = anyAddress ? '127.0.0.1' : host
  return `${tls === undefined ? 'http' : 'https'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}
