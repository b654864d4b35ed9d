import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { noise, sha256 } from '../support/image-builder.ts'
import { RawConnection, rawExchange } from '../support/raw-http.ts'
import { ECR_HEADERS } from '../support/raw-request.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { Wire } from '../torture/wire.ts'

const NAME = 'hostile/app'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const IDLE_TIMEOUT_S = 8
/** The clock behind the idle timeout ticks every 4 s. */
const CLOSED_WITHIN_MS = (IDLE_TIMEOUT_S + 8) * 1_000
const SLOW_CLIENTS = 200

const blob = noise('hostile connections', 200_000)
const digest = sha256(blob)

let registry: RunningRegistry
let wire: Wire
let basic: string

beforeAll(async () => {
  registry = await startRegistry({
    env: { ECRU_LOG_LEVEL: 'warn', ECRU_LOG_FORMAT: 'pretty', ECRU_IDLE_TIMEOUT: `${IDLE_TIMEOUT_S}s` },
  })
  wire = new Wire(registry.port)
  basic = `authorization: Basic ${Buffer.from(`AWS:${await wire.logIn()}`).toString('base64')}`
  await wire.ecr('CreateRepository', { repositoryName: NAME })
  expect((await wire.oci('POST', `${NAME}/blobs/uploads/?digest=${digest}`, { body: blob })).status).toBe(201)
})

afterAll(async () => {
  const said = await registry.log()
  await registry.stop()
  expect(said).not.toMatch(/ (ERROR|FATAL) /)
})

/** A request head that fits; `{auth}` and `{host}` are filled in. */
const head = (text: string) =>
  `${text.replace('{auth}', basic).replace('{host}', `host: ${registry.host}`).replaceAll('\n', '\r\n')}\r\n\r\n`

describe('requests that are none', () => {
  const refused: readonly (readonly [what: string, bytes: () => string | Uint8Array])[] = [
    ['noise', () => noise('noise', 4_000)],
    ['a TLS hello', () => Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03, 0x0d, 0x0a)],
    ['NUL', () => '\0'.repeat(1_000)],
    ['HTTP/9.9', () => head('GET /v2/ HTTP/9.9\n{host}')],
    ['no version', () => head('GET /v2/\n{host}')],
    ['no target', () => head('GET  HTTP/1.1\n{host}')],
    ['no host', () => head('GET /v2/ HTTP/1.1')],
    ['a header without a colon', () => head('GET /v2/ HTTP/1.1\n{host}\nnonsense')],
    ['a header without a name', () => head('GET /v2/ HTTP/1.1\n{host}\n: x')],
    ['a header name with a space', () => head('GET /v2/ HTTP/1.1\n{host}\nx y: z')],
    ['NUL in a header', () => head('GET /v2/ HTTP/1.1\n{host}\nx: a\0b')],
    ['a length of letters', () => head('POST / HTTP/1.1\n{host}\ncontent-length: many')],
    ['a negative length', () => head('POST / HTTP/1.1\n{host}\ncontent-length: -5')],
    ['a length beyond all numbers', () => head(`POST / HTTP/1.1\n{host}\ncontent-length: ${'9'.repeat(40)}`)],
    ['two lengths', () => `${head('POST / HTTP/1.1\n{host}\ncontent-length: 2\ncontent-length: 3')}{}`],
    [
      'a length and chunks',
      () => `${head('POST / HTTP/1.1\n{host}\ncontent-length: 2\ntransfer-encoding: chunked')}0\r\n\r\n`,
    ],
    ['a million bytes of header', () => head(`GET /v2/ HTTP/1.1\n{host}\nx: ${'x'.repeat(1_000_000)}`)],
    ['twenty thousand headers', () => head(`GET /v2/ HTTP/1.1\n{host}${'\nx: y'.repeat(20_000)}`)],
    ['a path of a million bytes', () => head(`GET /v2/${'x'.repeat(1_000_000)} HTTP/1.1\n{host}`)],
  ]
  for (const [what, bytes] of refused) {
    test(`${what}: 4xx, 505 (no such version of HTTP) or hung up`, async () => {
      const answer = await rawExchange(registry.port, bytes())
      if (answer !== undefined && answer.status !== 505) {
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
      }
      await expectAlive()
    })
  }

  test('nothing that is pipelined behind a refused body is run', async () => {
    const smuggled = head(`DELETE /v2/${NAME}/blobs/${digest} HTTP/1.1\n{host}\n{auth}`)
    for (const framing of [
      'content-length: 0\ntransfer-encoding: chunked',
      'transfer-encoding: chunked\ncontent-length: 0',
      'transfer-encoding: chunked, identity',
      'transfer-encoding: xchunked',
      'transfer-encoding:\tchunked\ncontent-length: 4',
      'content-length: 0\ncontent-length: 1',
    ]) {
      await rawExchange(registry.port, `${head(`POST /v2/ HTTP/1.1\n{host}\n${framing}`)}0\r\n\r\n${smuggled}`).catch(
        () => undefined,
      )
    }
    await expectAlive()
  })
})

