import { accountRootArn } from '../../domain/arn.ts'
import { securityTokenExpired, securityTokenInvalid } from '../../domain/errors.ts'
import { isRegistryId, type Registry, type RegistryId } from '../../domain/names.ts'
import { type Principal, rootPrincipal, userPrincipal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { AccessKey, MetadataStore } from '../../stores/metadata.ts'
import type { SessionRecord } from '../../stores/sessions.ts'

import type { KeyUses } from './key-uses.ts'

/** An access key whose signature was looked at. */
export interface CheckedKey {
  readonly accessKeyId: string
  /** False: nobody here knows the key, and the profile accepts it as it is. */
  readonly isVerified: boolean
  /** Where and for what it signed. */
  readonly region?: string | undefined
  readonly service?: string | undefined
}

/** What a signature is verified by, and whether the key is still good. */
export interface KeySecrets {
  readonly secretAccessKey: string
  /** Temporary keys come with a token that every request must repeat: its SHA-256 in hex. */
  readonly sessionTokenHash?: string | undefined
  /** Why the key opens nothing any more. */
  readonly refusal?: 'invalid' | 'expired' | undefined
}

interface KnownKey {
  readonly secretAccessKey: string
  readonly sessionTokenHash?: string | undefined
  /** Absent: the key is switched off, or whoever is behind it is gone. */
  readonly principal: Principal | undefined
}

const REMEMBERED_MAX = 10_000

/**
 * Who is behind an access key: keys that this registry issued, and (in the dev profile) any other. What was read is
 * remembered until anything about identities, keys or policies changes, so that a known caller costs no look.
 */
export class Callers {
  readonly #metadata: MetadataStore
  readonly #defaultRegistry: Registry
  readonly #clock: Clock
  readonly #uses: KeyUses | undefined
  readonly #remembered = new Map<string, KnownKey>()
  #revision = -1

  constructor(metadata: MetadataStore, defaultRegistry: Registry, clock: Clock, uses?: KeyUses) {
    this.#metadata = metadata
    this.#defaultRegistry = defaultRegistry
    this.#clock = clock
    this.#uses = uses
  }

  /** `undefined`: this registry did not issue the key. */
  async findSecrets(accessKeyId: string): Promise<KeySecrets | undefined> {
    const known = await this.#find(accessKeyId)
    if (known === undefined) return undefined
    const { secretAccessKey, sessionTokenHash } = known
    return { secretAccessKey, sessionTokenHash, refusal: this.#refusalOf(known) }
  }

  /**
   * The caller behind a key. One that was accepted without verification (the dev profile) means the root of an account:
   * of that account if it has twelve digits, of the default account otherwise. Throws `security-token-invalid` and
   * `security-token-expired` when a verified key is no good any more.
   */
  async identify({ accessKeyId, isVerified, region = '', service = '' }: CheckedKey): Promise<Principal> {
    const known = await this.#find(accessKeyId)
    if (known !== undefined) {
      if (this.#refusalOf(known) === 'expired') throw securityTokenExpired()
      if (known.principal === undefined) throw securityTokenInvalid()
      if (isVerified) this.#uses?.note(known.principal, region, service)
      return known.principal
    }
    if (isVerified) throw securityTokenInvalid()
    const accountId = isRegistryId(accessKeyId) ? accessKeyId : this.#defaultRegistry.registryId
    return rootPrincipal(accountId, this.#rootArn(accountId), accessKeyId)
  }

  /** Whom a key's login tokens speak for, also once a session has ended; `undefined` when the key is unknown or no good. */
  async findBearer(accessKeyId: string): Promise<Principal | undefined> {
    return (await this.#find(accessKeyId))?.principal
  }

  /** Whether this registry issued the key. */
  async isOurs(accessKeyId: string): Promise<boolean> {
    return (await this.#find(accessKeyId)) !== undefined
  }

  #refusalOf({ principal }: KnownKey): KeySecrets['refusal'] {
    if (principal === undefined) return 'invalid'
    const { session } = principal
    return session !== undefined && session.expiresAt <= this.#clock.now() ? 'expired' : undefined
  }

  async #find(accessKeyId: string): Promise<KnownKey | undefined> {
    const revision = this.#metadata.policyRevision
    if (revision !== this.#revision) {
      this.#remembered.clear()
      this.#revision = revision
    }
    const remembered = this.#remembered.get(accessKeyId)
    if (remembered !== undefined) return remembered
    const known = await this.#load(accessKeyId)
    // What was read while something changed may be the old state.
    if (known !== undefined && this.#metadata.policyRevision === revision && this.#revision === revision) {
      if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear()
      this.#remembered.set(accessKeyId, known)
    }
    return known
  }

  async #load(accessKeyId: string): Promise<KnownKey | undefined> {
    const { credentials, sessions } = this.#metadata.view
    const key = await credentials.findAccessKey(accessKeyId)
    if (key !== undefined) return { secretAccessKey: key.secretAccessKey, principal: ownerOf(key) }
    const session = await sessions.find(accessKeyId)
    if (session === undefined) return undefined
    const { secretAccessKey, tokenHash } = session
    return { secretAccessKey, sessionTokenHash: tokenHash, principal: await this.#principalOf(session) }
  }

  /** A session is worth what the identity behind it, and the key that asked for it, are worth now. */
  async #principalOf({ principal, identityId, parentKeyId }: SessionRecord): Promise<Principal | undefined> {
    if (parentKeyId !== undefined && (await this.#find(parentKeyId))?.principal === undefined) return undefined
    if (identityId === '') return principal
    const identity = await this.#metadata.view.iam.findByUniqueId(identityId)
    return identity && { ...principal, tags: mergeTags(principal.tags, identity.tags) }
  }

  #rootArn(registryId: RegistryId): string {
    return accountRootArn({ registryId, region: this.#defaultRegistry.region })
  }
}

/** Tags of the session win over those of the identity; IAM does not tell cases of keys apart. */
function mergeTags(ofSession: readonly ResourceTag[], ofIdentity: readonly ResourceTag[]): readonly ResourceTag[] {
  const keys = new Set(ofSession.map(({ key }) => key.toLowerCase()))
  return [...ofSession, ...ofIdentity.filter(({ key }) => !keys.has(key.toLowerCase()))]
}

/** Whose a long-lived key is; `undefined` while it is inactive. */
function ownerOf({ accessKeyId, accountId, principalArn, status, user }: AccessKey): Principal | undefined {
  if (status !== 'Active' || !isRegistryId(accountId)) return undefined
  if (user === undefined) return rootPrincipal(accountId, principalArn, accessKeyId)
  return { ...userPrincipal(accountId, principalArn, user.uniqueId, accessKeyId), tags: user.tags }
}
