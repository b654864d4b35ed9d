import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface NatsMessage {
  /** `nats://host:port`, or `tls://host:port`. */
  readonly server: string
  readonly subject: string
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
  /** Certificates (PEM) that are trusted instead of the usual ones. */
  readonly caCertificates?: string | undefined
}

const PORT = 4222
const LINE_BYTES_MAX = 64 * 1024

/**
 * Publishes one message by NATS's client protocol, in a connection of its own: the server has it when it has answered the
 * PING behind it. Throws an `Error` with the reason.
 */
export async function publishToNats(message: NatsMessage, settings: NatsSettings): Promise<void> {
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
    const lines = new Lines(socket)
    const info = JSON.parse((await lines.next()).replace(/^INFO /, '')) as { tls_required?: boolean; headers?: boolean }
    let answers = lines
    if (protocol === 'tls:' || info.tls_required === true) {
      lines.release()
      const { caCertificates: ca } = settings
      open = connectTls({ socket, servername: host, ...(ca === undefined ? {} : { ca }) })
      answers = new Lines(open)
    }
    open.write(`CONNECT ${JSON.stringify(greeting(message))}\r\n${published(message, info.headers === true)}PING\r\n`)
    for (let line = await answers.next(); line !== 'PONG'; line = await answers.next()) {
      if (line.startsWith('-ERR')) throw new Error(`The server said ${line.slice(5)}`)
      if (line === 'PING') open.write('PONG\r\n')
    }
  } catch (thrown) {
    if (signal.aborted) throw new Error('The server does not answer in time', { cause: thrown })
    throw thrown
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
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
    ...(user !== undefined && { user, pass: password }),
    ...(token !== undefined && { auth_token: token }),
  }
}

function published({ subject, payload, messageId }: NatsMessage, takesHeaders: boolean): string {
  const size = Buffer.byteLength(payload)
  if (!takesHeaders) return `PUB ${subject} ${size}\r\n${payload}\r\n`
  const headers = `NATS/1.0\r\nNats-Msg-Id: ${messageId}\r\n\r\n`
  return `HPUB ${subject} ${headers.length} ${headers.length + size}\r\n${headers}${payload}\r\n`
}

/** What a server says, line by line. */
class Lines {
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

  /** Throws when the connection ends. */
  async next(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\r\n')
      if (end >= 0) {
        const line = this.#text.slice(0, end)
        this.#text = this.#text.slice(end + 2)
        return line
      }
      if (this.#failure !== undefined) throw this.#failure
      if (this.#text.length > LINE_BYTES_MAX) throw new Error('The server does not speak NATS')
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
      })
    }
  }

  /** Leaves the connection to somebody else; its errors stay heard. */
  release(): void {
    this.#socket.off('data', this.#take)
  }
}
