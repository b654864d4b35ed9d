import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { readBody, uploadBody } from '../../../src/protocols/http/body.ts'
import { type HttpServer, startHttpServer } from '../../../src/protocols/http/server.ts'
import { type MemoryLogger, memoryLogger } from './memory-logger.ts'
import { rawClient } from './raw-client.ts'

/** The shortest that the server takes. These tests wait for it, all at once: only real time shows what Bun's clock does. */
const IDLE_TIMEOUT_MS = 8000
/** Long enough that every request that outlives it outlived the idle timeout; Bun's clock ticks every 4 s. */
const LONG_MS = 13_000
const TEST_MS = 30_000

const DOWNLOAD_BYTES = 256 * 1024 * 1024

let server: HttpServer
let logger: MemoryLogger

beforeAll(() => {
  logger = memoryLogger()
  server = startHttpServer(
    { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: IDLE_TIMEOUT_MS, logger },
    async (request, context) => {
      const path = new URL(request.url).pathname
      if (path === '/json') return new Response(String((await readBody(request, 1000, context)).byteLength))
      if (path === '/download') {
        const chunk = new Uint8Array(1024 * 1024)
        return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(chunk) }), {
          headers: { 'content-length': String(DOWNLOAD_BYTES) },
        })
      }
      let sizeBytes = 0
      for await (const chunk of uploadBody(request, context)) sizeBytes += chunk.byteLength
      if (path === '/hashing') await Bun.sleep(LONG_MS)
      return new Response(`got ${sizeBytes}`)
    },
  )
})

afterAll(async () => {
  await server.close(0)
})

const head = (method: string, path: string, lengthBytes: number) =>
  `${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${lengthBytes}\r\n\r\n`

describe.concurrent('the idle timeout', () => {
  const cut = ['/json', '/upload'] as const
  for (const path of cut) {
    test.concurrent(
      `cuts a client that stalls in the middle of ${path}`,
      async () => {
        const client = await rawClient(server.port)
        await client.send(`${head('POST', path, 100)}some`)
        expect(await client.closed).toBe('')
        const line = await logger.line((one) => one.path === path && one.status === 499)
        expect(line.level).toBe('info')
      },
      TEST_MS,
    )
  }

  test.concurrent(
    'spares an upload that makes progress, however little',
    async () => {
      const client = await rawClient(server.port)
      await client.send(head('PUT', '/slow-upload', 13))
      for (let second = 0; second < 13; second++) {
        await client.send('x')
        await Bun.sleep(LONG_MS / 13)
      }
      expect(await client.closed).toContain('got 13')
    },
    TEST_MS,
  )

  test.concurrent(
    "spares the registry's own work after an upload",
    async () => {
      const client = await rawClient(server.port)
      await client.send(`${head('PUT', '/hashing', 4)}some`)
      expect(await client.closed).toContain('got 4')
    },
    TEST_MS,
  )

  test.concurrent(
    'cuts a download that is not taken',
    async () => {
      const response = await fetch(`${server.url}/download`)
      const body = response.body?.getReader()
      await body?.read()
      await logger.line(({ message }) => message === 'the client left before the download was complete')
      await body?.cancel().catch(() => {})
    },
    TEST_MS,
  )

  test.concurrent(
    'closes a connection that waits for nothing',
    async () => {
      const client = await rawClient(server.port)
      await client.send('PUT /small HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nsome')
      expect(await client.closed).toContain('got 4')
    },
    TEST_MS,
  )
})
