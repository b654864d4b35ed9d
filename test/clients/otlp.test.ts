import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createApp } from '../../src/app.ts'
import { OtlpExporter, type Span } from '../../src/clients/otlp.ts'
import { readConfig } from '../../src/config/config.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { detachedContext } from '../../src/protocols/http/context.ts'

interface Sent {
  readonly path: string
  readonly authorization: string | null
  readonly body: {
    readonly resourceSpans: readonly {
      readonly resource: { readonly attributes: readonly object[] }
      readonly scopeSpans: readonly { readonly spans: readonly { readonly name: string }[] }[]
    }[]
  }
}

let sent: Sent[]
let status: number
let collector: Bun.Server<undefined>
beforeEach(() => {
  sent = []
  status = 200
  collector = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const { pathname: path } = new URL(request.url)
      sent.push({
        path,
        authorization: request.headers.get('authorization'),
        body: (await request.json()) as Sent['body'],
      })
      return new Response('{}', { status })
    },
  })
})
afterEach(() => collector.stop(true))

const endpoint = () => `http://127.0.0.1:${collector.port}/`
const span = (name: string): Span => ({
  ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentSpanId: 'c'.repeat(16), name, isFailure: true },
  ...{ startedAtMs: 1_700_000_000_000, durationMs: 1.5, attributes: { 'http.response.status_code': 500, x: 'y' } },
})
const namesSent = () =>
  sent.flatMap(({ body }) => body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))

test('spans go in batches, in the form of OTLP', async () => {
  const failures: unknown[] = []
  const headers = { authorization: 'Bearer x' }
  const exporter = new OtlpExporter({ endpoint: endpoint(), headers, resource: { 'service.name': 'ecru' } }, (error) =>
    failures.push(error),
  )
  for (let count = 0; count < 600; count++) exporter.add(span(`s${count}`))
  await exporter.flush()
  expect(failures).toEqual([])
  expect(sent.map(({ path, authorization }) => [path, authorization])).toEqual([
    ['/v1/traces', 'Bearer x'],
    ['/v1/traces', 'Bearer x'],
  ])
  expect(namesSent()).toHaveLength(600)
  expect(sent[0]?.body.resourceSpans[0]?.resource.attributes).toEqual([
    { key: 'service.name', value: { stringValue: 'ecru' } },
  ])
  const [first]: readonly object[] = namesSent()
  expect(first).toEqual({
    ...{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), parentSpanId: 'c'.repeat(16), name: 's0', kind: 2 },
    ...{ startTimeUnixNano: '1700000000000000000', endTimeUnixNano: '1700000000001500000', status: { code: 2 } },
    attributes: [
      { key: 'http.response.status_code', value: { intValue: '500' } },
      { key: 'x', value: { stringValue: 'y' } },
    ],
  })
})

test('what a collector does not take is lost, and said to be', async () => {
  status = 503
  const lost: number[] = []
  const exporter = new OtlpExporter({ endpoint: endpoint(), resource: {} }, (_error, count) => lost.push(count))
  for (let count = 0; count < 3; count++) exporter.add(span('s'))
  await exporter.flush()
  expect(lost).toEqual([3])
})

test('a registry sends its spans, at the latest when it ends', async () => {
  const { config } = readConfig({
    ...{ ECRU_MEMORY: 'true', ECRU_OTLP_ENDPOINT: endpoint(), ECRU_OTLP_HEADERS: 'authorization=Bearer y' },
  })
  const app = await createApp(config, silentLogger)
  await app.handle(new Request('http://localhost:4566/_ecru/health'), detachedContext())
  await app.close()
  expect(namesSent().map(({ name }) => name)).toEqual(['GET operator'])
  expect(sent[0]?.authorization).toBe('Bearer y')
})
