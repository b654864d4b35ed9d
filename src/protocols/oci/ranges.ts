import { requestMalformed } from '../../domain/errors.ts'
import type { ByteRange } from '../../stores/blobs.ts'

/** What a `Range` header asks of a representation. */
export type RangeRequest = ByteRange | 'whole' | 'unsatisfiable'

/**
 * Reads a `Range` header (RFC 9110, section 14). One range of bytes is served; other units, several ranges and what cannot
 * be read as a range are ignored, as a server may. A range that ends before it begins is refused, as a server may too: a
 * client that sends it has lost count, and the whole blob would not help it. An empty blob is always served whole.
 */
export function parseRange(header: string | null, sizeBytes: number): RangeRequest {
  const match = header === null ? null : /^bytes=\s*([0-9]*)-([0-9]*)\s*$/i.exec(header)
  if (match === null || sizeBytes === 0) return 'whole'
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return 'whole'
  if (from === '') return lastBytes(Number(to), sizeBytes)
  const first = Number(from)
  const last = to === '' ? sizeBytes - 1 : Math.min(Number(to), sizeBytes - 1)
  return first > last ? 'unsatisfiable' : { first, last }
}

function lastBytes(countBytes: number, sizeBytes: number): RangeRequest {
  if (countBytes === 0) return 'unsatisfiable'
  return { first: Math.max(0, sizeBytes - countBytes), last: sizeBytes - 1 }
}

/** What a `Content-Range` of an upload says: where the part begins and how long it is. */
export interface PartRange {
  readonly firstByte: number
  readonly lengthBytes: number
}

/**
 * Reads the `Content-Range` of a part, `first-last` as OCI writes it or `bytes first-last/size` as HTTP does; `undefined`
 * when there is none. Throws `request-malformed` when it cannot be read, or is not as long as the body.
 */
export function parsePartRange(header: string | null, contentLength: number | undefined): PartRange | undefined {
  if (header === null) return undefined
  const match = /^(?:bytes[ =])?([0-9]{1,15})-([0-9]{1,15})(?:\/(?:[0-9]{1,15}|\*))?$/.exec(header.trim())
  if (match === null) throw requestMalformed('The Content-Range is not of the form <first byte>-<last byte>')
  const firstByte = Number(match[1])
  const lengthBytes = Number(match[2]) - firstByte + 1
  if (lengthBytes < 1) throw requestMalformed('The Content-Range ends before it begins')
  if (contentLength !== undefined && contentLength !== lengthBytes)
    throw requestMalformed(`The Content-Range spans ${lengthBytes} bytes, the Content-Length is ${contentLength}`)
  return { firstByte, lengthBytes }
}

/** What an upload holds, as its `Range` header. An upload without bytes says `0-0`, as ECR does: docker wants one there. */
export function receivedRange(sizeBytes: number): string {
  return `0-${Math.max(0, sizeBytes - 1)}`
}
