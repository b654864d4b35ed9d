import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { upstreamDenied, upstreamUnavailable, upstreamWrong } from '../domain/upstream-errors.ts'
import { type ConnectionRules, FetchRefused, judgedConnection, parseAddress } from './judged-connection.ts'

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
export async function exchange(url: URL, { method, headers, body, signal }: Exchange, settings: ExchangeSettings) {
  const connection = await judged(url, settings)
  const abort = new AbortController()
  const watch = new Watch(abort, url.host)
  const onAbort = () => abort.abort(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  const leave = () => {
    watch.end()
    signal?.removeEventListener('abort', onAbort)
  }
  const length = body instanceof Uint8Array ? { 'content-length': String(body.byteLength) } : {}
  watch.allow(settings.answerMs)
  try {
    const response = await new Promise<IncomingMessage>((answered, failed) => {
      const isSecure = url.protocol === 'https:'
      const request = (isSecure ? httpsRequest : httpRequest)(
        { ...connection, method, headers: { host: url.host, ...length, ...headers }, signal: abort.signal },
        answered,
      )
      request.on('error', failed)
      send(request, body, watch, settings).catch((error: unknown) => {
        request.destroy()
        failed(error)
      })
    })
    return answerOf(response, url, watch, settings, leave)
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
  response: IncomingMessage,
  url: URL,
  watch: Watch,
  { stallMs }: ExchangeSettings,
  leave: () => void,
): Answer {
  watch.rest()
  // Errors reach whoever reads; nobody has to be reading when they come.
  response.on('error', () => undefined)
  return {
    status: response.statusCode ?? 0,
    url,
    header: (name) => {
      const value = response.headers[name]
      return Array.isArray(value) ? value[0] : value
    },
    async *body() {
      const promised = Number(response.headers['content-length'] ?? Number.NaN)
      let received = 0
      try {
        watch.allow(stallMs)
        for await (const chunk of response as AsyncIterable<Uint8Array>) {
          watch.rest()
          received += chunk.byteLength
          yield chunk
          watch.allow(stallMs)
        }
      } catch (cause) {
        throw isOurs(cause) ? cause : unreachable(url, watch, cause)
      } finally {
        leave()
        response.destroy()
      }
      if (watch.hasExpired || received < promised) throw upstreamUnavailable(`${url.host} broke off its answer`)
    },
    discard: () => {
      leave()
      response.destroy()
    },
  }
}

async function judged(url: URL, settings: ExchangeSettings) {
  try {
    return await judgedConnection(parseAddress(url.href, settings), settings)
  } catch (error) {
    if (!(error instanceof FetchRefused)) throw error
    // A name without address may have one later; what is forbidden stays so.
    if (error.cause !== undefined || error.message.endsWith('has no address'))
      throw upstreamUnavailable(error.message, { cause: error })
    throw upstreamDenied(error.message)
  }
}

const isOurs = (error: unknown): boolean => error instanceof Error && error.name === 'RegistryError'

function unreachable(url: URL, watch: Watch, cause: unknown) {
  const reason = watch.hasExpired
    ? 'does not answer in time'
    : 'cannot be reached, breaks off, or shows a certificate that is not trusted'
  return upstreamUnavailable(`${url.host} ${reason}`, { cause })
}
