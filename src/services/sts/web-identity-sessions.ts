import { type ErrorCode, isRegistryError } from '../../domain/errors.ts'
import { applies } from '../../domain/iam/evaluate.ts'
import { factsOf, type MoreFacts } from '../../domain/iam/facts.ts'
import { parseTrustPolicy } from '../../domain/iam/iam-policies.ts'
import type { Policy } from '../../domain/iam/policy.ts'
import { meansOutsider } from '../../domain/iam/principals.ts'
import { ANONYMOUS, type Circumstances } from '../../domain/principal.ts'
import { sessionTags } from '../../domain/session-tags.ts'
import { assumeRoleWithWebIdentityDenied, invalidIdentityToken } from '../../domain/sts-errors.ts'
import { factsOfWebIdentity, providerNameOf, sessionFactsOf, type WebIdentity } from '../../domain/web-identity.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { Attempts, guesserOf } from '../credentials/attempts.ts'
import type { Sessions } from '../credentials/sessions.ts'
import { type AssumedRole, beginRoleSession, findRole, type NamedRole, sessionSeconds } from './assumed-role.ts'
import { type Narrowing, sessionPolicies } from './session-policies.ts'
import { type IssuerKeys, peekIssuer, verifyWebIdentity } from './verify-web-identity.ts'

/** Taking on a role by the word of an OpenID Connect issuer. */
export interface WebIdentityRequest extends Narrowing {
  readonly roleArn: string
  readonly sessionName: string
  readonly token: string
  readonly durationSeconds?: number | undefined
}

export interface AssumedByWebIdentity extends AssumedRole {
  readonly subject: string
  readonly audience: string
  /** The ARN of the provider. */
  readonly provider: string
}

/** Bad tokens in a minute from one address, before more are refused unseen. */
const BAD_TOKENS_MAX = 60
const BAD_TOKENS: readonly ErrorCode[] = [
  'identity-token-invalid',
  'identity-token-expired',
  'identity-claim-rejected',
  'access-denied',
]

/** Where the request comes from, which trust policies may ask. */
type From = Circumstances

/**
 * Sessions of roles for whoever brings a token of an issuer that the role's account has registered. Nothing is asked of the
 * outside before account and issuer are known here.
 */
export class WebIdentitySessions {
  readonly #metadata: MetadataStore
  readonly #sessions: Sessions
  readonly #keys: IssuerKeys
  readonly #clock: Clock
  readonly #attempts: Attempts

  /** `clock`: real time, which is what the tokens of others go by. */
  constructor(metadata: MetadataStore, sessions: Sessions, keys: IssuerKeys, clock: Clock) {
    this.#metadata = metadata
    this.#sessions = sessions
    this.#keys = keys
    this.#clock = clock
    this.#attempts = new Attempts(clock, BAD_TOKENS_MAX)
  }

  /**
   * Throws `identity-token-invalid`, `identity-token-expired`, `identity-claim-rejected`, `identity-provider-unreachable`,
   * `access-denied`, `invalid-parameter`, `policy-malformed`, `packed-policy-too-large`, and `throttled` for an address from
   * which too many bad tokens came.
   */
  async assume(request: WebIdentityRequest, from: From): Promise<AssumedByWebIdentity> {
    const guesser = guesserOf(from.sourceIp)
    this.#attempts.admit(guesser)
    try {
      return await this.#assume(request, from)
    } catch (thrown) {
      if (isRegistryError(thrown, ...BAD_TOKENS)) this.#attempts.failed(guesser)
      throw thrown
    }
  }

  async #assume(request: WebIdentityRequest, from: From): Promise<AssumedByWebIdentity> {
    const role = await findRole(this.#metadata, request.roleArn)
    const issuer = await peekIssuer(request.token)
    const accountId = role?.role.accountId
    const provider =
      accountId && (await this.#metadata.view.iam.find('oidc-provider', accountId, providerNameOf(issuer)))
    if (
      role === undefined ||
      provider === undefined ||
      provider.attributes.url.replace(/\/$/, '') !== issuer.replace(/\/$/, '')
    )
      throw invalidIdentityToken(`No OpenIDConnect provider found in your account for ${issuer.slice(0, 256)}`)
    const identity = await verifyWebIdentity(request.token, issuer, this.#keys, this.#clock.now())
    const audience = identity.audiences.find((one) => provider.attributes.clientIds.includes(one))
    if (audience === undefined) throw invalidIdentityToken('Incorrect token audience')
    const providerArn = `arn:${role.partition}:iam::${role.role.accountId}:oidc-provider/${provider.name}`
    if (!this.#isTrusted(role, providerArn, identity, audience, request, from)) throw assumeRoleWithWebIdentityDenied()
    const seconds = sessionSeconds(role, request.durationSeconds, false)
    const tags = sessionTags(identity.tags, { tags: [], transitiveKeys: [] })
    const { texts: policies, packedSize } = await sessionPolicies(
      this.#metadata,
      role.role.accountId,
      request,
      tags.tags,
    )
    const facts = { ...onlyTexts(sessionFactsOf(identity, audience)), 'aws:federatedprovider': providerArn }
    const session = { name: request.sessionName, policies, sourceIdentity: identity.sourceIdentity, facts }
    const begun = await beginRoleSession(this.#sessions, role, tags, session, seconds)
    return { ...begun, packedSize, subject: identity.subject, audience, provider: providerArn }
  }

  #isTrusted(
    { role, arn }: NamedRole,
    federated: string,
    identity: WebIdentity,
    audience: string,
    { sessionName }: WebIdentityRequest,
    circumstances: From,
  ): boolean {
    const policy = trustOf(role.attributes.trustPolicy)
    const { tags, transitiveKeys } = identity.tags
    const more: MoreFacts = {
      ...factsOfWebIdentity(identity, audience),
      'aws:federatedprovider': federated,
      'sts:rolesessionname': sessionName,
      'sts:sourceidentity': identity.sourceIdentity,
      'sts:transitivetagkeys': transitiveKeys.length === 0 ? undefined : transitiveKeys,
    }
    const actions = ['sts:assumerolewithwebidentity']
    if (tags.length > 0) actions.push('sts:tagsession')
    if (identity.sourceIdentity !== undefined) actions.push('sts:setsourceidentity')
    return actions.every((action) => {
      const principal = { ...ANONYMOUS, circumstances }
      const facts = factsOf({
        ...{ principal, action, ownerAccountId: role.accountId, now: this.#clock.now(), resourceTags: role.tags },
        ...{ requestTags: tags, tagKeys: tags.map(({ key }) => key), more },
      })
      const request = { principal, action, resource: arn, ownerAccountId: role.accountId, facts }
      const about = policy.statements.filter(
        (statement) =>
          statement.principals !== undefined &&
          (meansOutsider(statement.principals, { federated }) || statement.principals.isAnyone) &&
          applies(statement, request),
      )
      const isDenied = about.some(({ effect }) => effect === 'Deny')
      const isAllowed = about.some(
        ({ effect, principals }) =>
          effect === 'Allow' && principals !== undefined && meansOutsider(principals, { federated }),
      )
      return isAllowed && !isDenied
    })
  }
}

/** It was checked when it was stored; one that cannot be read lets nobody in. */
function trustOf(text: string): Policy {
  try {
    return parseTrustPolicy(text)
  } catch (cause) {
    throw new Error('A stored trust policy cannot be read', { cause })
  }
}

/** What a session remembers of the token. */
function onlyTexts(facts: Readonly<Record<string, string | readonly string[]>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(facts).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
  )
}
