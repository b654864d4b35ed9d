import { accessDenied } from '../domain/errors.ts'
import type { Facts } from '../domain/iam/conditions.ts'
import { factsOf } from '../domain/iam/facts.ts'
import type { EncryptionContext } from '../domain/kms/encryption-context.ts'
import { aliasNotFound, grantTokenInvalid, keyIdInvalid, keyNotFound } from '../domain/kms/errors.ts'
import { keyFacts } from '../domain/kms/facts.ts'
import { type Grant, granteeNames, isGrantOperation, permits } from '../domain/kms/grant.ts'
import { aliasArn, type KmsKey, keyArn } from '../domain/kms/key.ts'
import { judge, type KeyPolicy, type KeyPolicyVerdict, parseKeyPolicy } from '../domain/kms/key-policy.ts'
import { parseKeyReference } from '../domain/kms/key-reference.ts'
import type { Region, Registry } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadataStore } from '../stores/metadata.ts'

/** Who asks for something about keys, and in which region. */
export interface KeyCaller {
  readonly principal: Principal
  readonly region: Region
  /** The service that asks on the principal's behalf. */
  readonly viaService?: string | undefined
}

/** What is asked of a key. */
export interface KeyAsk {
  readonly action: `kms:${string}`
  /** For operations that know one. */
  readonly context?: EncryptionContext | undefined
  readonly grantTokens?: readonly string[] | undefined
  /** Facts of this operation, by condition key in lower case. */
  readonly facts?: Readonly<Record<string, string | undefined>> | undefined
}

/** What other accounts can be let do; a key is administered in its own. */
const ACROSS_ACCOUNTS: ReadonlySet<string> = new Set([
  ...['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
  ...['kms:GenerateDataKeyWithoutPlaintext', 'kms:GetKeyRotationStatus', 'kms:ListGrants', 'kms:RetireGrant'],
  'kms:RevokeGrant',
])

const POLICIES_MAX = 1000

/**
 * Finds keys as callers name them, and decides who may do what with them: an explicit denial wins; then the key's policy must
 * allow it, to the principal or to its account, whose own policies then count; or else a grant.
 */
export class KeyAccess {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #policies = new Map<string, KeyPolicy>()

  constructor(metadata: MetadataStore, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  /** The key, for a caller who may do that. Throws `key-not-found`, `key-arn-invalid`, `access-denied`, `key-grant-token-invalid`. */
  async get(caller: KeyCaller, named: string, ask: KeyAsk, acceptsAlias = false): Promise<KmsKey> {
    const key = await this.find(caller, named, ask, acceptsAlias)
    await this.authorize(caller, key, ask)
    return key
  }

  /** The key alone. Throws `access-denied` instead of `key-not-found` where another account's keys are meant: nobody learns which there are. */
  async find(caller: KeyCaller, named: string, ask: KeyAsk, acceptsAlias = false): Promise<KmsKey> {
    const home = homeOf(caller)
    const reference = parseKeyReference(named, home)
    if (reference.kind === 'alias' && !acceptsAlias) throw keyIdInvalid(named)
    const isOwn = reference.home.registryId === home.registryId
    const arn = reference.kind === 'alias' ? aliasArn(reference) : keyArn(reference)
    const keyId = reference.kind === 'key' ? reference.keyId : await this.#targetOf(reference)
    const key = keyId === undefined ? undefined : await this.#metadata.view.keys.find(keyId)
    if (key !== undefined && key.home.registryId === reference.home.registryId && key.home.region === home.region)
      return key
    if (!isOwn) throw this.#denied(caller, ask.action, arn, ABSENT_OR_DENIED)
    throw reference.kind === 'alias' ? aliasNotFound(arn) : keyNotFound(arn)
  }

  /** Answers the grants by which it is permitted; none: policies permit it. Throws `access-denied`, `key-grant-token-invalid`. */
  async authorize(caller: KeyCaller, key: KmsKey, ask: KeyAsk): Promise<readonly Grant[]> {
    const { principal } = caller
    const arn = keyArn(key)
    for (const token of ask.grantTokens ?? [])
      if ((await this.#metadata.view.keys.findGrantByToken(token))?.keyId !== key.keyId) throw grantTokenInvalid()
    const isOwn = principal.accountId === key.home.registryId
    if (!isOwn && !ACROSS_ACCOUNTS.has(ask.action)) throw this.#denied(caller, ask.action, arn, ABSENT_OR_DENIED)
    const verdict = await this.judge(caller, key, ask, key.policy)
    if (verdict === 'denied')
      throw this.#denied(caller, ask.action, arn, 'with an explicit deny in a resource-based policy')
    if (verdict === 'allowed' || verdict === 'delegated') return []
    const grants = await this.#grantsFor(principal, key, ask)
    if (grants.length > 0) return grants
    throw this.#denied(caller, ask.action, arn, `because no resource-based policy allows the ${ask.action} action`)
  }

  /** What a policy would say of it, if the key had it. */
  async judge(
    caller: KeyCaller,
    key: Pick<KmsKey, 'home' | 'keyId'> & { readonly id?: number },
    ask: KeyAsk,
    policy: string,
  ): Promise<KeyPolicyVerdict> {
    const { principal } = caller
    const facts = await this.#facts(caller, key, ask)
    return judge(this.#compiled(policy), { principal, action: ask.action, resource: keyArn(key), facts })
  }

  async #targetOf({ home, name }: { readonly home: Registry; readonly name: string }): Promise<string | undefined> {
    return (await this.#metadata.view.keys.findAlias(home, name))?.keyId
  }

  async #grantsFor(principal: Principal, key: KmsKey, { action, context }: KeyAsk): Promise<readonly Grant[]> {
    const operation = action.slice('kms:'.length)
    if (!isGrantOperation(operation)) return []
    const grants = await this.#metadata.view.keys.grantsFor(key.id, granteeNames(principal))
    return grants.filter((grant) => permits(grant, operation, context))
  }

  async #facts(caller: KeyCaller, key: { readonly home: Registry; readonly id?: number }, ask: KeyAsk): Promise<Facts> {
    const { principal, viaService } = caller
    const resourceTags = key.id === undefined ? [] : await this.#metadata.view.keys.listTags(key.id)
    const ownerAccountId = key.home.registryId
    const others = factsOf({ principal, ownerAccountId, now: this.#clock.now(), resourceTags })
    const { context, facts: own } = ask
    return keyFacts({ callerAccount: principal.accountId, viaService, context, own }, others)
  }

  #compiled(text: string): KeyPolicy {
    let policy = this.#policies.get(text)
    if (policy === undefined) {
      policy = parseKeyPolicy(text)
      if (this.#policies.size >= POLICIES_MAX) this.#policies.clear()
      this.#policies.set(text, policy)
    }
    return policy
  }

  #denied({ principal }: KeyCaller, action: string, arn: string, why: string) {
    return accessDenied(principal.arn, action, arn, why)
  }
}

const ABSENT_OR_DENIED =
  'because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access'

/** Where a caller's own keys are. */
export function homeOf({ principal, region }: KeyCaller): Registry {
  return { registryId: principal.accountId, region }
}
