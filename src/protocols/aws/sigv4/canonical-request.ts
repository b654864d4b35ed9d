import { createHash } from 'node:crypto'

/** What of a request a signature covers. */
export interface CanonicalParts {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  /** Lower case and sorted. */
  readonly signedHeaders: readonly string[]
  /** Hex. */
  readonly payloadHash: string
}

/** The text that a client signed, rebuilt (Signature Version 4, "create a canonical request"). */
export function canonicalRequest({ method, url, headers, signedHeaders, payloadHash }: CanonicalParts): string {
  const headerLines = signedHeaders.map((name) => `${name}:${canonicalValue(headers.get(name) ?? '')}\n`)
  const lines = [
    method,
    canonicalPath(url.pathname),
    canonicalQuery(url.search),
    headerLines.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ]
  return lines.join('\n')
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Trimmed, with runs of blanks as one. An absent header reads as an empty one. */
function canonicalValue(value: string): string {
  return value.replace(/[ \t]+/g, ' ').replace(/^ | $/g, '')
}

/** The path with its segments encoded once more, as every service but S3 has it. Dot segments are gone from a URL's path. */
function canonicalPath(path: string): string {
  const encoded = path
    .split('/')
    .filter((segment) => segment !== '')
    .map(encode)
    .join('/')
  return encoded === '' ? '/' : `/${encoded}${path.endsWith('/') ? '/' : ''}`
}

/** Name and value encoded in AWS's way, sorted by code point, without the signature itself. */
function canonicalQuery(search: string): string {
  const pairs = queryPairs(search)
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => [encode(name), encode(value)] as const)
  pairs.sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
  return pairs.map(([name, value]) => `${name}=${value}`).join('&')
}

/** The pairs of a query string, decoded; a `+` is a plus. */
export function queryPairs(search: string): readonly (readonly [name: string, value: string])[] {
  const pieces = search.replace(/^\?/, '').split('&')
  return pieces
    .filter((piece) => piece !== '')
    .map((piece) => {
      const equals = piece.indexOf('=')
      return equals < 0
        ? ([decode(piece), ''] as const)
        : ([decode(piece.slice(0, equals)), decode(piece.slice(equals + 1))] as const)
    })
}

/** What is not well-formed percent-encoding stays as it is: no client signs such a thing, so the signature will differ. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Everything but letters, digits and `-._~` percent-encoded. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
