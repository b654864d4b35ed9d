import { isRegistryError } from '../../domain/errors.ts'
import { ociErrorOf, refusalHeaders, type WireError } from '../errors.ts'
import { ClientGone } from '../http/body.ts'
import type { RequestContext } from '../http/context.ts'
import { addressOf, originOf } from './call.ts'
import { receivedRange } from './ranges.ts'
import { answer, answerJson, type HeaderValues, withoutBody } from './responses.ts'

/** What an answer says that is no success. */
export interface Refusal {
  readonly status: number
  readonly code: string
  readonly message: string
}

/** A refusal in the registry's error envelope, which ends with a newline as ECR's does. HEAD gets no body. */
export function refuse(
  request: Request,
  context: RequestContext,
  { status, code, message }: Refusal,
  headers: HeaderValues = {},
): Response {
  const response = answerJson(
    context,
    status,
    { errors: [{ code, message }] },
    { 'Content-Type': 'application/json; charset=utf-8', ...headers },
  )
  return request.method === 'HEAD' ? withoutHeadBody(response) : response
}

/** The one place where what was thrown on this plane becomes a response. Our own mistakes go to `report` as well. */
export function errorResponse(
  thrown: unknown,
  request: Request,
  context: RequestContext,
  report: (thrown: unknown, requestId: string) => void,
  fidelity: 'oci' | 'aws' = 'oci',
): Response {
  // Nobody is left to read it.
  if (thrown instanceof ClientGone) return answer(context, 400)
  if (isRegistryError(thrown, 'unauthenticated')) return challenge(request, context)
  const wire = ociErrorOf(thrown, fidelity)
  if (wire.isBug) report(thrown, context.requestId)
  return refuse(request, context, wire, headersOf(wire, request))
}

/** ECR's own 401: plain text, and a challenge that docker, podman and all others understand. */
function challenge(request: Request, context: RequestContext): Response {
  const body = 'Not Authorized\n'
  const response = answer(
    context,
    401,
    {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': String(body.length),
      'WWW-Authenticate': `Basic realm="${originOf(request)}/",service="ecr.amazonaws.com"`,
    },
    body,
  )
  return request.method === 'HEAD' ? withoutHeadBody(response) : response
}

/** The headers with which a client recovers. */
function headersOf({ error }: WireError, request: Request): HeaderValues {
  switch (error?.code) {
    case 'access-denied':
      return refusalHeaders(error)
    case 'upload-range-invalid':
      return { Location: addressOf(request), Range: receivedRange(Number(error.details.sizeBytes)) }
    case 'range-not-satisfiable':
      return { 'Content-Range': `bytes */${error.details.sizeBytes}` }
    case 'throttled':
    case 'upload-busy':
      return { 'Retry-After': '1' }
    case 'upstream-rate-limited':
    case 'upstream-unavailable': {
      const { retryAfterMs } = error.details
      return retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(Number(retryAfterMs) / 1000)) }
    }
    default:
      return {}
  }
}

function withoutHeadBody(response: Response): Response {
  response.headers.delete('Content-Length')
  return withoutBody(response)
}
