import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventSender } from '../../src/clients/events/sender.ts'
import type { Delivery } from '../../src/domain/eventbridge/delivery.ts'
import type { Destination } from '../../src/domain/eventbridge/destination.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { registry } from '../support/service-fixture.ts'

const SECRET = 'the secret of webhooks'
const EVENT = '{"source":"aws.ecr"}'

let directory: string
let lines: string[]
let requests: { url: URL; headers: Headers; body: string }[]
let answer: () => Response | Promise<Response>
let server: ReturnType<typeof Bun.serve>
let base: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-events-'))
  lines = []
  requests = []
  answer = () => new Response('ok')
  server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      requests.push({ url: new URL(request.url), headers: request.headers, body: await request.text() })
      return await answer()
    },
  })
  base = `http://127.0.0.1:${server.port}`
})
afterEach(async () => {
  await server.stop(true)
  await rm(directory, { recursive: true })
})

const clock = new FakeClock()
const senderWith = (more: object = {}) =>
  new EventSender({
    allowsPrivateAddresses: true,
    allowsHttp: true,
    caCertificates: undefined,
    timeoutMs: 2_000,
    webhookSecret: async () => SECRET,
    clock,
    writeLine: async (line) => {
      lines.push(line)
    },
    ...more,
  })
const send = (destination: Destination, more: Partial<Delivery> = {}, settings: object = {}) =>
  senderWith(settings).send(
    { eventId: 'e1', arn: 'arn:aws:sqs:eu-west-3:123456789012:queue', destination, input: EVENT, ...more },
    new AbortController().signal,
  )
const webhook = (path = '/hook'): Destination => ({ kind: 'webhook', url: `${base}${path}`, registry })

describe('a webhook', () => {
  test('is posted with a signature by which the receiver knows the sender', async () => {
    expect(await send(webhook())).toEqual({ kind: 'delivered' })
    const [request] = requests
    expect(request?.body).toBe(EVENT)
    expect(request?.headers.get('content-type')).toBe('application/json')
    expect(request?.headers.get('ecru-event-id')).toBe('e1')
    const seconds = clock.now().getTime() / 1000
    const mac = createHmac('sha256', SECRET).update(`${seconds}.${EVENT}`).digest('hex')
    expect(request?.headers.get('ecru-signature')).toBe(`t=${seconds},v1=${mac}`)
  })

  test('has the headers, the query and the path of its target', async () => {
    const http = { headers: { 'X-Team': 'a', 'Content-Type': 'text/plain' }, query: { q: 'a b' }, path: ['x/y'] }
    await send(webhook('/hook/*/end?a=b'), { http })
    expect(requests[0]?.url.pathname + (requests[0]?.url.search ?? '')).toBe('/hook/x%2Fy/end?a=b&q=a+b')
    expect(requests[0]?.headers.get('x-team')).toBe('a')
    expect(requests[0]?.headers.get('content-type')).toBe('application/json')
  })

  test('is framed by the sender alone', async () => {
    const http = { headers: { Host: 'other', 'Transfer-Encoding': 'chunked', Expect: '100-continue', 'x-a': 'b' } }
    expect(await send(webhook(), { http })).toEqual({ kind: 'delivered' })
    const [request] = requests
    expect(request?.headers.get('host')).toBe(`127.0.0.1:${server.port}`)
    expect([request?.headers.get('transfer-encoding'), request?.headers.get('expect')]).toEqual([null, null])
    expect([request?.headers.get('x-a'), request?.body]).toEqual(['b', EVENT])
  })

  test('may answer as much as it likes', async () => {
    answer = () => new Response('x'.repeat(1_000_000))
    expect(await send(webhook())).toEqual({ kind: 'delivered' })
    answer = () => new Response('x'.repeat(1_000_000), { status: 404 })
    expect(await send(webhook())).toEqual({ kind: 'refused', reason: 'The endpoint answered 404' })
  })

  test('that hangs holds up no shutdown', async () => {
    let open = (_: Response) => {}
    answer = () => new Promise((resolve) => (open = resolve))
    const closing = new AbortController()
    const sending = senderWith({ timeoutMs: 600_000 }).send(
      { eventId: 'e1', arn: 'arn:aws:ecru:x', destination: webhook(), input: EVENT },
      closing.signal,
    )
    while (requests.length === 0) await Bun.sleep(1)
    closing.abort(new Error('The registry is shutting down.'))
    expect(await sending).toMatchObject({ kind: 'failed' })
    open(new Response())
  })

  test('that fails may pass, or not', async () => {
    const outcome = async (status: number, headers = {}) => {
      answer = () => new Response('no', { status, headers })
      return send(webhook())
    }
    for (const status of [500, 503, 408, 409, 401]) expect(await outcome(status)).toMatchObject({ kind: 'failed' })
    for (const status of [400, 403, 404, 410, 302])
      expect(await outcome(status, { location: '/x' })).toMatchObject({ kind: 'refused' })
    expect(await outcome(429, { 'retry-after': '7' })).toMatchObject({ kind: 'failed', retryAfterMs: 7000 })
    const later = new Date(clock.now().getTime() + 5_000).toUTCString()
    expect(await outcome(503, { 'retry-after': later })).toMatchObject({ retryAfterMs: 5000 })
  })

  test('that does not answer in time fails', async () => {
    let open = (_: Response) => {}
    answer = () => new Promise((resolve) => (open = resolve))
    const outcome = await send(webhook(), {}, { timeoutMs: 50 })
    expect(outcome).toMatchObject({ kind: 'failed', reason: expect.stringContaining('in time') })
    open(new Response())
    await server.stop(true)
    expect(await send(webhook())).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('cannot be reached'),
    })
  })

  test('goes to no private address, and not without TLS, unless the operator permits it', async () => {
    expect(await send(webhook(), {}, { allowsPrivateAddresses: false })).toMatchObject({
      kind: 'failed',
      reason: '127.0.0.1 is not on the public internet',
    })
    expect(await send(webhook(), {}, { allowsHttp: false })).toMatchObject({ reason: expect.stringContaining('TLS') })
    expect(requests).toEqual([])
  })
})

