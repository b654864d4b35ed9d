import type { Handler } from './context.ts'

/** Who answers what. Each turns its own failures into responses of its own wire. */
export interface Planes {
  /** `/v2/…`, the OCI distribution API. */
  readonly oci: Handler
  /** `/_ecru/layers/…`, the pre-signed downloads that GetDownloadUrlForLayer hands out. */
  readonly layerDownloads: Handler
  /** `POST /` with `X-Amz-Target`: AWS JSON 1.1. */
  readonly awsJson: Handler
  /** `POST /` with a form, or `GET /?Action=…`: AWS Query. */
  readonly awsQuery: Handler
  /** AWS services of the REST protocols: `POST` to paths of their own. */
  readonly awsRest: { readonly paths: ReadonlySet<string>; readonly handle: Handler }
  /** `POST /service/…`: Smithy's RPC v2 with CBOR, which newer clients of CloudWatch speak. */
  readonly awsCbor: Handler
  /** `/_ecru/…` but the downloads: health, facts, garbage collection; and `/metrics`. */
  readonly operations: Handler
}

export const LAYER_DOWNLOADS_PATH = '/_ecru/layers/'
export const METRICS_PATH = '/metrics'

/** Decides, by path, method and content type alone, which plane gets a request. */
export function createRouter(planes: Planes): Handler {
  return (request, context) => {
    const path = pathOf(request.url)
    if (path.startsWith('/v2/') || path === '/v2') return planes.oci(request, context)
    if ((path === '/' || request.method === 'POST') && !URL.canParse(request.url)) return Promise.resolve(hostMissing())
    if (path === '/') return atRoot(planes, request, context)
    if (request.method === 'POST' && planes.awsRest.paths.has(path)) return planes.awsRest.handle(request, context)
    if (path.startsWith(LAYER_DOWNLOADS_PATH)) return planes.layerDownloads(request, context)
    if (path.startsWith('/_ecru/') || path === METRICS_PATH) return planes.operations(request, context)
    if (path.startsWith('/service/') && request.method === 'POST') return planes.awsCbor(request, context)
    return Promise.resolve(nothingHere(request.method, path))
  }
}

/**
 * The path of an absolute URL as the server gives it (or of a bare path), without its query. On the way of every
 * request, where `new URL` would cost three times as much.
 */
export function pathOf(url: string): string {
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('://') + 3)
  if (start < 0) return '/'
  const end = url.indexOf('?', start)
  return end < 0 ? url.slice(start) : url.slice(start, end)
}

const atRoot = (planes: Planes, request: Request, context: Parameters<Handler>[1]): Promise<Response> => {
  const { method, headers, url } = request
  if (method === 'POST') {
    const isForm = headers.get('content-type')?.startsWith('application/x-www-form-urlencoded') ?? false
    const isQuery = isForm || /[?&]Action=/.test(url)
    return isQuery && !headers.has('x-amz-target')
      ? planes.awsQuery(request, context)
      : planes.awsJson(request, context)
  }
  if (method === 'GET' && /[?&]Action=/.test(url)) return planes.awsQuery(request, context)
  if (method === 'GET' || method === 'HEAD') return Promise.resolve(new Response(WELCOME, { headers: PLAIN_TEXT }))
  return Promise.resolve(nothingHere(method, '/'))
}

const PLAIN_TEXT = { 'content-type': 'text/plain; charset=utf-8' }

const WELCOME = `This is Ecru, a container registry that answers to Amazon ECR's interface.

  /v2/             push and pull: docker, podman, skopeo, crane, oras, …
  POST /           the ECR API: point AWS_ENDPOINT_URL here
  /_ecru/health    is the process alive?
  /_ecru/ready     can it serve?
  /_ecru/info      version, profile, uptime
  /metrics         for Prometheus
`

/** The server gives a bare path when the `Host` header is absent, and no URL when it is no host; signatures cover the host. */
function hostMissing(): Response {
  return Response.json({ message: 'The Host header is missing or is not a host.' }, { status: 400 })
}

function nothingHere(method: string, path: string): Response {
  const message = `There is nothing at ${method} ${path.slice(0, 200)}. Push and pull go to /v2/, the ECR API to POST /, health checks to /_ecru/health.`
  return Response.json({ message }, { status: 404 })
}
