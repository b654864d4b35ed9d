import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

/** How a test logs in to a NATS server, and whom it trusts. */
export interface NatsLogin {
  readonly token?: string
  readonly user?: string
  readonly password?: string
  /** PEM; with it the connection is over TLS. */
  readonly ca?: string
}

export interface NatsReceived {
  readonly subject: string
  readonly headers: string
  readonly payload: string
}

/** A client of NATS for tests: subscribes, and asks JetStream. */
export class NatsClient {
  readonly #socket: Socket
  readonly #received: NatsReceived[] = []
  #bytes = Buffer.alloc(0)
  #pongs = 0
  #subscriptions = 0

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk])
      while (this.#take());
    })
  }

  static async open(port: number, login: NatsLogin): Promise<NatsClient> {
    const { token, user, password, ca } = login
    let socket: Socket = connect({ host: '127.0.0.1', port })
    await new Promise((greeted, failed) => socket.once('data', greeted).once('error', failed))
    if (ca !== undefined) {
      socket.removeAllListeners('data')
      const secure = connectTls({ socket, servername: 'localhost', ca })
      await new Promise<void>((ready, failed) => secure.once('secureConnect', ready).once('error', failed))
      socket = secure
    }
    const client = new NatsClient(socket)
    const options = { verbose: false, headers: true, no_responders: true, auth_token: token, user, pass: password }
    socket.write(`CONNECT ${JSON.stringify(options)}\r\n`)
    await client.#flush()
    return client
  }

  get received(): readonly NatsReceived[] {
    return this.#received
  }

  async subscribe(subject: string): Promise<void> {
    this.#socket.write(`SUB ${subject} ${++this.#subscriptions}\r\n`)
    await this.#flush()
  }

  /** Asks JetStream's API, and answers what it says. */
  async ask<Answer>(subject: string, question: object): Promise<Answer> {
    const inbox = `_INBOX.test.${Math.random().toString(36).slice(2)}`
    const text = JSON.stringify(question)
    await this.subscribe(inbox)
    this.#socket.write(`PUB $JS.API.${subject} ${inbox} ${Buffer.byteLength(text)}\r\n${text}\r\n`)
    for (;;) {
      const answer = this.#received.find((message) => message.subject === inbox)
      if (answer !== undefined) return JSON.parse(answer.payload) as Answer
      await this.#flush()
    }
  }

  close(): void {
    this.#socket.destroy()
  }

  async #flush(): Promise<void> {
    const before = this.#pongs
    this.#socket.write('PING\r\n')
    for (const startedMs = performance.now(); this.#pongs === before; await Bun.sleep(5))
      if (performance.now() - startedMs > 10_000 || this.#socket.destroyed) throw new Error('NATS does not answer')
  }

  /** Takes one thing off what has come; false: it is not whole yet. */
  #take(): boolean {
    const end = this.#bytes.indexOf('\r\n')
    if (end < 0) return false
    const line = this.#bytes.subarray(0, end).toString()
    const sizes = /^H?MSG (\S+) .*?(?:(\d+) )?(\d+)$/.exec(line)
    if (sizes === null) {
      this.#bytes = this.#bytes.subarray(end + 2)
      if (line === 'PING') this.#socket.write('PONG\r\n')
      if (line === 'PONG') this.#pongs++
      return true
    }
    const [, subject = ''] = sizes
    const total = Number(sizes[3])
    const body = end + 2
    if (this.#bytes.length < body + total + 2) return false
    const head = line.startsWith('H') ? Number(line.split(' ').at(-2)) : 0
    this.#received.push({
      subject,
      headers: this.#bytes.subarray(body, body + head).toString(),
      payload: this.#bytes.subarray(body + head, body + total).toString(),
    })
    this.#bytes = this.#bytes.subarray(body + total + 2)
    return true
  }
}
