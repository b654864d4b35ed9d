import { connect, type Socket } from 'node:net'

/** What came back over a socket: the first answer's status, headers and body as far as they came. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Headers
  readonly body: string
}

/** A connection on which nothing is checked or completed: for bytes that no client would send. */
export class RawConnection {
  readonly #socket: Socket
  readonly #received: Buffer[] = []
  readonly #closed: Promise<void>

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (bytes) => this.#received.push(Buffer.from(bytes)))
    this.#closed = new Promise((closed) => {
      socket.on('error', () => closed())
      socket.on('close', () => closed())
    })
  }

  static open(port: number): Promise<RawConnection> {
    return new Promise((opened, failed) => {
      const socket = connect(port, '127.0.0.1', () => opened(new RawConnection(socket)))
      socket.once('error', failed)
    })
  }

  send(bytes: string | Uint8Array): void {
    this.#socket.write(bytes)
  }

  /** Says that no more will be sent. */
  finish(): void {
    this.#socket.end()
  }

  /** Hangs up without a word. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** The answer, once it is whole or the server has hung up; `undefined` when it hung up without one. Closes the connection. */
  async answer(withinMs = 10_000): Promise<RawAnswer | undefined> {
    const deadline = Date.now() + withinMs
    let isClosed = false
    void this.#closed.then(() => {
      isClosed = true
    })
    try {
      for (;;) {
        const answer = parseAnswer(Buffer.concat(this.#received), isClosed)
        if (answer !== undefined || isClosed) return answer
        if (Date.now() > deadline) throw new Error(`no answer within ${withinMs} ms`)
        await Promise.race([this.#closed, Bun.sleep(2)])
      }
    } finally {
      this.#socket.destroy()
    }
  }
}

/** Sends bytes on a connection of their own and waits for the answer. */
export async function rawExchange(port: number, bytes: string | Uint8Array, withinMs?: number) {
  const connection = await RawConnection.open(port)
  connection.send(bytes)
  return connection.answer(withinMs)
}

function parseAnswer(received: Buffer, isClosed: boolean): RawAnswer | undefined {
  const end = received.indexOf('\r\n\r\n')
  if (end < 0) return undefined
  const [statusLine = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n')
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1] ?? 'NaN')
  const headers = new Headers()
  for (const line of lines) headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim())
  const body = received.subarray(end + 4)
  const promised = Number(headers.get('content-length') ?? 'NaN')
  const isWhole =
    status === 204 || status === 304 || body.length >= promised || body.toString('latin1').endsWith('0\r\n\r\n')
  return isWhole || isClosed ? { status, headers, body: body.toString() } : undefined
}
