import { connect, createServer, type Socket } from 'node:net'

/** What a network, or a server at its other end, does. */
export type Weather =
  | { readonly kind: 'fine' }
  /** Nobody is there. */
  | { readonly kind: 'gone' }
  /** Every request gets this answer, whole. */
  | { readonly kind: 'answer'; readonly text: string }
  /** Answers begin, and break off after so many bytes. */
  | { readonly kind: 'truncated'; readonly afterBytes: number }
  /** Answers come so much later. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** A connection breaks once so many bytes went towards the server, each one anew. */
  | { readonly kind: 'cut'; readonly afterBytes: number }

export interface FaultProxy {
  readonly url: string
  readonly port: number
  /** Bytes that went towards the server, and connections that were begun. */
  readonly counts: { sentBytes: number; connections: number }
  /** From now on; connections that are open break. */
  set(weather: Weather): void
  close(): Promise<void>
}

export const FINE: Weather = { kind: 'fine' }

/** An answer of HTTP that ends the connection. */
export function answer(status: string, headers: readonly string[] = [], body = 'no'): Weather {
  const lines = [`HTTP/1.1 ${status}`, `content-length: ${body.length}`, 'connection: close', ...headers, '', body]
  return { kind: 'answer', text: lines.join('\r\n') }
}

/** Lies between a client and a server on loopback, and does what the test says. */
export async function startFaultProxy(target: () => number): Promise<FaultProxy> {
  const counts = { sentBytes: 0, connections: 0 }
  const open = new Set<Socket>()
  let weather: Weather = FINE
  const server = createServer((client) => {
    counts.connections++
    open.add(client)
    client.on('error', () => undefined).on('close', () => open.delete(client))
    const today = weather
    if (today.kind === 'gone') return void client.destroy()
    if (today.kind === 'answer') return void client.once('data', () => client.end(today.text))
    join(client, today)
  })
  const join = (client: Socket, today: Weather) => {
    const upstream = connect(target(), '127.0.0.1')
    open.add(upstream)
    const end = () => {
      client.destroy()
      upstream.destroy()
    }
    upstream.on('error', end).on('close', () => {
      open.delete(upstream)
      setTimeout(() => client.end(), today.kind === 'slow' ? today.delayMs : 0)
    })
    client.on('close', () => upstream.destroy())
    let sent = 0
    let received = 0
    client.on('data', (bytes: Buffer) => {
      const room = today.kind === 'cut' ? today.afterBytes - sent : bytes.length
      const part = bytes.subarray(0, Math.max(0, room))
      sent += part.length
      counts.sentBytes += part.length
      if (!upstream.write(part)) {
        client.pause()
        upstream.once('drain', () => client.resume())
      }
      // What was let through is to arrive.
      if (part.length < bytes.length) {
        client.pause()
        upstream.end(() => setTimeout(end, 50))
      }
    })
    upstream.on('data', (bytes: Buffer) => {
      const room = today.kind === 'truncated' ? today.afterBytes - received : bytes.length
      const part = bytes.subarray(0, Math.max(0, room))
      received += part.length
      const pass = () => {
        if (!client.write(part)) {
          upstream.pause()
          client.once('drain', () => upstream.resume())
        }
        if (part.length < bytes.length) client.end(end)
      }
      if (today.kind === 'slow') setTimeout(pass, today.delayMs)
      else pass()
    })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    counts,
    set: (next) => {
      weather = next
      for (const socket of open) socket.destroy()
    },
    close: async () => {
      for (const socket of open) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}
