import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { type ConnectionRules, FetchRefused, judgedConnection, parseAddress } from './judged-connection.ts'

export { FetchRefused } from './judged-connection.ts'

/** How documents of strangers are fetched. */
export interface PublicFetchSettings extends ConnectionRules {
  readonly timeoutMs: number
  readonly bytesMax: number
  /** Ends it before its time. */
  readonly signal?: AbortSignal | undefined
}

export interface FetchedDocument {
  readonly status: number
  readonly etag: string | undefined
  readonly cacheControl: string
  /** How long the other side asks to be left alone, as it said. */
  readonly retryAfter: string | undefined
  readonly text: string
}

/** What is sent when something is. */
export interface PublicPost {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const REDIRECTS_MAX = 3

/**
 * Fetches a small document from an address that somebody else chose. A host's addresses are judged once resolved, and the
 * connection goes to the judged one, so that no second answer of a name server can lead elsewhere. Redirects are followed
 * on the same host and scheme alone, and never with a `post`, whose answer is its status: the body is not read. Bounded in
 * size and time. Throws `FetchRefused`.
 */
export async function publicFetch(
  url: string,
  settings: PublicFetchSettings,
  etag?: string,
  post?: PublicPost,
): Promise<FetchedDocument> {
  const timeout = AbortSignal.timeout(settings.timeoutMs)
  const signal = settings.signal === undefined ? timeout : AbortSignal.any([timeout, settings.signal])
  let current = parseAddress(url, settings)
  for (let hops = 0; ; hops++) {
    const response = await ask(current, settings, signal, etag, post)
    const { statusCode: status = 0, headers } = response
    if (status < 300 || status >= 400 || status === 304 || post !== undefined) {
      const text = post === undefined ? await read(response, settings.bytesMax, current) : leave(response)
      const { etag, 'cache-control': cacheControl = '', 'retry-after': retryAfter } = headers
      return { status, etag, cacheControl, retryAfter, text }
    }
    response.destroy()
    const next = parseAddress(new URL(headers.location ?? '', current).href, settings)
    if (next.origin !== current.origin) throw new FetchRefused(`${current.host} redirects to another host`)
    if (hops === REDIRECTS_MAX) throw new FetchRefused(`${current.host} redirects too often`)
    current = next
  }
}

async function ask(url: URL, settings: PublicFetchSettings, signal: AbortSignal, etag?: string, post?: PublicPost) {
  const options: RequestOptions = {
    ...(await inTime(judgedConnection(url, settings), url, signal)),
    method: post === undefined ? 'GET' : 'POST',
    signal,
    headers: {
      accept: 'application/json',
      ...post?.headers,
      host: url.host,
      ...(etag === undefined ? {} : { 'if-none-match': etag }),
      ...(post === undefined ? {} : { 'content-length': Buffer.byteLength(post.body) }),
    },
  }
  const isSecure = url.protocol === 'https:'
  return new Promise<IncomingMessage>((answered, failed) => {
    const request = (isSecure ? httpsRequest : httpRequest)(options, answered)
    request.on('error', (cause) => failed(refused(url, signal, cause)))
    request.end(post?.body)
  })
}

/** A name server may take longer than there is time. */
async function inTime<T>(work: Promise<T>, url: URL, signal: AbortSignal): Promise<T> {
  let end: () => void = () => undefined
  const over = new Promise<never>((_, failed) => {
    end = () => failed(refused(url, signal, signal.reason))
    signal.addEventListener('abort', end, { once: true })
    if (signal.aborted) end()
  })
  try {
    return await Promise.race([work, over])
  } finally {
    signal.removeEventListener('abort', end)
  }
}

function leave(response: IncomingMessage): '' {
  response.destroy()
  return ''
}

async function read(response: IncomingMessage, bytesMax: number, url: URL): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > bytesMax) throw new FetchRefused(`${url.host} answers more than ${bytesMax} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof FetchRefused) throw cause
    throw new FetchRefused(`${url.host} broke off its answer`, { cause })
  } finally {
    response.destroy()
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refused(url: URL, signal: AbortSignal, cause: unknown): FetchRefused {
  const reason = signal.aborted ? 'does not answer in time' : 'cannot be reached, or its certificate is not trusted'
  return new FetchRefused(`${url.host} ${reason}`, { cause })
}
