import { repositoryArn } from '../../domain/arn.ts'
import { asKmsFailure } from '../../domain/kms/errors.ts'
import { aliasArn, type KmsKey, keyArn } from '../../domain/kms/key.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Encryption, EncryptionWish, Repository } from '../../domain/repository.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { KeyAccess, KeyAsk, KeyCaller } from '../kms/key-access.ts'
import type { Keys } from '../kms/keys.ts'
import { assertUsable } from './data-keys.ts'
import { ecrPrincipal, keyArnOf, type RepositoryGrants } from './repository-grants.ts'

/** How a repository is to be encrypted, after its key was found and may be used. */
export type ChosenEncryption =
  | { readonly encryption: Extract<Encryption, { readonly type: 'AES256' }>; readonly key?: undefined }
  | { readonly encryption: Exclude<Encryption, { readonly type: 'AES256' }>; readonly key: KmsKey }

export const AES256: ChosenEncryption = { encryption: { type: 'AES256' } }

/** The keys that repositories are encrypted by: chosen when one is made, let go when it is deleted. All failures are `kms-key-unusable`. */
export class RepositoryKeys {
  readonly #metadata: MetadataStore
  readonly #access: KeyAccess
  readonly #keys: Keys
  readonly #grants: RepositoryGrants

  constructor(metadata: MetadataStore, access: KeyAccess, keys: Keys, grants: RepositoryGrants) {
    this.#metadata = metadata
    this.#access = access
    this.#keys = keys
    this.#grants = grants
  }

  /** The key by id, ARN or alias, of the registry's account where none is named; without any, the one that ECR has there. */
  async choose(principal: Principal, ref: RepositoryRef, wish: EncryptionWish): Promise<ChosenEncryption> {
    if (wish.type === 'AES256') return AES256
    try {
      const caller = callerOf(principal, ref)
      const named = wish.kmsKey ? qualified(wish.kmsKey, ref) : keyArn(await this.#keys.ecrKey(ref.registry))
      const context = { 'aws:ecr:arn': repositoryArn(ref) }
      const key = await this.#access.get(caller, named, { action: 'kms:DescribeKey' }, true)
      const service = ecrPrincipal(ref.registry)
      const facts = {
        'kms:grantisforawsresource': 'true',
        'kms:grantconstrainttype': 'EncryptionContextSubset',
        'kms:granteeprincipal': service,
        'kms:retiringprincipal': service,
        'kms:grantoperations': ['GenerateDataKey', 'Decrypt', 'RetireGrant'],
      }
      await this.#access.authorize(caller, key, { action: 'kms:CreateGrant', context, facts })
      assertUsable(keyArn(key), key)
      return { encryption: { type: wish.type, kmsKeyArn: keyArn(key) }, key }
    } catch (thrown) {
      throw asKmsFailure(thrown)
    }
  }

  /** Whether its key may be let go by this principal. A key that is gone for ever holds nobody back. */
  async release(principal: Principal, repository: Repository): Promise<void> {
    const arn = keyArnOf(repository)
    const key = arn === undefined ? undefined : await this.#metadata.view.keys.find(arn.slice(arn.lastIndexOf('/') + 1))
    if (arn === undefined || key === undefined) return
    const ask: KeyAsk = { action: 'kms:RetireGrant', context: { 'aws:ecr:arn': repositoryArn(repository) } }
    try {
      await this.#access.authorize(callerOf(principal, repository), key, ask)
      assertUsable(arn, key)
    } catch (thrown) {
      throw asKmsFailure(thrown)
    }
  }

  /** In the transaction that makes the repository. */
  grant(tx: MetadataWriter, repository: Repository, key: KmsKey): Promise<void> {
    return this.#grants.create(tx, repository, key)
  }

  /** In the one that deletes it. */
  retire(tx: MetadataWriter, repository: Repository): Promise<void> {
    return this.#grants.retire(tx, repository)
  }
}

function callerOf(principal: Principal, { registry }: RepositoryRef): KeyCaller {
  return { principal, region: registry.region, viaService: ecrPrincipal(registry) }
}

/** A bare id or alias is one of the registry's account, whoever asks. */
function qualified(named: string, { registry: home }: RepositoryRef): string {
  if (named.startsWith('arn:')) return named
  return named.startsWith('alias/') ? aliasArn({ home, name: named }) : keyArn({ home, keyId: named })
}
