import { type ClientRequest, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { upstreamDenied, upstreamUnavailable, upstreamWrong } from '../domain/upstream-errors.ts'
import { type ConnectionRules, FetchRefused, judgedConnection, judgedPlace, parseAddress } from './judged-connection.ts'
import { type Received, readingRequest } from './reading-request.ts'

/** How other registries are asked. */
export interface ExchangeSettings extends ConnectionRules {
  /** How long an answer may take to begin, from the end of the request. */
  readonly answerMs: number
  /** How long a body, either way, may stand still. */
  readonly stallMs: number
}

export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Bytes, or a stream of them; a stream is taken no faster than it can be sent, and a chunk is let go before the next is asked for. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array> | undefined
  readonly signal?: AbortSignal | undefined
}

/** An answer whose body has not been read. Whoever gets it reads the body or calls `discard`. */
export interface Answer {
  readonly status: number
  readonly url: URL
  header(name: string): string | undefined
  /** Chunk by chunk, no faster than they are asked for; ends the connection when left. Throws `upstream-unavailable`. */
  body(): AsyncGenerator<Uint8Array, void, void>
  discard(): void
}

const REDIRECTS_MAX = 5
const REDIRECTS = [301, 302, 303, 307, 308]

/**
 * One request to one address, one answer; redirects are answers. Throws `upstream-unavailable` (no connection, no answer
 * in time), `upstream-denied` (an address that must not be asked); what the body throws passes as it is.
 */
export async function exchange(url: URL, request: Exchange, settings: ExchangeSettings): Promise<Answer> {
  const { signal } = request
  const abort = new AbortController()
  const watch = new Watch(abort, url.host)
  const onAbort = () => abort.abort(signal?.reason)
  const send = await judged(url, request, settings, abort.signal, watch)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  const leave = () => {
    watch.end()
    signal?.removeEventListener('abort', onAbort)
    abort.abort()
  }
  watch.allow(settings.answerMs)
  try {
    return answerOf(await send(), url, watch, settings, leave)
  } catch (cause) {
    leave()
    if (signal?.aborted === true) throw signal.reason
    if (cause instanceof BodyFailed) throw cause.cause
    throw isOurs(cause) ? cause : unreachable(url, watch, cause)
  }
}

/** The same, following redirects of a GET or HEAD. What is secret does not go to another host, and nothing leaves TLS. */
export async function exchangeAcross(url: URL, request: Exchange, settings: ExchangeSettings): Promise<Answer> {
  let current = url
  let headers = request.headers
  for (let hops = 0; ; hops++) {
    const answer = await exchange(current, { ...request, headers }, settings)
    if (!REDIRECTS.includes(answer.status)) return answer
    answer.discard()
    const location = answer.header('location') ?? ''
    if (!URL.canParse(location, current.href)) throw upstreamWrong(`${current.host} redirects to no address`)
    const next = new URL(location, current)
    if (hops === REDIRECTS_MAX) throw upstreamWrong(`${url.host} redirects too often`)
    if (current.protocol === 'https:' && next.protocol !== 'https:')
      throw upstreamWrong(`${current.host} redirects to an address without TLS`)
    if (next.origin !== current.origin) {
      const { authorization: _, ...rest } = headers ?? {}
      headers = rest
    }
    current = next
  }
}

