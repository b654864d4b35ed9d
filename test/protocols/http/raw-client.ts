import { connect, type Socket } from 'node:net'

/** A connection on which a test says what a well-behaved client would not. */
export interface RawClient {
  send(text: string): Promise<void>
  /** Resolves with everything received once the server has closed the connection. */
  readonly closed: Promise<string>
  /** Resolves once the given text has been received. */
  received(text: string): Promise<void>
  /** Goes away without a word. */
  leave(): void
}

export async function rawClient(port: number): Promise<RawClient> {
  const socket: Socket = connect(port, '127.0.0.1')
  let gathered = ''
  const waiting = new Set<() => void>()
  socket.setEncoding('latin1')
  socket.on('data', (text) => {
    gathered += text
    for (const check of waiting) check()
  })
  // A server that cuts the connection may reset it: that is a way of closing.
  socket.on('error', () => {})
  const closed = new Promise<string>((resolve) => socket.on('close', () => resolve(gathered)))
  await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
  return {
    closed,
    send: (text) => new Promise((resolve) => socket.write(text, () => resolve())),
    received: (text) =>
      new Promise((resolve) => {
        const check = () => {
          if (!gathered.includes(text)) return
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    leave: () => void socket.destroy(),
  }
}
