import { expect, test } from 'bun:test'
import { detachedContext } from './context.ts'
import { type SpanSink, traced } from './traced.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'

async function spansOf(
  headers: Readonly<Record<string, string>>,
  sampleRatio = 1,
  { method = 'GET', path = '/v2/team/app/manifests/v1', status = 200, first = '00000001' } = {},
) {
  const spans: Parameters<SpanSink['add']>[0][] = []
  const settings = {
    sampleRatio,
    randomHex: (bytes: number) => (bytes === 8 ? `${first}00000001` : 'a'.repeat(32)),
    nowMs: () => 1_000,
  }
  const handle = traced(
    async () => {
      if (status === 0) throw new Error('broken')
      return new Response(null, { status })
    },
    { add: (span) => spans.push(span) },
    settings,
  )
  const request = new Request(`http://localhost${path}?secret=1`, { method, headers })
  await handle(request, detachedContext({ requestId: 'r1' })).catch(() => undefined)
  return spans
}

test('a request without a trace begins one', async () => {
  expect(await spansOf({})).toMatchObject([
    {
      ...{ traceId: 'a'.repeat(32), spanId: '0000000100000001', parentSpanId: undefined, name: 'GET manifests' },
      ...{ startedAtMs: 1_000, isFailure: false },
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'http.route': 'manifests',
        'url.path': '/v2/team/app/manifests/v1',
        'ecru.request_id': 'r1',
      },
    },
  ])
})

test('a step of a trace belongs to it, whatever would be sampled here', async () => {
  const traceparent = `00-${TRACE}-${PARENT}-01`
  expect(await spansOf({ traceparent }, 0)).toMatchObject([{ traceId: TRACE, parentSpanId: PARENT }])
  expect(await spansOf({ traceparent: `00-${TRACE}-${PARENT}-00` })).toEqual([])
  expect(await spansOf({ traceparent: `cc-${TRACE}-${PARENT}-01-more` })).toMatchObject([{ traceId: TRACE }])
})

test.each([`ff-${TRACE}-${PARENT}-01`, `00-${'0'.repeat(32)}-${PARENT}-01`, `00-${TRACE}-${'0'.repeat(16)}-01`, 'x'])(
  'the traceparent %s is none',
  async (traceparent) => {
    expect(await spansOf({ traceparent })).toMatchObject([{ traceId: 'a'.repeat(32), parentSpanId: undefined }])
  },
)

test('only a part is traced when only a part is wanted', async () => {
  expect(await spansOf({}, 0)).toEqual([])
  expect(await spansOf({}, 0.5, { first: '7fffffff' })).toHaveLength(1)
  expect(await spansOf({}, 0.5, { first: '80000000' })).toEqual([])
  expect(await spansOf({}, 1, { first: 'ffffffff' })).toHaveLength(1)
})

test('calls of the API have the name of the operation, failures are marked, tickets are not told', async () => {
  const target = { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.PutImage' }
  expect(await spansOf(target, 1, { method: 'POST', path: '/', status: 500 })).toMatchObject([
    { name: 'PutImage', isFailure: true },
  ])
  expect(await spansOf({}, 1, { status: 0 })).toMatchObject([{ isFailure: true }])
  const [download] = await spansOf({}, 1, { path: '/_ecru/layers/ticket' })
  expect(JSON.stringify(download)).not.toContain('ticket')
})
