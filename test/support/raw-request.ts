import { type RawAnswer, rawExchange } from './raw-http.ts'

/** A request as it is to go over the wire, nothing of it checked or normalised. */
export interface RawRequest {
  readonly method?: string
  /** The request target, as it is. */
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
}

/** Where requests go, and as whom. */
export interface RawTarget {
  readonly port: number
  /** The value of `Authorization` on `/v2/`. */
  readonly basic: string
}

/** Sends a request with a matching Content-Length on a connection of its own. `undefined`: hung up without an answer. */
export async function rawRequest(
  { port }: RawTarget,
  { method = 'GET', path, headers = {}, body }: RawRequest,
): Promise<RawAnswer | undefined> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const length = bytes === undefined || 'content-length' in headers ? {} : { 'content-length': String(bytes.length) }
  const all = { host: `127.0.0.1:${port}`, ...length, connection: 'close', ...headers }
  const head = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return rawExchange(
    port,
    Buffer.concat([Buffer.from(`${method} ${path} HTTP/1.1\r\n${head.join('')}\r\n`), bytes ?? Buffer.alloc(0)]),
  )
}

/** A request to the OCI interface, logged in. */
export function ociRequest(target: RawTarget, request: RawRequest): Promise<RawAnswer | undefined> {
  return rawRequest(target, { ...request, headers: { authorization: target.basic, ...request.headers } })
}

/** A call of the ECR API, with a body that need not be JSON. */
export function ecrRequest(
  target: RawTarget,
  operation: string,
  body: string | Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer | undefined> {
  return rawRequest(target, {
    method: 'POST',
    path: '/',
    headers: { ...ECR_HEADERS, 'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`, ...headers },
    body,
  })
}

/** Signed in form; the development profile takes unknown keys as they are. */
export const ECR_HEADERS = {
  'content-type': 'application/x-amz-json-1.1',
  'x-amz-date': '20260101T000000Z',
  authorization: `AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/ecr/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
}

/** Status and code of an answer, of either interface: `404 NAME_UNKNOWN`, `400 SerializationException`, or the status alone. */
export function verdict(answer: RawAnswer | undefined): string {
  if (answer === undefined) return 'hung up'
  const code = /"(?:code|__type|failureCode)":\s*"(\w+)"/.exec(answer.body)?.[1]
  return code === undefined ? String(answer.status) : `${answer.status} ${code}`
}