test("an operator's HTTP endpoint may be anywhere, and is signed with its own secret", async () => {
  const secretFile = join(directory, 'secret')
  await writeFile(secretFile, 'a secret\n')
  const strict = { allowsPrivateAddresses: false, allowsHttp: false }
  expect(await send({ kind: 'http', url: `${base}/x`, secretFile }, {}, strict)).toEqual({ kind: 'delivered' })
  const [, seconds, mac] = /^t=([0-9]+),v1=(.+)$/.exec(requests[0]?.headers.get('ecru-signature') ?? '') ?? []
  expect(mac).toBe(createHmac('sha256', 'a secret').update(`${seconds}.${EVENT}`).digest('hex'))
  await send({ kind: 'http', url: `${base}/x` }, {}, strict)
  expect(requests[1]?.headers.get('ecru-signature')).toBeNull()
  expect(await send({ kind: 'http', url: `${base}/x`, secretFile: join(directory, 'none') })).toMatchObject({
    kind: 'failed',
  })
})

test('a queue gets a signed SendMessage', async () => {
  const destination: Destination = { kind: 'sqs', endpoint: base, accessKeyId: 'AKIAQUEUE' }
  expect(await send(destination)).toEqual({ kind: 'delivered' })
  const [request] = requests
  expect(request?.headers.get('x-amz-target')).toBe('AmazonSQS.SendMessage')
  expect(request?.headers.get('authorization')).toContain('Credential=AKIAQUEUE/20260302/eu-west-3/sqs/aws4_request')
  expect(JSON.parse(request?.body ?? '')).toEqual({ QueueUrl: `${base}/123456789012/queue`, MessageBody: EVENT })
  await send({ ...destination, queueUrl: 'http://queues/mine' }, { messageGroupId: 'g' })
  expect(JSON.parse(requests[1]?.body ?? '')).toEqual({
    QueueUrl: 'http://queues/mine',
    MessageBody: EVENT,
    MessageGroupId: 'g',
    MessageDeduplicationId: 'e1',
  })
  expect(await send(destination, { arn: 'arn:aws:other' })).toMatchObject({ kind: 'refused' })
  answer = () => new Response('{"__type":"ServiceUnavailable"}', { status: 503 })
  expect(await send(destination)).toMatchObject({ kind: 'failed' })
})

test('a file and the standard output get a line for each event', async () => {
  const path = join(directory, 'events.jsonl')
  await send({ kind: 'file', path })
  await send({ kind: 'file', path }, { input: '"a"\n"b"' })
  expect(await readFile(path, 'utf8')).toBe(`${EVENT}\n"a" "b"\n`)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
  await writeFile(path, `${EVENT}\n{"half`)
  await send({ kind: 'file', path })
  expect(await readFile(path, 'utf8')).toBe(`${EVENT}\n{"half\n${EVENT}\n`)
  await send({ kind: 'stdout' })
  expect(lines).toEqual([EVENT])
  expect(await send({ kind: 'file', path: join(directory, 'none', 'x') })).toMatchObject({ kind: 'failed' })
})

