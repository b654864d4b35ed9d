import type { ResourceTag } from './repository.ts'
import type { SessionTags } from './session-tags.ts'
import { invalidIdentityToken } from './sts-errors.ts'

/** What the token of a web identity says, as far as sessions matter; its signature was verified. */
export interface WebIdentity {
  readonly issuer: string
  readonly subject: string
  /** Whom the token is for. */
  readonly audiences: readonly string[]
  readonly tags: SessionTags
  readonly sourceIdentity: string | undefined
  readonly claims: Readonly<Record<string, unknown>>
}

/** Claims that conditions may ask of any issuer. */
const COMMON_CLAIMS = ['amr', 'azp', 'email', 'oaud', 'sub']
/** Those that AWS documents for GitHub Actions, for the trust policy alone: the session does not keep them. */
const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com'
const GITHUB_CLAIMS = [
  ...['actor', 'actor_id', 'enterprise_id', 'environment', 'job_workflow_ref', 'ref', 'repository', 'repository_id'],
  'workflow',
]
const TAGS_CLAIM = 'https://aws.amazon.com/tags'
const SOURCE_IDENTITY_CLAIM = 'https://aws.amazon.com/source_identity'

/** An issuer as IAM names its provider: without the scheme. */
export function providerNameOf(issuer: string): string {
  return issuer.replace(/^https?:\/\//, '').replace(/\/$/, '')
}

/** Reads the claims of a verified token. Throws `identity-token-invalid` for what they lack. */
export function readWebIdentity(claims: Readonly<Record<string, unknown>>): WebIdentity {
  const { iss, sub, aud, azp, exp, iat } = claims
  if (typeof iss !== 'string') throw invalidIdentityToken('Missing a required claim: iss')
  if (typeof sub !== 'string' || sub === '') throw invalidIdentityToken('Missing a required claim: sub')
  if (typeof exp !== 'number') throw invalidIdentityToken('Missing a required claim: exp')
  if (typeof iat !== 'number') throw invalidIdentityToken('Missing a required claim: iat')
  const listed: readonly unknown[] = Array.isArray(aud) ? aud : [aud]
  const audiences = listed.filter((one) => typeof one === 'string')
  if (audiences.length === 0) throw invalidIdentityToken('Missing a required claim: aud')
  return {
    issuer: iss,
    subject: sub,
    // The party that a token was issued to counts, where it says one.
    audiences: typeof azp === 'string' && audiences.length > 1 ? [azp] : audiences,
    tags: readTags(claims[TAGS_CLAIM]),
    sourceIdentity: readSourceIdentity(claims[SOURCE_IDENTITY_CLAIM]),
    claims,
  }
}

/** What trust policies may ask of the token, by keys such as `token.actions.githubusercontent.com:sub`, in lower case. */
export function factsOfWebIdentity(
  identity: WebIdentity,
  audience: string,
): Readonly<Record<string, string | readonly string[]>> {
  const ofIssuer = identity.issuer === GITHUB_ISSUER ? GITHUB_CLAIMS : []
  return { ...sessionFactsOf(identity, audience), ...claimsOf(identity, ofIssuer) }
}

/** What all policies may ask throughout the session. */
export function sessionFactsOf(
  identity: WebIdentity,
  audience: string,
): Readonly<Record<string, string | readonly string[]>> {
  return { [`${prefixOf(identity)}:aud`]: audience, ...claimsOf(identity, COMMON_CLAIMS) }
}

function prefixOf({ issuer }: WebIdentity): string {
  return providerNameOf(issuer).toLowerCase()
}

function claimsOf(
  identity: WebIdentity,
  names: readonly string[],
): Readonly<Record<string, string | readonly string[]>> {
  const facts: Record<string, string | readonly string[]> = {}
  for (const name of names) {
    const value = identity.claims[name]
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      facts[`${prefixOf(identity)}:${name}`] = String(value)
    else if (Array.isArray(value) && value.length > 0) facts[`${prefixOf(identity)}:${name}`] = value.map(String)
  }
  return facts
}

function readTags(claim: unknown): SessionTags {
  if (claim === undefined) return { tags: [], transitiveKeys: [] }
  const { principal_tags: given = {}, transitive_tag_keys: keys = [] } = Object(claim) as Record<string, unknown>
  const tags: ResourceTag[] = []
  for (const [key, values] of Object.entries(Object(given) as Record<string, unknown>)) {
    const [value] = [values].flat()
    if (typeof value !== 'string' || key.length > 128 || value.length > 256)
      throw invalidIdentityToken('The tags of the token cannot be read')
    tags.push({ key, value })
  }
  if (!Array.isArray(keys) || !keys.every((key) => typeof key === 'string'))
    throw invalidIdentityToken('The tags of the token cannot be read')
  return { tags, transitiveKeys: keys }
}

function readSourceIdentity(claim: unknown): string | undefined {
  if (claim === undefined) return undefined
  if (typeof claim === 'string' && /^[\w+=,.@-]{2,64}$/.test(claim)) return claim
  throw invalidIdentityToken('The source identity of the token cannot be read')
}
