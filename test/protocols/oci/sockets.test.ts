import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { MANIFEST_BYTES_MAX } from '../../../src/domain/manifest.ts'
import { silentLogger } from '../../../src/lib/logger.ts'
import { type HttpServer, startHttpServer } from '../../../src/protocols/http/server.ts'
import { parseRange } from '../../../src/protocols/oci/ranges.ts'
import { FilesystemBlobStore } from '../../../src/stores/blobs/filesystem.ts'
import { noise, sha256 } from '../../support/image-builder.ts'
import { createPlane, createRepository, type Plane } from './plane.ts'

/** What only a socket shows: bodies that the kernel sends from files, lengths, clients that leave. */
const CONTENT = noise('layer', 300_000)
const DIGEST = sha256(CONTENT)

let directory: string
let plane: Plane
let server: HttpServer
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-oci-'))
  plane = await createPlane({ blobs: await FilesystemBlobStore.open(directory) })
  await createRepository(plane, 'team/app')
  const options = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 10_000, logger: silentLogger }
  server = startHttpServer(options, plane.oci)
  for (const content of [CONTENT, Buffer.alloc(0)])
    expect((await send('POST', `/blobs/uploads/?digest=${sha256(content)}`, { body: content })).status).toBe(201)
})
afterAll(async () => {
  await server.close(1000)
  await plane.close()
  await rm(directory, { recursive: true })
})

interface Sent {
  readonly headers?: Record<string, string>
  readonly body?: Uint8Array | ReadableStream<Uint8Array>
}

function send(method: string, path: string, { headers = {}, body }: Sent = {}): Promise<Response> {
  const url = path.startsWith('http') ? path : `${server.url}/v2/team/app${path}`
  return fetch(url, {
    method,
    headers: { authorization: plane.authorization, ...headers },
    ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
  })
}

/** Head and body of an answer as they came over the wire. */
async function wire(method: string, path: string, headers: readonly string[] = [], host = `127.0.0.1:${server.port}`) {
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const socket = connect(server.port, '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (chunk: Buffer) => received.push(chunk))
    socket.on('error', reject)
    socket.on('close', () => resolve(Buffer.concat(received)))
    const lines = [`host: ${host}`, `authorization: ${plane.authorization}`, 'connection: close']
    socket.write([`${method} /v2/team/app${path} HTTP/1.1`, ...lines, ...headers, '', ''].join('\r\n'))
  })
  const end = answer.indexOf('\r\n\r\n')
  const [status = '', ...fields] = answer.subarray(0, end).toString('latin1').split('\r\n')
  return {
    status: Number(status.split(' ')[1]),
    fields: fields.map((field) => field.toLowerCase()),
    body: answer.subarray(end + 4),
  }
}

describe('downloads', () => {
  test('a blob comes whole, says its length once, and does not name its file', async () => {
    const { status, fields, body } = await wire('GET', `/blobs/${DIGEST}`)
    expect(status).toBe(200)
    expect(body.equals(CONTENT)).toBe(true)
    expect(fields.filter((field) => field.startsWith('content-length'))).toEqual([`content-length: ${CONTENT.length}`])
    expect(fields).toContain('content-disposition: attachment')
    expect(fields).toContain('accept-ranges: bytes')
    expect(fields.join()).not.toContain('filename')
  })

  test('HEAD says the length and sends nothing', async () => {
    for (const [digest, size] of [
      [DIGEST, CONTENT.length],
      [sha256(''), 0],
    ]) {
      const { status, fields, body } = await wire('HEAD', `/blobs/${digest}`)
      expect(status).toBe(200)
      expect(fields).toContain(`content-length: ${size}`)
      expect(body.length).toBe(0)
    }
    const missing = await wire('HEAD', `/blobs/${sha256('missing')}`)
    expect(missing.status).toBe(404)
    expect(missing.body.length).toBe(0)
  })

  test('an empty blob comes with length 0, also in ranges', async () => {
    for (const headers of [[], ['range: bytes=0-'], ['range: bytes=-5']]) {
      const { status, fields, body } = await wire('GET', `/blobs/${sha256('')}`, headers)
      expect(status).toBe(200)
      expect(fields).toContain('content-length: 0')
      expect(body.length).toBe(0)
    }
  })

  test('what is not modified is not sent', async () => {
    const { status, body } = await wire('GET', `/blobs/${DIGEST}`, [`if-none-match: "${DIGEST}"`])
    expect(status).toBe(304)
    expect(body.length).toBe(0)
  })

  test('If-Range of another blob brings the whole, although the server reads Range as well', async () => {
    const headers = ['range: bytes=5-9', `if-range: "${sha256('other')}"`]
    const { status, body } = await wire('GET', `/blobs/${DIGEST}`, headers)
    expect(status).toBe(200)
    expect(body.equals(CONTENT)).toBe(true)
  })

  test('every Range means on the wire what it means to us', async () => {
    const size = CONTENT.length
    const position = fc.oneof(
      fc.nat(size + 10).map(String),
      fc.constantFrom('', '0', String(size - 1), String(size), '99999999999999999999'),
    )
    const span = fc.tuple(position, position).map((ends) => ends.join('-'))
    const range = fc.oneof(
      span.map((text) => `bytes=${text}`),
      span.map((text) => `Bytes= ${text} `),
      fc.tuple(span, span).map((spans) => `bytes=${spans.join(',')}`),
      span.map((text) => `items=${text}`),
      fc.stringMatching(/^[\x21-\x7e]{1,12}$/).map((text) => `bytes=${text}`),
    )
    await fc.assert(
      fc.asyncProperty(range, async (text) => {
        const expected = parseRange(text.trim(), size)
        const { status, fields, body } = await wire('GET', `/blobs/${DIGEST}`, [`range: ${text}`])
        if (expected === 'whole') {
          expect(status).toBe(200)
          expect(body.equals(CONTENT)).toBe(true)
        } else if (expected === 'unsatisfiable') {
          expect(status).toBe(416)
          expect(fields).toContain(`content-range: bytes */${size}`)
        } else {
          const { first, last } = expected
          expect(status).toBe(206)
          expect(fields).toContain(`content-range: bytes ${first}-${last}/${size}`)
          expect(fields).toContain(`content-length: ${last - first + 1}`)
          expect(body.equals(CONTENT.subarray(first, last + 1))).toBe(true)
        }
      }),
      { numRuns: 60 },
    )
  })
})