/** A body as a whole. Throws `upstream-wrong` when it is larger. */
export async function readWhole(answer: Answer, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of answer.body()) {
    size += chunk.byteLength
    if (size > bytesMax) throw upstreamWrong(`${answer.url.host} answers more than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** What was to be sent could not be had: not the other side's fault. */
class BodyFailed extends Error {
  override readonly name = 'BodyFailed'
}

/** Ends what stands still. */
class Watch {
  readonly #abort: AbortController
  readonly #host: string
  #timer: ReturnType<typeof setTimeout> | undefined
  hasExpired = false

  constructor(abort: AbortController, host: string) {
    this.#abort = abort
    this.#host = host
  }

  allow(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.hasExpired = true
      this.#abort.abort(upstreamUnavailable(`${this.#host} does not answer in time`))
    }, ms)
  }

  /** Nothing is expected of the other side now. */
  rest(): void {
    clearTimeout(this.#timer)
  }

  end(): void {
    clearTimeout(this.#timer)
  }
}

/** The request as it is to be sent, once the address of its host is judged. */
async function judged(
  url: URL,
  { method, headers = {}, body }: Exchange,
  settings: ExchangeSettings,
  signal: AbortSignal,
  watch: Watch,
): Promise<() => Promise<Received>> {
  try {
    const target = parseAddress(url.href, settings)
    if (body === undefined && (method === 'GET' || method === 'HEAD')) {
      const place = await judgedPlace(target, settings)
      return () => readingRequest({ url, method, headers, signal }, place)
    }
    const connection = await judgedConnection(target, settings)
    const length = body instanceof Uint8Array ? { 'content-length': String(body.byteLength) } : {}
    const options = { ...connection, method, headers: { host: url.host, ...length, ...headers }, signal }
    return () => writingRequest(url, options, body, watch, settings)
  } catch (error) {
    if (!(error instanceof FetchRefused)) throw error
    // A name without address may have one later; what is forbidden stays so.
    if (error.cause !== undefined || error.message.endsWith('has no address'))
      throw upstreamUnavailable(error.message, { cause: error })
    throw upstreamDenied(error.message)
  }
}

/** A request that may send a body, which an early answer ends. */
async function writingRequest(
  url: URL,
  options: RequestOptions,
  body: Exchange['body'],
  watch: Watch,
  settings: ExchangeSettings,
): Promise<Received> {
  const response = await new Promise<IncomingMessage>((answered, failed) => {
    const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)(options, answered)
    request.on('error', failed)
    send(request, body, watch, settings).catch((error: unknown) => {
      request.destroy()
      failed(error)
    })
  })
  // Errors reach whoever reads; nobody has to be reading when they come.
  response.on('error', () => undefined)
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name]
      return Array.isArray(value) ? value[0] : value
    },
    chunks: () => response as AsyncIterable<Uint8Array>,
  }
}

async function send(request: ClientRequest, body: Exchange['body'], watch: Watch, settings: ExchangeSettings) {
  if (body === undefined) return void request.end()
  if (body instanceof Uint8Array) return void request.end(body)
  let isOver = false
  let wake: () => void = () => undefined
  const over = () => {
    isOver = true
    wake()
  }
  // An answer before the end of the body is the other side's last word on it.
  request.once('response', over).once('close', over).once('error', over)
  watch.rest()
  for await (const chunk of readable(body)) {
    if (isOver) return
    if (chunk.byteLength === 0) continue
    watch.allow(settings.stallMs)
    // Until it has left: whoever made the chunk may then use its memory again.
    await new Promise<void>((resolve) => {
      wake = resolve
      request.write(chunk, () => resolve())
      if (isOver) resolve()
    })
    if (isOver) return
    watch.rest()
  }
  if (isOver) return
  watch.allow(settings.answerMs)
  request.end()
}

async function* readable(body: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  try {
    yield* body
  } catch (cause) {
    throw new BodyFailed('The body could not be read.', { cause })
  }
}

function answerOf(
  { status, header, chunks }: Received,
  url: URL,
  watch: Watch,
  { stallMs }: ExchangeSettings,
  leave: () => void,
): Answer {
  watch.rest()
  return {
    status,
    url,
    header,
    async *body() {
      const promised = Number(header('content-length') ?? Number.NaN)
      let received = 0
      try {
        watch.allow(stallMs)
        for await (const chunk of chunks()) {
          watch.rest()
          received += chunk.byteLength
          yield chunk
          watch.allow(stallMs)
        }
      } catch (cause) {
        throw isOurs(cause) ? cause : unreachable(url, watch, cause)
      } finally {
        leave()
      }
      if (watch.hasExpired || received < promised) throw upstreamUnavailable(`${url.host} broke off its answer`)
    },
    discard: leave,
  }
}

const isOurs = (error: unknown): boolean => error instanceof Error && error.name === 'RegistryError'

function unreachable(url: URL, watch: Watch, cause: unknown) {
  const reason = watch.hasExpired
    ? 'does not answer in time'
    : 'cannot be reached, breaks off, or shows a certificate that is not trusted'
  return upstreamUnavailable(`${url.host} ${reason}`, { cause })
}