describe('bodies that are not what they promise', () => {
  const fate = ['cut off', 'ended early'] as const
  for (const how of fate) {
    test(`an upload ${how} keeps what came, and goes on`, async () => {
      const location = await begin()
      const connection = await RawConnection.open(registry.port)
      connection.send(head(`PATCH ${location} HTTP/1.1\n{host}\n{auth}\ncontent-length: ${blob.length}`))
      connection.send(blob.subarray(0, 70_000))
      await untilHeld(location, 70_000)
      if (how === 'cut off') connection.destroy()
      else connection.finish()
      if (how === 'ended early') await connection.answer().catch(() => undefined)
      const rest = await wire.at('PATCH', location, {
        headers: { 'content-range': `70000-${blob.length - 1}` },
        body: blob.subarray(70_000),
      })
      expect(rest.status).toBe(202)
      expect((await wire.at('PUT', `${location}?digest=${digest}`)).status).toBe(201)
    })
  }

  test('what is sent behind the promised length is not part of the upload', async () => {
    const location = await begin()
    const request = head(`PATCH ${location} HTTP/1.1\n{host}\n{auth}\ncontent-length: 10\nconnection: close`)
    const answer = await rawExchange(registry.port, `${request}0123456789EXTRA`)
    expect(answer?.status).toBe(202)
    expect(await held(location)).toBe(10)
  })

  const chunkings: readonly (readonly [what: string, body: string])[] = [
    ['a size of letters', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a size beyond all numbers', `${'f'.repeat(40)}\r\nhello\r\n0\r\n\r\n`],
    ['a chunk longer than it says', '2\r\nhello\r\n0\r\n\r\n'],
    ['bytes without a size', 'hello'.repeat(10)],
    ['an extension without end', `5;${'x'.repeat(200_000)}`],
  ]
  for (const [what, body] of chunkings) {
    test(`chunks with ${what} do not become an upload's end`, async () => {
      const location = await begin()
      const request = head(`PATCH ${location} HTTP/1.1\n{host}\n{auth}\ntransfer-encoding: chunked`)
      const connection = await RawConnection.open(registry.port)
      connection.send(`${request}${body}`)
      connection.finish()
      const answer = await connection.answer().catch(() => undefined)
      if (answer !== undefined) {
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
      }
      await expectAlive()
    })
  }

  test('chunks that break off are resumed where they ended', async () => {
    const location = await begin()
    const connection = await RawConnection.open(registry.port)
    connection.send(head(`PATCH ${location} HTTP/1.1\n{host}\n{auth}\ntransfer-encoding: chunked`))
    connection.send('5\r\nhello\r\n5\r\nwo')
    await untilHeld(location, 5)
    connection.destroy()
    const size = await held(location)
    expect([5, 7]).toContain(size)
  })

  test('a manifest that never ends holds nobody up', async () => {
    const connection = await RawConnection.open(registry.port)
    connection.send(head(`PUT /v2/${NAME}/manifests/x HTTP/1.1\n{host}\n{auth}\ncontent-length: 1000`))
    connection.send('{')
    await expectAlive()
    connection.destroy()
    await expectAlive()
  })

  test('a manifest that promises too much is refused before it is read', async () => {
    const request = head(`PUT /v2/${NAME}/manifests/x HTTP/1.1\n{host}\n{auth}\ncontent-length: 99999999`)
    expect((await rawExchange(registry.port, request))?.status).toBe(413)
  })

  test('a client that expects 100 gets it, or its answer', async () => {
    const location = await begin()
    const connection = await RawConnection.open(registry.port)
    connection.send(
      head(`PATCH ${location} HTTP/1.1\n{host}\n{auth}\ncontent-length: 5\nexpect: 100-continue\nconnection: close`),
    )
    connection.send('hello')
    expect([100, 202]).toContain((await connection.answer())?.status ?? 0)
    await untilHeld(location, 5)
  })

  test('downloads that are dropped half-way leave nothing behind', async () => {
    for (let n = 0; n < 100; n++) {
      const connection = await RawConnection.open(registry.port)
      connection.send(head(`GET /v2/${NAME}/blobs/${digest} HTTP/1.1\n{host}\n{auth}`))
      if (n % 2 === 0) await Bun.sleep(1)
      connection.destroy()
    }
    await expectAlive()
  })
})

const LARGE_BYTES = 20 * 2 ** 20

test('parts of layers that stall do not hold up a large manifest, whoever sent all but the last byte', async () => {
  const stalled = await Promise.all([1, 2, 3].map(() => RawConnection.open(registry.port)))
  const signed = Object.entries(ECR_HEADERS).map(([name, value]) => `${name}: ${value}`)
  const target = 'x-amz-target: AmazonEC2ContainerRegistry_V20150921.UploadLayerPart'
  for (const connection of stalled) {
    connection.send(head(['POST / HTTP/1.1', '{host}', ...signed, target, `content-length: ${LARGE_BYTES}`].join('\n')))
    connection.send(Buffer.alloc(LARGE_BYTES - 1, ' '))
  }
  const config = { mediaType: 'application/octet-stream', digest, size: blob.length }
  const manifest = {
    schemaVersion: 2,
    mediaType: MANIFEST,
    config,
    layers: [],
    annotations: { x: 'x'.repeat(500_000) },
  }
  const body = Buffer.from(JSON.stringify(manifest))
  const pushed = await wire.oci('PUT', `${NAME}/manifests/large`, { headers: { 'content-type': MANIFEST }, body })
  expect(pushed.status).toBe(201)
  for (const connection of stalled) connection.destroy()
  await expectAlive()
}, 60_000)

test(
  'slow clients are cut off, and nobody waits for them',
  async () => {
    const slow = await Promise.all(Array.from({ length: SLOW_CLIENTS }, () => RawConnection.open(registry.port)))
    for (const connection of slow) connection.send('GET /v2/ HTTP/1.1\r\nhost: x\r\n')
    // A header every second is progress of a kind; silence is not. Half of them do the one, half the other.
    const dripping = setInterval(() => {
      for (const connection of slow.slice(0, SLOW_CLIENTS / 2)) connection.send('x: y\r\n')
    }, 1_000)
    try {
      await expectAlive()
      const silent = slow.slice(SLOW_CLIENTS / 2)
      const answers = await Promise.all(silent.map((connection) => connection.answer(CLOSED_WITHIN_MS)))
      for (const answer of answers) expect([undefined, 400, 408]).toContain(answer?.status)
      await expectAlive()
    } finally {
      clearInterval(dripping)
      for (const connection of slow) connection.destroy()
    }
  },
  CLOSED_WITHIN_MS + 20_000,
)

async function begin(): Promise<string> {
  const begun = await wire.oci('POST', `${NAME}/blobs/uploads/`)
  return new URL(begun.headers.get('location') ?? '').pathname
}

async function held(location: string): Promise<number> {
  const status = await wire.at('GET', location)
  expect(status.status).toBe(204)
  return Number(status.headers.get('range')?.slice(2)) + 1
}

async function untilHeld(location: string, bytes: number): Promise<void> {
  const deadline = Date.now() + 10_000
  while ((await held(location)) < bytes) {
    if (Date.now() > deadline) throw new Error(`the upload never held ${bytes} bytes`)
    await Bun.sleep(5)
  }
}

/** It answers others, and what it holds is what it held. */
async function expectAlive(): Promise<void> {
  const pulled = await wire.oci('GET', `${NAME}/blobs/${digest}`)
  expect(pulled.status).toBe(200)
  expect(pulled.bytes.equals(blob)).toBe(true)
}
