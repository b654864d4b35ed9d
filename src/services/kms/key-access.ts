import { accessDenied } from '../../domain/errors.ts'
import type { Decision } from '../../domain/iam/evaluate.ts'
import type { MoreFacts } from '../../domain/iam/facts.ts'
import type { EncryptionContext } from '../../domain/kms/encryption-context.ts'
import { aliasNotFound, grantTokenInvalid, keyIdInvalid, keyNotFound } from '../../domain/kms/errors.ts'
import { keyFacts } from '../../domain/kms/facts.ts'
import { type Grant, granteeNames, isGrantOperation, permits } from '../../domain/kms/grant.ts'
import { aliasArn, type KmsKey, keyArn, type NewKmsKey } from '../../domain/kms/key.ts'
import { parseKeyReference } from '../../domain/kms/key-reference.ts'
import type { Region, Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access, OtherResource, RequestDetails } from '../access/access.ts'

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
  readonly facts?: MoreFacts | undefined
  /** The tags that it would give. */
  readonly requestTags?: readonly ResourceTag[] | undefined
  /** The keys of the tags that it would take. */
  readonly tagKeys?: readonly string[] | undefined
}

/** What other accounts can be let do; a key is administered in its own. */
const ACROSS_ACCOUNTS: ReadonlySet<string> = new Set([
  ...['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:GenerateDataKey'],
  ...['kms:GenerateDataKeyWithoutPlaintext', 'kms:GetKeyRotationStatus', 'kms:ListGrants', 'kms:RetireGrant'],
  'kms:RevokeGrant',
])

/**
 * Finds keys as callers name them, and decides who may do what with them: an explicit denial wins; then the key's policy must
 * allow it, to the principal or to its account, whose own policies then count; or else a grant.
 */
export class KeyAccess {
  readonly #metadata: MetadataStore
  readonly #access: Access

  constructor(metadata: MetadataStore, access: Access) {
    this.#metadata = metadata
    this.#access = access
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
    const [resource, details] = [this.#resourceOf(key), detailsOf(caller, ask)]
    const decision = await this.#access.decide(principal, ask.action, resource, details)
    if (decision.outcome === 'not-allowed') {
      const grants = await this.#grantsFor(principal, key, ask)
      // As with policies of resources: what is given to the user or the very session himself, nothing narrows.
      const isNamed = ({ grantee }: Grant) => grantee === principal.arn
      const isLeft = grants.every(isNamed) || (await this.#access.leaves(principal, ask.action, resource, details))
      const counting = isLeft ? grants : grants.filter(isNamed)
      if (counting.length > 0) return counting
    }
    await this.#access.authorize(principal, ask.action, resource, details)
    return []
  }

  /** For what is asked of no key, or of an alias: only the caller's own policies count. */
  async authorizeOther(caller: KeyCaller, ask: KeyAsk, arn = '*'): Promise<void> {
    const { principal, region } = caller
    const resource = { arn, ownerAccountId: principal.accountId, region }
    await this.#access.authorize(principal, ask.action, resource, detailsOf(caller, ask))
  }

  /** What policies say of it, grants aside. */
  async outcomeOf(caller: KeyCaller, key: KmsKey | NewKmsKey, ask: KeyAsk): Promise<Decision['outcome']> {
    const decision = await this.#access.decide(
      caller.principal,
      ask.action,
      this.#resourceOf(key),
      detailsOf(caller, ask),
    )
    return decision.outcome
  }

  #resourceOf(key: KmsKey | NewKmsKey): OtherResource {
    const { home, policy } = key
    return {
      arn: keyArn(key),
      ownerAccountId: home.registryId,
      region: home.region,
      tags: async () => ('id' in key ? this.#metadata.view.keys.listTags(key.id) : []),
      policy: { name: 'key policy', text: policy, kind: 'resource' },
      isClosed: true,
    }
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

function detailsOf(
  { principal, viaService }: KeyCaller,
  { context, facts: own, requestTags, tagKeys }: KeyAsk,
): RequestDetails {
  return { requestTags, tagKeys, facts: keyFacts({ callerAccount: principal.accountId, viaService, context, own }) }
}
