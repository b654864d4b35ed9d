import type { RequestRoute } from '../../domain/metrics/request-route.ts'
import type { Handler } from './context.ts'
import { LAYER_DOWNLOADS_PATH, pathOf } from './router.ts'

/** Takes what is known of an answered request. */
export interface RequestMeter {
  requestsInFlight: number
  answered(
    route: RequestRoute,
    method: string,
    status: number,
    seconds: number,
    bytes: { readonly sent: number; readonly received: number },
  ): void
}

/** Methods that are told apart; clients can make up any others. */
const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])

/** Counts and times what a handler answers. A download is timed until its first byte, as the kernel sends the rest. */
export function measured(handle: Handler, meter: RequestMeter): Handler {
  return async (request, context) => {
    const startedMs = performance.now()
    const { method } = request
    meter.requestsInFlight++
    let status = 500
    let sent = 0
    try {
      const response = await handle(request, context)
      status = response.status
      if (method !== 'HEAD') sent = Number(response.headers.get('content-length') ?? 0)
      return response
    } finally {
      meter.requestsInFlight--
      const seconds = (performance.now() - startedMs) / 1000
      const bytes = { sent, received: context.receivedBytes }
      meter.answered(routeOf(pathOf(request.url)), METHODS.has(method) ? method : 'OTHER', status, seconds, bytes)
    }
  }
}

/** By the path alone; a repository may have any of these words in its name, so the last one counts. */
export function routeOf(path: string): RequestRoute {
  if (path.startsWith('/v2/') || path === '/v2') return ociRouteOf(path)
  if (path === '/') return 'api'
  if (path.startsWith('/service/')) return 'api'
  if (path.startsWith(LAYER_DOWNLOADS_PATH)) return 'layers'
  if (path.startsWith('/_ecru/') || path === '/metrics') return 'operator'
  return 'other'
}

function ociRouteOf(path: string): RequestRoute {
  const last = path.lastIndexOf('/')
  const before = path.lastIndexOf('/', last - 1)
  const word = path.slice(before + 1, last)
  switch (word) {
    case 'manifests':
    case 'blobs':
    case 'tags':
    case 'referrers':
      return path.endsWith('/blobs/uploads') ? 'uploads' : word
    case 'uploads':
      return 'uploads'
    default:
      return 'v2'
  }
}
