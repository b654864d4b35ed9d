import type { Handler } from './context.ts'
import { routeOf } from './measured.ts'
import { pathOf } from './router.ts'

/** Takes an answered request as a step of a trace. */
export interface SpanSink {
  add(span: {
    readonly traceId: string
    readonly spanId: string
    readonly parentSpanId: string | undefined
    readonly name: string
    readonly startedAtMs: number
    readonly durationMs: number
    readonly isFailure: boolean
    readonly attributes: Readonly<Record<string, string | number>>
  }): void
}

export interface TraceSettings {
  /** How many of the requests whose caller leaves it open are traced: from 0 for none to 1 for all. */
  readonly sampleRatio: number
  /** Bytes in hexadecimal that nobody can guess. */
  randomHex(bytes: number): string
  nowMs(): number
}

/** W3C Trace Context: version, trace, parent, flags. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const SAMPLED = 1
const PATH_MAX = 300

/** Makes each request that is to be traced a step of its caller's trace, or of one of its own. What callers decide holds. */
export function traced(handle: Handler, sink: SpanSink, settings: TraceSettings): Handler {
  return async (request, context) => {
    const [, traceId, parentSpanId, flags = ''] = TRACEPARENT.exec(request.headers.get('traceparent') ?? '') ?? []
    const spanId = settings.randomHex(8)
    const isTraced =
      traceId === undefined ? isAmong(spanId, settings.sampleRatio) : (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED
    if (!isTraced) return handle(request, context)
    const startedAtMs = settings.nowMs()
    const startedMs = performance.now()
    let status = 500
    try {
      const response = await handle(request, context)
      status = response.status
      return response
    } finally {
      const path = pathOf(request.url)
      const route = routeOf(path)
      const target = request.headers.get('x-amz-target')
      sink.add({
        traceId: traceId ?? settings.randomHex(16),
        spanId,
        parentSpanId,
        name: target === null ? `${request.method} ${route}` : target.slice(target.lastIndexOf('.') + 1).slice(0, 100),
        startedAtMs,
        durationMs: performance.now() - startedMs,
        isFailure: status >= 500,
        attributes: {
          'http.request.method': request.method,
          'http.response.status_code': status,
          'http.route': route,
          // The path of a download is its ticket.
          'url.path': route === 'layers' ? '/_ecru/layers/' : path.slice(0, PATH_MAX),
          'ecru.request_id': context.requestId,
        },
      })
    }
  }
}

/** Decided by random digits that are there anyway. */
function isAmong(spanId: string, ratio: number): boolean {
  return Number.parseInt(spanId.slice(0, 8), 16) < ratio * 2 ** 32
}
