import { connect, type Socket } from 'node:net'
import { connect as connectTls, rootCertificates } from 'node:tls'
import type { DeliveryOutcome } from '../../domain/eventbridge/delivery.ts'

export interface NatsMessage {
  /** `nats://host:port`, or `tls://host:port`. */
  readonly server: string
  readonly subject: string
  /** The stream of JetStream that must have stored the message; absent: the server alone must have it. */
  readonly stream?: string | undefined
  readonly payload: string
  /** By which a stream knows a message that it has already. */
  readonly messageId: string
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly token?: string | undefined
}

export interface NatsSettings {
  readonly timeoutMs: number
  readonly signal: AbortSignal
  /** Certificates (PEM) that are trusted beside the usual ones. */
  readonly caCertificates?: string | undefined
}

const PORT = 4222
const BYTES_MAX = 64 * 1024

interface ServerInfo {
  readonly tls_required?: boolean
  readonly headers?: boolean
  readonly max_payload?: number
  readonly server_id?: string
  readonly client_id?: number
}

/**
 * Publishes one message by NATS's client protocol, in a connection of its own. The server has it when it has answered the
 * PING behind it; a stream has it when it says so. Throws an `Error` with the reason of what may pass.
 */
export async function publishToNats(message: NatsMessage, settings: NatsSettings): Promise<DeliveryOutcome> {
  const { hostname, port, protocol } = new URL(message.server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const at = { host, port: port === '' ? PORT : Number(port) }
  const signal = AbortSignal.any([settings.signal, AbortSignal.timeout(settings.timeoutMs)])
  const socket: Socket = connect(at)
  let open: Socket = socket
  const leave = () => {
    open.destroy()
    socket.destroy()
  }
  signal.addEventListener('abort', leave, { once: true })
  try {
    const greeted = new NatsReader(socket)
    const info = JSON.parse((await greeted.line()).replace(/^INFO /, '')) as ServerInfo
    let reader = greeted
    if (protocol === 'tls:' || info.tls_required === true) {
      greeted.release()
      const ca = settings.caCertificates === undefined ? {} : { ca: [...rootCertificates, settings.caCertificates] }
      open = connectTls({ socket, servername: host, ...ca })
      reader = new NatsReader(open)
    }
    const size = Buffer.byteLength(message.payload)
    if (info.max_payload !== undefined && size > info.max_payload)
      return { kind: 'refused', reason: `The server takes ${info.max_payload} bytes at most, and these are ${size}` }
    const inbox = `_INBOX.ecru.${info.server_id ?? ''}.${info.client_id ?? 0}`
    open.write(`CONNECT ${JSON.stringify(greeting(message))}\r\n`)
    open.write(published(message, size, info.headers === true, inbox))
    await untilTaken(reader, open, message.stream)
    return { kind: 'delivered' }
  } catch (thrown) {
    if (signal.aborted) throw new Error('The server does not answer in time', { cause: thrown })
    throw thrown
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

/** Reads what the server says until it, or the stream, has the message. */
async function untilTaken(reader: NatsReader, socket: Socket, stream: string | undefined): Promise<void> {
  for (;;) {
    const line = await reader.line()
    if (line.startsWith('-ERR')) throw new Error(`The server said ${line.slice(5)}`)
    if (line === 'PING') socket.write('PONG\r\n')
    if (line === 'PONG' && stream === undefined) return
    if (!/^H?MSG /.test(line)) continue
    const sizes = line.split(' ').slice(-2).map(Number)
    const body = await reader.bytes(sizes.at(-1) ?? 0)
    const head = line.startsWith('H') ? (sizes[0] ?? 0) : 0
    if (/^NATS\/1\.0 503/.test(body.slice(0, head))) throw new Error('No stream takes the subject')
    const answer = JSON.parse(body.slice(head)) as { stream?: string; error?: { description?: string } }
    if (answer.error !== undefined) throw new Error(`The stream said ${answer.error.description ?? 'that it failed'}`)
    if (answer.stream === stream) return
    throw new Error(`The stream that takes the subject is another one: ${answer.stream ?? ''}`)
  }
}

function greeting({ user, password, token }: NatsMessage): object {
  return {
    verbose: false,
    pedantic: false,
    tls_required: false,
    name: 'ecru',
    lang: 'ecru',
    version: '1',
    protocol: 1,
    headers: true,
    no_responders: true,
    ...(user !== undefined && { user, pass: password }),
    ...(token !== undefined && { auth_token: token }),
  }
}

/** The message, and the PING behind it; with a stream, the subscription to what it answers before it. */
function published(
  { subject, stream, payload, messageId }: NatsMessage,
  size: number,
  takesHeaders: boolean,
  inbox: string,
): string {
  const [subscription, reply] = stream === undefined ? ['', ''] : [`SUB ${inbox} 1\r\n`, `${inbox} `]
  if (!takesHeaders) return `${subscription}PUB ${subject} ${reply}${size}\r\n${payload}\r\nPING\r\n`
  const expected = stream === undefined ? '' : `Nats-Expected-Stream: ${stream}\r\n`
  const headers = `NATS/1.0\r\nNats-Msg-Id: ${messageId}\r\n${expected}\r\n`
  const sizes = `${headers.length} ${headers.length + size}`
  return `${subscription}HPUB ${subject} ${reply}${sizes}\r\n${headers}${payload}\r\nPING\r\n`
}

/** What a server says. */
class NatsReader {
  readonly #socket: Socket
  readonly #take: (chunk: Buffer) => void
  readonly #end: (failure?: Error) => void
  #text = ''
  #failure: Error | undefined
  #waiting: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    this.#take = (chunk) => {
      this.#text += chunk.toString('latin1')
      this.#waiting?.()
    }
    this.#end = (failure) => {
      this.#failure ??= failure ?? new Error('The server closed the connection')
      this.#waiting?.()
    }
    socket.on('data', this.#take)
    socket.on('error', this.#end)
    socket.on('close', () => this.#end())
  }

  /** The next line. Throws when the connection ends. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end >= 0) return this.#cut(end)
      if (this.#text.length > BYTES_MAX) throw new Error('The server does not speak NATS')
      await this.#more()
    }
  }

  /** So many bytes, which a line's end follows, as Latin-1. */
  async bytes(size: number): Promise<string> {
    if (!(size <= BYTES_MAX)) throw new Error('The server does not speak NATS')
    while (this.#text.length < size + 2) await this.#more()
    return this.#cut(size)
  }

  #cut(end: number): string {
    const cut = this.#text.slice(0, end)
    this.#text = this.#text.slice(end + 2)
    return cut
  }

  async #more(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await new Promise<void>((resolve) => {
      this.#waiting = resolve
    })
  }

  /** Leaves the connection to somebody else; its errors stay heard. */
  release(): void {
    this.#socket.off('data', this.#take)
  }
}