describe('uploads', () => {
  const begin = async () => (await send('POST', '/blobs/uploads/')).headers.get('location') ?? ''

  test('a chunked body of unknown length is taken', async () => {
    const location = await begin()
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let start = 0; start < CONTENT.length; start += 65_536)
          controller.enqueue(CONTENT.subarray(start, start + 65_536))
        controller.close()
      },
    })
    const appended = await send('PATCH', location, { body })
    expect(appended.status).toBe(202)
    expect(appended.headers.get('range')).toBe(`0-${CONTENT.length - 1}`)
    expect((await send('PUT', `${location}?digest=${DIGEST}`)).status).toBe(201)
  })

  test('a client that leaves half-way finds its bytes when it comes back', async () => {
    const content = noise('resumed', 200_000)
    const half = content.subarray(0, 100_000)
    const location = await begin()
    const socket = connect(server.port, '127.0.0.1')
    const lines = [
      `PATCH ${new URL(location).pathname} HTTP/1.1`,
      `host: 127.0.0.1:${server.port}`,
      `authorization: ${plane.authorization}`,
      `content-length: ${content.length}`,
    ]
    socket.write([...lines, '', ''].join('\r\n'))
    socket.write(half)
    const received = async () => Number((await send('GET', location)).headers.get('range')?.slice(2)) + 1
    let arrivedBytes = 0
    while (arrivedBytes < half.length) arrivedBytes = await received()
    socket.destroy()
    const rest = content.subarray(half.length)
    const resumed = await send('PATCH', location, {
      body: rest,
      headers: { 'content-range': `${half.length}-${content.length - 1}` },
    })
    expect(resumed.status).toBe(202)
    expect(resumed.headers.get('range')).toBe(`0-${content.length - 1}`)
    expect((await send('PUT', `${location}?digest=${sha256(content)}`)).status).toBe(201)
    const read = await (await send('GET', `/blobs/${sha256(content)}`)).bytes()
    expect(sha256(read)).toBe(sha256(content))
    expect(plane.reported).toEqual([])
  })

  test('a refusal reaches a client that is still sending', async () => {
    const body = noise('unwanted', 4_000_000)
    const unknown = await send('PATCH', '/blobs/uploads/5f0c3fd0-0000-4000-8000-000000000000', { body })
    expect(unknown.status).toBe(404)
    const misplaced = await send('PATCH', await begin(), { body, headers: { 'content-range': '5-4000004' } })
    expect(misplaced.status).toBe(416)
    const large = await send('PUT', '/manifests/large', { body: noise('large', MANIFEST_BYTES_MAX + 1) })
    expect(large.status).toBe(413)
    expect((await send('GET', '/tags/list')).status).toBe(200)
  })

  test('answers without a body say so', async () => {
    for (const [method, path] of [
      ['POST', '/blobs/uploads/'],
      ['DELETE', `/blobs/${sha256('missing')}`],
    ] as const) {
      const { fields } = await wire(method, path, ['content-length: 0'])
      expect(fields.filter((field) => field.startsWith('content-length'))).toHaveLength(1)
    }
  })
})

describe('a host that can be none', () => {
  test.each(['', 'a"b', 'a b', 'user@host', 'host/../x', 'host?x', '\u00e9'])(
    '%p makes relative addresses',
    async (host) => {
      const begun = await wire('POST', '/blobs/uploads/', ['content-length: 0'], host)
      expect(begun.status).toBe(202)
      expect(begun.fields.find((field) => field.startsWith('location:'))).toStartWith(
        'location: /v2/team/app/blobs/uploads/',
      )
      expect((await wire('GET', '/tags/list', [], host)).status).toBe(200)
    },
  )
})
