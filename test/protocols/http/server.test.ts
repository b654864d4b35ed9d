import { afterEach, expect, test } from 'bun:test'
import { readBody, uploadBody } from '../../../src/protocols/http/body.ts'
import type { Handler } from '../../../src/protocols/http/context.ts'
import { createRouter } from '../../../src/protocols/http/router.ts'
import { type HttpServer, ListenError, startHttpServer } from '../../../src/protocols/http/server.ts'
import { type MemoryLogger, memoryLogger } from './memory-logger.ts'
import { rawClient } from './raw-client.ts'

const running: HttpServer[] = []

afterEach(async () => {
  for (const server of running.splice(0)) await server.close(0)
})

function listen(handler: Handler, logger: MemoryLogger = memoryLogger()): HttpServer {
  const server = startHttpServer({ host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger }, handler)
  running.push(server)
  return server
}

test('every request gets an id of our own and one line in the log, without its query', async () => {
  const logger = memoryLogger()
  const seen: string[] = []
  const { url } = listen(async (_request, context) => {
    seen.push(context.requestId)
    context.setPrincipal('arn:aws:iam::000000000000:root')
    return new Response('hello', { headers: { 'content-length': '5' } })
  }, logger)
  await fetch(`${url}/v2/app/tags/list?secret=hush`, {
    headers: { 'x-request-id': 'mine', authorization: 'Basic aHVzaA==' },
  })
  await fetch(`${url}/v2/`)
  expect(new Set(seen).size).toBe(2)
  expect(seen[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(logger.lines[0]).toEqual({
    level: 'info',
    message: 'request',
    requestId: seen[0],
    method: 'GET',
    path: '/v2/app/tags/list',
    status: 200,
    bytes: 5,
    ms: expect.any(Number),
    principal: 'arn:aws:iam::000000000000:root',
    remote: '127.0.0.1',
  })
  expect(JSON.stringify(logger.lines)).not.toMatch(/hush|aHVzaA/)
})

test('a pre-signed download is logged without what makes it work', async () => {
  const logger = memoryLogger()
  const { url } = listen(async () => new Response('bytes'), logger)
  await fetch(`${url}/_ecru/layers/eyJhbGciOi`)
  expect(logger.lines[0]?.path).toBe('/_ecru/layers/')
})

test('the context knows where the request came from', async () => {
  const { url } = listen(async (_request, { remoteAddress, isLoopback, isSecure }) =>
    Response.json({ remoteAddress, isLoopback, isSecure }),
  )
  const answer = await (await fetch(url)).json()
  expect(answer).toEqual({ remoteAddress: '127.0.0.1', isLoopback: true, isSecure: false })
})

test('a file that cannot be opened for want of descriptors is a reason to come again, and is told to the log', async () => {
  const logger = memoryLogger()
  const { url } = listen(async () => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' })
  }, logger)
  const response = await fetch(url)
  expect([response.status, response.headers.get('retry-after')]).toEqual([429, '1'])
  expect(await response.json()).toMatchObject({ errors: [{ code: 'TOOMANYREQUESTS' }] })
  expect(String(logger.lines[0]?.message)).toContain('too many connections')
})

test('a fault shows the request id to the client and its details to the log alone', async () => {
  const logger = memoryLogger()
  const { url } = listen(async () => {
    throw new Error('the password is hush')
  }, logger)
  const response = await fetch(url)
  expect(response.status).toBe(500)
  const requestId = String(logger.lines[0]?.requestId)
  expect(await response.json()).toEqual({ message: 'Internal error', requestId })
  expect(logger.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'error a request failed unexpectedly',
    'error request',
  ])
})

