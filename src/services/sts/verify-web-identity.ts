import type { JWK } from 'jose'
import { identityTokenExpired, invalidIdentityToken } from '../../domain/sts-errors.ts'
import { readWebIdentity, type WebIdentity } from '../../domain/web-identity.ts'

/** Signatures by which the public key of an issuer says that a token is its own; nothing that a public key could forge. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const CLOCK_SKEW_SECONDS = 5 * 60

/** Where the public keys of issuers come from. */
export interface IssuerKeys {
  find(issuer: string, keyId: string | undefined): Promise<readonly JWK[]>
}

/** The header and the issuer of a token that nobody has verified yet: enough to know whose keys to ask for. */
export async function peekIssuer(token: string): Promise<string> {
  const { decodeJwt, decodeProtectedHeader } = await import('jose')
  let alg: unknown
  let issuer: unknown
  try {
    alg = decodeProtectedHeader(token).alg
    issuer = decodeJwt(token).iss
  } catch (cause) {
    throw invalidIdentityToken(
      'The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)',
      {
        cause,
      },
    )
  }
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg))
    throw invalidIdentityToken(
      `The token is signed with an algorithm that is not accepted; accepted are ${ALGORITHMS.join(', ')}`,
    )
  if (typeof issuer !== 'string') throw invalidIdentityToken('Missing a required claim: iss')
  return issuer
}

/**
 * Verifies a token by its issuer's published keys; what the token itself says about keys (`jku`, `jwk`, `x5u`) is not looked
 * at. Throws `identity-token-invalid`, `identity-token-expired`, and what looking for the keys throws.
 */
export async function verifyWebIdentity(
  token: string,
  issuer: string,
  keys: IssuerKeys,
  now: Date,
): Promise<WebIdentity> {
  const { createLocalJWKSet, decodeProtectedHeader, jwtVerify } = await import('jose')
  const { kid } = decodeProtectedHeader(token)
  const found = await keys.find(issuer, kid)
  const nowSeconds = Math.floor(now.getTime() / 1000)
  try {
    const { payload } = await jwtVerify(token, createLocalJWKSet({ keys: [...found] }), {
      algorithms: ALGORITHMS,
      issuer,
      currentDate: now,
    })
    if (typeof payload.iat === 'number' && payload.iat > nowSeconds + CLOCK_SKEW_SECONDS)
      throw invalidIdentityToken('The token was issued in the future')
    return readWebIdentity(payload)
  } catch (thrown) {
    throw refusalOf(thrown, nowSeconds)
  }
}

/** Errors of the library by their codes; what is none of its own passes. */
function refusalOf(thrown: unknown, nowSeconds: number): unknown {
  const { code, claim, payload } = Object(thrown) as { code?: unknown; claim?: unknown; payload?: { exp?: number } }
  if (typeof code !== 'string' || !code.startsWith('ERR_J'))
    return thrown instanceof TypeError
      ? invalidIdentityToken("Couldn't use the verification key of your identity provider", { cause: thrown })
      : thrown
  if (code === 'ERR_JWT_EXPIRED') return identityTokenExpired(nowSeconds, payload?.exp ?? 0)
  if (code === 'ERR_JWKS_NO_MATCHING_KEY' || code === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS')
    return invalidIdentityToken(
      "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements",
    )
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED')
    return invalidIdentityToken(`The claim ${String(claim)} of the token does not hold`)
  return invalidIdentityToken('Provided Token is not a valid OIDC token: its signature does not verify')
}
