import { accountOfAccessKeyId } from '../../domain/access-key-id.ts'
import { accessDenied } from '../../domain/errors.ts'
import type { Principal } from '../../domain/principal.ts'
import { checkMayCallSts } from '../../domain/session-limits.ts'
import { type SessionTags, sessionTags } from '../../domain/session-tags.ts'
import { validationError } from '../../domain/sts-errors.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { Callers } from '../credentials/callers.ts'
import type { Sessions, TemporaryCredentials } from '../credentials/sessions.ts'
import { type Narrowing, sessionPolicies } from './session-policies.ts'

const SECONDS_DEFAULT = 43_200
/** Of an account's root. */
const ROOT_SECONDS_MAX = 3600

/** Credentials for somebody outside, in a user's name. */
export interface FederationRequest extends Narrowing, SessionTags {
  readonly name: string
  readonly durationSeconds?: number | undefined
}

export interface FederatedUser {
  readonly credentials: TemporaryCredentials
  readonly arn: string
  readonly federatedUserId: string
  readonly packedSize: number
}

/** Sessions that users begin for themselves, or for somebody outside; they die with the key that asked for them. */
export class UserSessions {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #callers: Callers
  readonly #sessions: Sessions

  constructor(metadata: MetadataStore, access: Access, callers: Callers, sessions: Sessions) {
    this.#metadata = metadata
    this.#access = access
    this.#callers = callers
    this.#sessions = sessions
  }

  /** The account is part of a key's id; whether the key exists is not said. Throws `access-denied`, `invalid-parameter`. */
  async accountOfKey(caller: Principal, accessKeyId: string): Promise<string> {
    checkMayCallSts(caller, 'GetAccessKeyInfo')
    await this.#authorize(caller, 'sts:GetAccessKeyInfo')
    const account = accountOfAccessKeyId(accessKeyId)
    if (account === undefined) throw validationError('Invalid Access Key ID')
    return account
  }

  /** Temporary credentials of the caller's own. Throws `access-denied` for one who has such already, names a second factor, or is denied them. */
  async begin(
    caller: Principal,
    durationSeconds: number | undefined,
    isWithSecondFactor: boolean,
  ): Promise<TemporaryCredentials> {
    if (caller.session !== undefined)
      throw denied(caller, 'GetSessionToken', 'Cannot call GetSessionToken with session credentials')
    if (isWithSecondFactor)
      throw denied(
        caller,
        'GetSessionToken',
        'MultiFactorAuthentication failed, unable to validate MFA code: no user here has a device.',
      )
    await this.#refuseDenied(caller)
    const isRoot = caller.kind === 'root'
    const wanted = durationSeconds ?? SECONDS_DEFAULT
    const { circumstances: _, session: __, accessKeyId, ...principal } = caller
    return this.#sessions.issue({
      principal: { ...principal, tags: [] },
      session: { name: 'session', policies: [], facts: {} },
      durationSeconds: isRoot ? Math.min(wanted, ROOT_SECONDS_MAX) : wanted,
      identityId: isRoot ? '' : caller.userId,
      parentKeyId: await this.#parentOf(accessKeyId),
      transitiveTagKeys: [],
    })
  }

  /** Throws `access-denied`, `policy-malformed`, `packed-policy-too-large`, `invalid-parameter`. */
  async federate(caller: Principal, request: FederationRequest): Promise<FederatedUser> {
    const { name, durationSeconds = SECONDS_DEFAULT } = request
    if (caller.kind !== 'user' || caller.session !== undefined)
      throw denied(caller, 'GetFederationToken', 'Only a user with a long-lived access key can call GetFederationToken')
    const { accountId } = caller
    const partition = caller.arn.split(':')[1] ?? 'aws'
    const arn = `arn:${partition}:sts::${accountId}:federated-user/${name}`
    const { tags } = sessionTags(request, { tags: [], transitiveKeys: [] })
    const details = { requestTags: tags }
    await this.#access.authorize(caller, 'sts:GetFederationToken', { arn, ownerAccountId: accountId }, details)
    if (tags.length > 0)
      await this.#access.authorize(caller, 'sts:TagSession', { arn, ownerAccountId: accountId }, details)
    const { texts: policies, packedSize } = await sessionPolicies(this.#metadata, accountId, request, tags)
    const federatedUserId = `${accountId}:${name}`
    const credentials = await this.#sessions.issue({
      principal: { kind: 'federated-user', accountId, arn, identityArn: caller.arn, userId: federatedUserId, tags },
      session: { name, policies, facts: {} },
      durationSeconds,
      identityId: caller.userId,
      parentKeyId: await this.#parentOf(caller.accessKeyId),
      transitiveTagKeys: [],
    })
    return { credentials, arn, federatedUserId, packedSize }
  }

  /** No policy must allow it, but any may deny it. */
  async #refuseDenied(caller: Principal): Promise<void> {
    const everybody = { arn: '*', ownerAccountId: caller.accountId }
    const { outcome } = await this.#access.decide(caller, 'sts:GetSessionToken', everybody)
    if (outcome === 'denied') await this.#authorize(caller, 'sts:GetSessionToken')
  }

  /** For what is about nothing in particular. */
  async #authorize(caller: Principal, action: `sts:${string}`): Promise<void> {
    await this.#access.authorize(caller, action, { arn: '*', ownerAccountId: caller.accountId })
  }

  /** Where any key is accepted, one that nobody knows cannot be revoked. */
  async #parentOf(accessKeyId: string): Promise<string | undefined> {
    return (await this.#callers.isOurs(accessKeyId)) ? accessKeyId : undefined
  }
}

function denied({ arn }: Principal, operation: string, why: string) {
  return accessDenied(arn, `sts:${operation}`, '*', `because: ${why}`)
}
