import { connect } from 'node:net'

/** No answer came: the server is gone, or went away in the middle. */
export class ConnectionLost extends Error {}

/** What a server must never do, in a sentence. */
export class Violation extends Error {}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly bytes: Buffer
}

/** An error in the words of the JSON API; undefined when it succeeded. */
export interface EcrAnswer {
  readonly error: string | undefined
  readonly output: Readonly<Record<string, unknown>>
}

export interface OciRequest {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | ReadableStream<Uint8Array>
}

const ACCOUNT = '000000000000'
const REGION = 'us-east-1'
const ANSWER_WITHIN_MS = 30_000

/** Plain requests to both interfaces of one running server. Any 5xx is a violation; a broken connection throws {@link ConnectionLost}. */
export class Wire {
  readonly #port: number
  #password: string
  /** The server is shutting down, and may refuse requests. */
  isClosing = false
  /** The server has lost its disk, and may fail at anything. */
  isDiskGone = false
  /** Answers from 500 on that are what the caller wants to see. */
  readonly acceptedFaults = new Set<number>()

  constructor(port: number, password = '') {
    this.#port = port
    this.#password = password
  }

  /** Asks for a login token and uses it from now on. */
  async logIn(): Promise<string> {
    const { output } = await this.ecr('GetAuthorizationToken', {})
    const [data] = output.authorizationData as readonly { authorizationToken: string }[]
    this.#password = Buffer.from(data?.authorizationToken ?? '', 'base64')
      .toString()
      .replace('AWS:', '')
    return this.#password
  }

  oci(method: string, path: string, { headers = {}, body }: OciRequest = {}): Promise<Answer> {
    return this.#send(`http://127.0.0.1:${this.#port}/v2/${path}`, {
      method,
      headers: { ...headers, authorization: this.#basic() },
      ...(body && { body, duplex: 'half' }),
    })
  }

  /** Any address of this server, such as one from a Location header, with the same login. */
  at(method: string, location: string, request: OciRequest = {}): Promise<Answer> {
    const { pathname, search } = new URL(location, 'http://127.0.0.1')
    return this.oci(method, `${pathname.replace(/^\/v2\//, '')}${search}`, request)
  }

  /** A download URL, which needs no login. */
  download(url: string): Promise<Answer> {
    const { pathname, search } = new URL(url)
    return this.#send(`http://127.0.0.1:${this.#port}${pathname}${search}`, {})
  }

  async ecr(operation: string, input: unknown): Promise<EcrAnswer> {
    const { status, bytes } = await this.#send(`http://127.0.0.1:${this.#port}/`, {
      method: 'POST',
      headers: { ...awsHeaders(`AmazonEC2ContainerRegistry_V20150921.${operation}`) },
      body: JSON.stringify(input),
    })
    const output = JSON.parse(bytes.toString()) as Readonly<Record<string, unknown>>
    if (status === 200) return { error: undefined, output }
    return { error: String(output.__type).replace(/^.*#/, ''), output }
  }

  /** The server's own interface, such as `POST gc`. */
  own(method: string, path: string): Promise<Answer> {
    return this.#send(`http://127.0.0.1:${this.#port}/_ecru/${path}`, { method, headers: awsHeaders('') })
  }

  /** Sends the first bytes of a body that promises more, and hangs up. */
  async breakOff(method: string, location: string, body: Uint8Array, sentBytes: number): Promise<void> {
    const { pathname, search } = new URL(location, 'http://127.0.0.1')
    const head = [
      `${method} ${pathname}${search} HTTP/1.1`,
      `host: 127.0.0.1:${this.#port}`,
      `authorization: ${this.#basic()}`,
      'content-type: application/octet-stream',
      `content-length: ${body.length}`,
    ]
    await new Promise<void>((ended) => {
      const socket = connect(this.#port, '127.0.0.1', () => {
        socket.write(`${head.join('\r\n')}\r\n\r\n`)
        socket.write(body.subarray(0, sentBytes), () => socket.destroy())
      })
      socket.on('error', () => undefined)
      socket.on('close', () => ended())
    })
  }

  #basic(): string {
    return `Basic ${Buffer.from(`AWS:${this.#password}`).toString('base64')}`
  }

  async #send(url: string, init: RequestInit): Promise<Answer> {
    let answer: Response
    let bytes: Buffer
    try {
      answer = await fetch(url, { ...init, redirect: 'manual', signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
      bytes = Buffer.from(await answer.arrayBuffer())
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'TimeoutError')
        throw new Violation(`no answer to ${init.method ?? 'GET'} ${url} within ${ANSWER_WITHIN_MS} ms`, { cause })
      throw new ConnectionLost('connection lost', { cause })
    }
    if (answer.status >= 500 && !this.acceptedFaults.has(answer.status)) {
      if (this.isDiskGone || (this.isClosing && answer.status === 503)) throw new ConnectionLost('going down')
      throw new Violation(`${init.method ?? 'GET'} ${url} answers ${answer.status} ${bytes.toString().slice(0, 500)}`)
    }
    return { status: answer.status, headers: answer.headers, bytes }
  }
}

/** Headers as a signing client sends them; the development profile does not verify the signature of unknown keys. */
function awsHeaders(target: string): Record<string, string> {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const signed = 'host;x-amz-date;x-amz-target'
  const scope = `${now.slice(0, 8)}/${REGION}/ecr/aws4_request`
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': now,
    'x-amz-target': target,
    authorization: `AWS4-HMAC-SHA256 Credential=${ACCOUNT}/${scope}, SignedHeaders=${signed}, Signature=${'0'.repeat(64)}`,
  }
}
