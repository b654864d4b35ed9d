const connections = 64

/** Sends HEAD over 64 kept connections as fast as answers come (wrk waits for the body that HEAD never has), and returns answers a second; throws when any was not 200. */
export async function hammerHead(url: string, headers: Record<string, string>, seconds: number): Promise<number> {
  const { hostname, port, pathname, host } = new URL(url)
  const lines = Object.entries({ host, ...headers }).map(([name, value]) => `${name}: ${value}\r\n`)
  const request = Buffer.from(`HEAD ${pathname} HTTP/1.1\r\n${lines.join('')}\r\n`)
  const { promise: refused, reject: refuse } = Promise.withResolvers<never>()
  let answers = 0
  const sockets = await Promise.all(
    Array.from({ length: connections }, () =>
      Bun.connect<{ received: string }>({
        hostname,
        port: Number(port),
        data: { received: '' },
        socket: {
          open: (socket) => void socket.write(request),
          data(socket, chunk) {
            const received = socket.data.received + chunk.toString('latin1')
            if (!received.endsWith('\r\n\r\n')) {
              socket.data.received = received
              return
            }
            if (!received.startsWith('HTTP/1.1 200')) refuse(new Error(`HEAD ${url}: ${received.split('\r\n')[0]}`))
            socket.data.received = ''
            answers++
            socket.write(request)
          },
          close: () => refuse(new Error(`HEAD ${url}: the server closed a connection`)),
        },
      }),
    ),
  )
  const began = performance.now()
  const before = answers
  try {
    await Promise.race([refused, Bun.sleep(seconds * 1000)])
    return ((answers - before) * 1000) / (performance.now() - began)
  } finally {
    refused.catch(() => undefined)
    for (const socket of sockets) socket.terminate()
  }
}