describe('NATS', () => {
  let nats: Server
  let said: string
  let greeting: string
  let reply: string

  beforeEach(async () => {
    said = ''
    greeting = 'INFO {"server_id":"x","headers":true}\r\n'
    reply = 'PING\r\nPONG\r\n'
    nats = createServer((socket) => {
      socket.write(greeting)
      socket.on('error', () => undefined)
      socket.on('data', (chunk) => {
        said += chunk.toString()
        if (said.includes('\r\nPING\r\n')) socket.write(reply)
      })
    })
    await new Promise<void>((resolve) => nats.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => nats.close())

  const publish = (more: Partial<Extract<Destination, { kind: 'nats' }>> = {}, settings = {}) => {
    const address = nats.address()
    const port = typeof address === 'object' ? address?.port : 0
    return send({ kind: 'nats', server: `nats://127.0.0.1:${port}`, subject: 'ecr.events', ...more }, {}, settings)
  }

  test('gets a message with the id of the event', async () => {
    const passwordFile = join(directory, 'password')
    await writeFile(passwordFile, 'secret\n')
    expect(await publish({ user: 'me', passwordFile })).toEqual({ kind: 'delivered' })
    const [connect = '', published, ...rest] = said.split('\r\n')
    expect(JSON.parse(connect.replace('CONNECT ', ''))).toMatchObject({ user: 'me', pass: 'secret', headers: true })
    const headers = 'NATS/1.0\r\nNats-Msg-Id: e1\r\n\r\n'
    expect(published).toBe(`HPUB ecr.events ${headers.length} ${headers.length + EVENT.length}`)
    expect(rest.join('\r\n')).toStartWith(`${headers}${EVENT}\r\nPING\r\n`)
  })

  test('is asked whether the stream has stored the message', async () => {
    greeting = 'INFO {"server_id":"S","client_id":7,"headers":true}\r\n'
    const heard = (json: string) => `PONG\r\nMSG _INBOX.ecru.S.7 1 ${json.length}\r\n${json}\r\n`
    reply = heard('{"stream":"EVENTS","seq":1}')
    expect(await publish({ stream: 'EVENTS' })).toEqual({ kind: 'delivered' })
    expect(said).toContain('\r\nSUB _INBOX.ecru.S.7 1\r\nHPUB ecr.events _INBOX.ecru.S.7 ')
    expect(said).toContain('\r\nNats-Msg-Id: e1\r\nNats-Expected-Stream: EVENTS\r\n\r\n')
    const failure = async (answer: string) => {
      reply = answer
      const outcome = await publish({ stream: 'EVENTS' })
      return outcome.kind === 'failed' ? outcome.reason : outcome
    }
    expect(await failure(heard('{"error":{"code":503,"description":"no space"}}'))).toBe('The stream said no space')
    expect(await failure(heard('{"stream":"OTHER","seq":1}'))).toContain('another one: OTHER')
    const nobody = 'NATS/1.0 503\r\n\r\n'
    expect(await failure(`HMSG _INBOX.ecru.S.7 1 ${nobody.length} ${nobody.length}\r\n${nobody}\r\n`)).toBe(
      'No stream takes the subject',
    )
    expect(await failure('MSG _INBOX.ecru.S.7 1 x\r\n')).toBe('The server does not speak NATS')
  })

  test('that takes no message of that size is not asked again', async () => {
    greeting = 'INFO {"headers":true,"max_payload":10}\r\n'
    expect(await publish()).toEqual({
      kind: 'refused',
      reason: `The server takes 10 bytes at most, and these are ${EVENT.length}`,
    })
  })

  test('that knows no headers gets the message alone', async () => {
    greeting = 'INFO {}\r\n'
    expect(await publish()).toEqual({ kind: 'delivered' })
    expect(said).toContain(`\r\nPUB ecr.events ${EVENT.length}\r\n${EVENT}\r\nPING\r\n`)
  })

  test('that refuses, is silent or goes away has not got it', async () => {
    reply = "-ERR 'Authorization Violation'\r\n"
    expect(await publish()).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('Authorization Violation'),
    })
    reply = ''
    expect(await publish({}, { timeoutMs: 50 })).toMatchObject({ reason: 'The server does not answer in time' })
    greeting = `${'x'.repeat(70_000)}`
    expect(await publish()).toMatchObject({ kind: 'failed', reason: 'The server does not speak NATS' })
    expect(await publish({ server: 'nats://127.0.0.1:1' })).toMatchObject({ kind: 'failed' })
  })
})
