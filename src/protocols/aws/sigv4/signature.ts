import { createHash } from 'node:crypto'
import { authenticationMissing, signatureIncomplete, signatureRefused } from '../../../domain/errors.ts'
import { isRegion, type Region } from '../../../domain/names.ts'
import { parseAmzDate } from './amz-date.ts'
import { queryPairs } from './canonical-request.ts'
import type { Scope } from './signing-key.ts'

const ALGORITHM = 'AWS4-HMAC-SHA256'
const EXPIRES_MAX_SECONDS = 604_800

/** A signature as the client wrote it, in its header or query; nothing of it is verified yet. */
export interface Signature {
  readonly accessKeyId: string
  readonly scope: Scope & { readonly region: Region }
  readonly signedAt: Date
  /** Lower case and sorted. */
  readonly signedHeaders: readonly string[]
  /** Hex as sent. */
  readonly signature: string
  readonly sessionToken: string | undefined
  /** Of a pre-signed request only. */
  readonly expiresSeconds: number | undefined
}

/** Reads the signature of a request. Throws `authentication-missing`, `signature-incomplete`, `signature-mismatch`. */
export function readSignature(url: URL, headers: Headers): Signature {
  const authorization = headers.get('authorization')
  const query = new Map(queryPairs(url.search))
  if (query.has('X-Amz-Algorithm')) {
    if (authorization !== null)
      throw signatureRefused("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
    return fromQuery(query)
  }
  if (authorization === null || !authorization.startsWith('AWS4-')) throw authenticationMissing()
  return fromHeader(authorization, headers)
}

function fromHeader(authorization: string, headers: Headers): Signature {
  const space = authorization.indexOf(' ')
  const algorithm = space < 0 ? authorization : authorization.slice(0, space)
  checkAlgorithm(algorithm)
  const fields = authorizationFields(space < 0 ? '' : authorization.slice(space + 1), authorization)
  const date = headers.get('x-amz-date') ?? undefined
  const credential = fields.get('Credential')
  const signedHeaders = fields.get('SignedHeaders')
  const signature = fields.get('Signature')
  if (!credential || !signedHeaders || !signature || !date) {
    const sentences = ['Credential', 'Signature', 'SignedHeaders']
      .filter((name) => !fields.get(name))
      .map((name) => `Authorization header requires '${name}' parameter.`)
    if (!date) sentences.push("Authorization header requires existence of a 'X-Amz-Date' header.")
    throw signatureIncomplete(`${sentences.join(' ')} ${quoted(authorization)}`)
  }
  return {
    ...readCredential(credential, date),
    signedHeaders: readSignedHeaders(signedHeaders),
    signature,
    sessionToken: headers.get('x-amz-security-token') || undefined,
    expiresSeconds: undefined,
  }
}

function fromQuery(query: ReadonlyMap<string, string>): Signature {
  checkAlgorithm(query.get('X-Amz-Algorithm') ?? '')
  const credential = query.get('X-Amz-Credential')
  const signedHeaders = query.get('X-Amz-SignedHeaders')
  const signature = query.get('X-Amz-Signature')
  const date = query.get('X-Amz-Date')
  const expires = query.get('X-Amz-Expires')
  if (!credential || !signedHeaders || !signature || !date || !expires) {
    const sentences = ['Credential', 'Signature', 'SignedHeaders', 'Date', 'Expires']
      .filter((name) => !query.get(`X-Amz-${name}`))
      .map((name) => `AWS query-string parameters must include 'X-Amz-${name}'.`)
    throw signatureIncomplete(`${sentences.join(' ')} Re-examine the query-string parameters.`)
  }
  if (!/^\d{1,6}$/.test(expires) || Number(expires) > EXPIRES_MAX_SECONDS)
    throw signatureIncomplete(`X-Amz-Expires must be a number of seconds from 0 to ${EXPIRES_MAX_SECONDS}`)
  return {
    ...readCredential(credential, date),
    signedHeaders: readSignedHeaders(signedHeaders),
    signature,
    sessionToken: query.get('X-Amz-Security-Token') || undefined,
    expiresSeconds: Number(expires),
  }
}

function checkAlgorithm(algorithm: string): void {
  if (algorithm !== ALGORITHM) throw signatureIncomplete(`Unsupported AWS 'algorithm': '${clip(algorithm)}'.`)
}

/** `Credential=…, SignedHeaders=…, Signature=…`, in any order, with or without blanks. */
function authorizationFields(text: string, authorization: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const pieces = text.trim() === '' ? [] : text.split(',')
  for (const piece of pieces.map((piece) => piece.trim())) {
    const equals = piece.indexOf('=')
    if (equals < 0)
      throw signatureIncomplete(
        `Invalid key=value pair (missing equal-sign) in Authorization header ${quoted(authorization)}`,
      )
    const name = piece.slice(0, equals)
    if (fields.has(name))
      throw signatureIncomplete(`Authorization header has '${clip(name)}' more than once. ${quoted(authorization)}`)
    fields.set(name, piece.slice(equals + 1))
  }
  return fields
}

function readCredential(credential: string, date: string): Pick<Signature, 'accessKeyId' | 'scope' | 'signedAt'> {
  const parts = credential.split('/')
  const [accessKeyId = '', scopeDate = '', region = '', service = '', terminator] = parts
  if (parts.length !== 5)
    throw signatureIncomplete(
      `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${clip(credential)}'`,
    )
  if (!/^\w{1,128}$/.test(accessKeyId)) throw signatureIncomplete('Credential must begin with an access key id.')
  if (terminator !== 'aws4_request')
    throw signatureRefused(
      `Credential should be scoped with a valid terminator: 'aws4_request', not '${clip(terminator ?? '')}'.`,
    )
  if (!isRegion(region)) throw signatureRefused('Credential should be scoped to a valid region.')
  const signedAt = parseAmzDate(date)
  if (signedAt === undefined)
    throw signatureIncomplete(
      `Date must be in ISO-8601 'basic format'. Got '${clip(date)}'. See http://en.wikipedia.org/wiki/ISO_8601`,
    )
  if (scopeDate !== date.slice(0, 8))
    throw signatureRefused(
      `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${clip(scopeDate)}' != '${date.slice(0, 8)}', from '${date}'.`,
    )
  return { accessKeyId, scope: { date: scopeDate, region, service }, signedAt }
}

/** Sorted as clients must sign them, whatever the order in which they are listed. */
function readSignedHeaders(text: string): readonly string[] {
  const names = text.toLowerCase().split(';')
  if (names.some((name) => !/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name)) || new Set(names).size !== names.length)
    throw signatureIncomplete('SignedHeaders must be a list of header names, delimited by semicolons.')
  return names.sort()
}

/** How AWS repeats a header in an error text: enough to compare it, not enough to use it. */
function quoted(authorization: string): string {
  const hash = createHash('sha256').update(authorization).digest('base64')
  return `(hashed with SHA-256 and encoded with Base64): '${hash}'.`
}

function clip(text: string): string {
  return text.slice(0, 128)
}
