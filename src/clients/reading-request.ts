import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { upstreamWrong } from '../domain/upstream-errors.ts'
import { ArrivingBytes } from './arriving-bytes.ts'
import type { JudgedPlace } from './judged-connection.ts'

/** An answer of another server, whose body has not been read. */
export interface Received {
  readonly status: number
  header(name: string): string | undefined
  /** Chunk by chunk, no faster than they are asked for. */
  chunks(): AsyncIterable<Uint8Array>
}

/** One request without a body. */
export interface ReadingRequest {
  readonly url: URL
  readonly method: 'GET' | 'HEAD'
  readonly headers: Readonly<Record<string, string>>
  /** Ends the connection, during the body as well. */
  readonly signal: AbortSignal
}

type Headers = ReadonlyMap<string, string>

const HEAD_BYTES_MAX = 64 * 1024

/**
 * Asks a server by HTTP/1.1, over a connection of its own to the judged address. A body's chunks are what the socket gave,
 * so that whoever has used one can give its memory back: of bodies read by `node:http` copies stay behind, which are
 * thirty megabytes while a large layer comes. Throws `upstream-wrong` for what is no answer, and what the socket throws.
 */
export async function readingRequest(request: ReadingRequest, place: JudgedPlace): Promise<Received> {
  const { signal } = request
  signal.throwIfAborted()
  const head = printHead(request)
  const socket = connected(request.url, place)
  // Errors reach whoever reads; nobody has to be reading when they come.
  socket.on('error', () => undefined)
  const onAbort = () => socket.destroy(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('close', () => signal.removeEventListener('abort', onAbort))
  try {
    socket.write(head)
    return await received(request, new ArrivingBytes(socket, request.url.host))
  } catch (error) {
    socket.destroy()
    throw error
  }
}

function connected(url: URL, { host, address, ca }: JudgedPlace): Socket {
  const isSecure = url.protocol === 'https:'
  const to = { host: address, port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port) }
  if (!isSecure) return connect(to)
  const name = isIP(host) === 0 ? { servername: host } : {}
  return connectTls({ ...to, ...name, ...(ca === undefined ? {} : { ca: [...ca] }), ALPNProtocols: ['http/1.1'] })
}

function printHead({ url, method, headers }: ReadingRequest): string {
  const lines = Object.entries({ ...headers, host: url.host, connection: 'close' }).map(([name, value]) => {
    // What other servers have said may be among them, such as their tokens.
    if (!/^[\x20-\x7e\x80-\xff\t]*$/.test(value)) throw upstreamWrong(`${url.host} wants a header that cannot be sent`)
    return `${name}: ${value}\r\n`
  })
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines.join('')}\r\n`
}

async function received({ method, url }: ReadingRequest, bytes: ArrivingBytes): Promise<Received> {
  for (;;) {
    const line = await bytes.line(HEAD_BYTES_MAX)
    const status = Number(/^HTTP\/1\.[01] (\d{3})(?: |$)/.exec(line)?.[1] ?? Number.NaN)
    if (Number.isNaN(status)) throw upstreamWrong(`${url.host} does not answer by HTTP`)
    const headers = await headersOf(bytes, url)
    // Interim answers, such as 103.
    if (status < 200) continue
    const isEmpty = method === 'HEAD' || status === 204 || status === 304
    const body = isEmpty ? nothing : bodyOf(headers, url)
    return { status, header: (name) => headers.get(name), chunks: () => body(bytes) }
  }
}

async function headersOf(bytes: ArrivingBytes, { host }: URL): Promise<Headers> {
  const headers = new Map<string, string>()
  for (let left = HEAD_BYTES_MAX; ; ) {
    const line = await bytes.line(left)
    if (line === '') return headers
    left -= line.length
    const [, name, value = ''] = /^([!#$%&'*+\-.^_`|~\w]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? []
    if (name === undefined) throw upstreamWrong(`${host} answers with a header that cannot be read`)
    const known = headers.get(name.toLowerCase())
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`)
  }
}

type Body = (bytes: ArrivingBytes) => AsyncIterable<Uint8Array>

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}

/** RFC 9112, section 6.3. */
function bodyOf(headers: Headers, { host }: URL): Body {
  const coding = headers.get('transfer-encoding')?.toLowerCase()
  if (coding === 'chunked') return chunked
  if (coding !== undefined) throw upstreamWrong(`${host} sends its answer in a coding that is not known here`)
  const length = headers.get('content-length')
  if (length === undefined) return (bytes) => bytes.upTo(Number.POSITIVE_INFINITY)
  if (!/^\d{1,15}$/.test(length)) throw upstreamWrong(`${host} does not tell how long its answer is`)
  return (bytes) => bytes.upTo(Number(length))
}

async function* chunked(bytes: ArrivingBytes): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const size = /^([\da-f]{1,12})[ \t]*(?:;.*)?$/i.exec(await bytes.line(HEAD_BYTES_MAX))?.[1]
    if (size === undefined) throw bytes.brokenOff()
    const length = Number.parseInt(size, 16)
    if (length === 0) return
    let got = 0
    for await (const part of bytes.upTo(length)) {
      got += part.byteLength
      yield part
    }
    if (got < length || (await bytes.line(2)) !== '') throw bytes.brokenOff()
  }
}