test('a client that leaves in the middle of its body is logged as 499, not as an error', async () => {
  const logger = memoryLogger()
  const { port } = listen(async (request, context) => {
    for await (const _chunk of uploadBody(request, context)) client.leave()
    return new Response('whole')
  }, logger)
  const client = await rawClient(port)
  await client.send('PUT /v2/app/blobs/uploads/1 HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nsome')
  const line = await logger.line(({ message }) => message === 'request')
  expect(line).toMatchObject({ level: 'info', status: 499, remote: '127.0.0.1' })
  expect(logger.lines.filter(({ level }) => level === 'error')).toEqual([])
})

test('a download that breaks off says so in the log', async () => {
  const logger = memoryLogger()
  const size = 256 * 1024 * 1024
  const endless = () =>
    new ReadableStream<Uint8Array>({ pull: (controller) => controller.enqueue(new Uint8Array(256 * 1024)) })
  const { port } = listen(async () => new Response(endless(), { headers: { 'content-length': String(size) } }), logger)
  const client = await rawClient(port)
  await client.send('GET /v2/app/blobs/x HTTP/1.1\r\nHost: a\r\n\r\n')
  await client.received('200 OK')
  client.leave()
  await logger.line(({ message }) => message === 'the client left before the download was complete')
})

test('an answer before the end of an upload reaches the client, and the server goes on', async () => {
  const { url } = listen(async (request, context) => {
    if (request.method === 'GET') return new Response('still here')
    await readBody(request, 10, context).catch(() => {})
    return new Response('too large', { status: 413 })
  })
  const refused = await fetch(url, { method: 'POST', body: new Uint8Array(8 * 1024 * 1024) })
  expect(refused.status).toBe(413)
  expect(await (await fetch(url)).text()).toBe('still here')
})

test('headers beyond 16 KiB are refused with 431', async () => {
  const { port } = listen(async () => new Response('ok'))
  const client = await rawClient(port)
  await client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`)
  expect(await client.closed).toStartWith('HTTP/1.1 431 ')
})

test('a load balancer may check the health by HTTP/1.0 and without a host', async () => {
  const plane: Handler = async () => new Response('ok')
  const planes = {
    oci: plane,
    layerDownloads: plane,
    awsJson: plane,
    awsQuery: plane,
    awsRest: { paths: new Set<string>(), handle: plane },
    awsCbor: plane,
    operations: plane,
  }
  const client = await rawClient(listen(createRouter(planes)).port)
  await client.send('GET /_ecru/health HTTP/1.0\r\n\r\n')
  expect(await client.closed).toStartWith('HTTP/1.1 200 ')
})

test('closing lets a request in flight finish and refuses new ones', async () => {
  const { promise: finish, resolve: letFinish } = Promise.withResolvers<void>()
  const { promise: arrived, resolve: hasArrived } = Promise.withResolvers<void>()
  const server = listen(async () => {
    hasArrived()
    await finish
    return new Response('finished')
  })
  const answer = fetch(server.url).then((response) => response.text())
  await arrived
  const closing = server.close(60_000)
  expect(await fetch(server.url).catch(() => 'refused')).toBe('refused')
  letFinish()
  expect(await answer).toBe('finished')
  expect(await closing).toBe(0)
})

test('closing cuts what does not finish in time, and says how many', async () => {
  const { promise: arrived, resolve: hasArrived } = Promise.withResolvers<void>()
  const server = listen(() => {
    hasArrived()
    return new Promise<Response>(() => {})
  })
  const answer = fetch(server.url).then(
    () => 'answered',
    () => 'cut',
  )
  await arrived
  expect(await server.close(10)).toBe(1)
  expect(await answer).toBe('cut')
})

test('a port in use is explained', () => {
  const { port } = listen(async () => new Response('first'))
  const second = () =>
    startHttpServer(
      { host: '127.0.0.1', port, tls: undefined, idleTimeoutMs: 60_000, logger: memoryLogger() },
      async () => new Response('second'),
    )
  expect(second).toThrow(ListenError)
  expect(second).toThrow(`Port ${port} on 127.0.0.1 is already in use`)
})
