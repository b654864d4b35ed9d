import { timingSafeEqual } from 'node:crypto'
import {
  securityTokenExpired,
  securityTokenInvalid,
  signatureExpired,
  signatureMismatch,
  signatureRefused,
} from '../../../domain/errors.ts'
import type { Region } from '../../../domain/names.ts'
import type { KeySecrets, SignatureAttempts } from '../context.ts'
import { printAmzDate } from './amz-date.ts'
import { canonicalRequest, sha256Hex } from './canonical-request.ts'
import { readSignature, type Signature } from './signature.ts'
import { hmac, signingKey } from './signing-key.ts'

const SKEW_MS = 5 * 60 * 1000

/** Headers that decide what a request does: whoever could change them unseen could change the request. */
const MUST_BE_SIGNED = ['x-amz-content-sha256', 'x-amz-date', 'x-amz-security-token', 'x-amz-target']

/** A request as a signature covers it. */
export interface SignedRequest {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  /** Asked for only when all else is in order, so that nobody reads a stranger's body. */
  body(): Promise<Uint8Array>
}

export interface VerifyOptions {
  /** The services whose scope is accepted; absent: any. */
  readonly services?: readonly string[] | undefined
  /** Accept keys that nobody knows without verification. */
  readonly acceptsUnknownKeys: boolean
  /** Counts wrong signatures by key and by where they come from. */
  readonly attempts?: SignatureAttempts | undefined
  readonly remoteAddress?: string | undefined
}

/** Whose signature it is, and for where. */
export interface SignedBy {
  readonly accessKeyId: string
  readonly region: Region
  readonly service: string
  readonly signedHeaders: readonly string[]
  /** False: an unknown key, accepted as it is. */
  readonly isVerified: boolean
}

/**
 * Checks the AWS signature (version 4) of a request, in its header or its query.
 * Throws `authentication-missing`, `signature-incomplete`, `signature-expired`, `signature-mismatch`,
 * `security-token-invalid`, and whatever `request.body` throws.
 */
export async function verifySigV4(
  request: SignedRequest,
  findSecrets: (accessKeyId: string) => Promise<KeySecrets | undefined>,
  now: Date,
  options: VerifyOptions,
): Promise<SignedBy> {
  const { services, acceptsUnknownKeys, attempts, remoteAddress = '' } = options
  const signature = readSignature(request.url, request.headers)
  const { accessKeyId, scope, signedHeaders } = signature
  const secrets = await findSecrets(accessKeyId)
  const signedBy = { accessKeyId, region: scope.region, service: scope.service, signedHeaders }
  if (secrets === undefined) {
    if (!acceptsUnknownKeys) throw securityTokenInvalid()
    await payloadHash(request)
    return { ...signedBy, isVerified: false }
  }
  if (secrets.refusal === 'invalid') throw securityTokenInvalid()
  const guesser = `${remoteAddress} ${accessKeyId}`
  attempts?.admit(guesser)
  checkMoment(signature, now)
  if (services !== undefined && !services.includes(scope.service))
    throw signatureRefused(`Credential should be scoped to correct service: '${services.join("' or '")}'.`)
  checkSignedHeaders(request.headers, signature)
  const tokenHash = signature.sessionToken === undefined ? '' : sha256Hex(signature.sessionToken)
  if (!isSame(tokenHash, secrets.sessionTokenHash ?? '')) throw securityTokenInvalid()
  const expected = sign(
    secrets.secretAccessKey,
    signature,
    canonicalRequest({
      method: request.method,
      url: request.url,
      headers: request.headers,
      signedHeaders,
      payloadHash: await payloadHash(request),
    }),
  )
  if (!isSame(signature.signature, expected)) {
    attempts?.failed(guesser)
    throw signatureMismatch()
  }
  // Said only to whoever had the secret.
  if (secrets.refusal === 'expired') throw securityTokenExpired()
  return { ...signedBy, isVerified: true }
}

/** A signature is good for five minutes around its date; a pre-signed one for as long as it says. */
function checkMoment({ signedAt, expiresSeconds }: Signature, now: Date): void {
  const lifetimeMs = expiresSeconds === undefined ? SKEW_MS : expiresSeconds * 1000
  const words = expiresSeconds === undefined ? '5 min.' : `${expiresSeconds} sec.`
  const nowText = printAmzDate(now)
  const signedText = printAmzDate(signedAt)
  const earliest = new Date(now.getTime() - lifetimeMs)
  const latest = new Date(now.getTime() + SKEW_MS)
  if (signedAt < earliest)
    throw signatureExpired(
      `Signature expired: ${signedText} is now earlier than ${printAmzDate(earliest)} (${nowText} - ${words})`,
    )
  if (signedAt > latest)
    throw signatureExpired(
      `Signature not yet current: ${signedText} is still later than ${printAmzDate(latest)} (${nowText} + 5 min.)`,
    )
}

function checkSignedHeaders(headers: Headers, { signedHeaders }: Signature): void {
  if (!signedHeaders.includes('host'))
    throw signatureRefused("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
  const unsigned = MUST_BE_SIGNED.filter((name) => headers.has(name) && !signedHeaders.includes(name))
  if (unsigned.length > 0)
    throw signatureRefused(`There were headers present in the request which were not signed: ${unsigned.join(', ')}`)
}

/** The real hash of the body, which is also what the client must have named, if it named one. */
async function payloadHash({ headers, body }: SignedRequest): Promise<string> {
  const hash = sha256Hex(await body())
  const named = headers.get('x-amz-content-sha256')
  if (named !== null && named !== hash) throw signatureMismatch()
  return hash
}

function sign(secretAccessKey: string, { signedAt, scope }: Signature, canonical: string): string {
  const scopeText = `${scope.date}/${scope.region}/${scope.service}/aws4_request`
  const stringToSign = `AWS4-HMAC-SHA256\n${printAmzDate(signedAt)}\n${scopeText}\n${sha256Hex(canonical)}`
  return hmac(signingKey(secretAccessKey, scope), stringToSign).toString('hex')
}

/** Compares in a time that does not tell where two texts differ. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
