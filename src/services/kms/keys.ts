import { limitExceeded } from '../../domain/errors.ts'
import { keyPolicyMalformed, keyStateInvalid, keyTagInvalid } from '../../domain/kms/errors.ts'
import { ECR_ALIAS, type KeyMaterial, type KmsKey, keyArn, type NewKmsKey, rotationOf } from '../../domain/kms/key.ts'
import { checkKeyPolicy, defaultKeyPolicy, managedKeyPolicy } from '../../domain/kms/key-policy.ts'
import type { Registry } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { PageOf, Paging } from '../paging.ts'
import { isReservedKey, RESOURCE_TAGS_MAX, resourceTagMistake } from '../repositories/repository-settings.ts'
import { homeOf, type KeyAccess, type KeyAsk, type KeyCaller } from './key-access.ts'
import { pageByMarker } from './markers.ts'

const MATERIAL_BYTES = 32
const MANAGED_ROTATION_DAYS = 365

/** A key with what its description also shows. */
export interface DescribedKey {
  readonly key: KmsKey
  readonly materialId: string
}

export interface KeySettings {
  readonly description?: string | undefined
  readonly policy?: string | undefined
  readonly tags?: readonly ResourceTag[] | undefined
  /** The caller may lock himself out. */
  readonly isLockoutAccepted?: boolean | undefined
}

/** Keys: made, described, switched on and off, and tagged. */
export class Keys {
  readonly #metadata: MetadataStore
  readonly #access: KeyAccess
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, access: KeyAccess, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#ids = ids
  }

  /** Throws `key-policy-malformed`, `key-tag-invalid`, `limit-exceeded`. */
  async create(caller: KeyCaller, settings: KeySettings): Promise<DescribedKey> {
    const home = homeOf(caller)
    const tags = checkedTags(settings.tags ?? [])
    await this.#access.authorizeOther(caller, { action: 'kms:CreateKey', requestTags: tags })
    const policy = settings.policy ?? defaultKeyPolicy(home)
    const key = this.#newKey(home, { description: settings.description ?? '', policy })
    const tagging = { action: 'kms:TagResource', requestTags: tags } as const
    if (tags.length > 0) await this.#access.authorizeOther(caller, tagging, keyArn(key))
    checkKeyPolicy(policy)
    if (settings.isLockoutAccepted !== true) await this.assertNoLockout(caller, key)
    const material = this.newMaterial()
    return this.#metadata.transact(async (tx) => {
      const made = await tx.keys.insert(key, material)
      await tx.keys.putTags(made.id, tags)
      return { key: made, materialId: material.materialId }
    })
  }

  async describe(caller: KeyCaller, named: string, grantTokens?: readonly string[]): Promise<DescribedKey> {
    const key = await this.#access.get(caller, named, { action: 'kms:DescribeKey', grantTokens }, true)
    const materialId = (await this.#metadata.view.keys.currentMaterialId(key.id)) ?? ''
    return { key, materialId }
  }

  /** One page of the keys of an account, by id. */
  async list(caller: KeyCaller, paging: Paging): Promise<PageOf<KmsKey>> {
    await this.#access.authorizeOther(caller, { action: 'kms:ListKeys' })
    const home = homeOf(caller)
    return pageByMarker(
      paging,
      (page) => this.#metadata.view.keys.list(home, page),
      ({ keyId }) => keyId,
    )
  }

  async enable(caller: KeyCaller, named: string): Promise<void> {
    await this.change(caller, named, { action: 'kms:EnableKey' }, async (_, key) => ({ ...key, state: 'Enabled' }))
  }

  async disable(caller: KeyCaller, named: string): Promise<void> {
    await this.change(caller, named, { action: 'kms:DisableKey' }, async (_, key) => ({ ...key, state: 'Disabled' }))
  }

  async setDescription(caller: KeyCaller, named: string, description: string): Promise<void> {
    await this.change(caller, named, { action: 'kms:UpdateKeyDescription' }, async (_, key) => ({
      ...key,
      description,
    }))
  }

  async listTags(caller: KeyCaller, named: string, paging: Paging): Promise<PageOf<ResourceTag>> {
    const { id } = await this.#access.get(caller, named, { action: 'kms:ListResourceTags' })
    const tags = await this.#metadata.view.keys.listTags(id)
    const behind = (after = '') => tags.filter(({ key }) => key > after)
    return pageByMarker(
      paging,
      async ({ after, limit }) => behind(after).slice(0, limit),
      ({ key }) => key,
    )
  }

  /** Adds and overwrites. Throws `key-tag-invalid`, `limit-exceeded`. */
  async putTags(caller: KeyCaller, named: string, tags: readonly ResourceTag[]): Promise<void> {
    const checked = checkedTags(tags)
    await this.change(caller, named, { action: 'kms:TagResource', requestTags: tags }, async (tx, key) => {
      const names = new Set((await tx.keys.listTags(key.id)).map((tag) => tag.key))
      for (const tag of checked) names.add(tag.key)
      if (names.size > RESOURCE_TAGS_MAX) throw limitExceeded(RESOURCE_TAGS_MAX, 'tags per key')
      await tx.keys.putTags(key.id, checked)
      return key
    })
  }

  /** Unknown keys are ignored. */
  async deleteTags(caller: KeyCaller, named: string, tagKeys: readonly string[]): Promise<void> {
    if (tagKeys.some(isReservedKey)) throw keyTagInvalid('Tag keys that start with aws: cannot be removed.')
    await this.change(caller, named, { action: 'kms:UntagResource', tagKeys }, async (tx, key) => {
      await tx.keys.deleteTags(key.id, tagKeys)
      return key
    })
  }

  /**
   * Changes a key that is not pending deletion, as it is in the transaction. `decide` answers what it is to be. Throws
   * `key-state-invalid`, and as `KeyAccess.get`.
   */
  async change(
    caller: KeyCaller,
    named: string,
    ask: KeyAsk,
    decide: (tx: MetadataWriter, key: KmsKey) => Promise<KmsKey>,
    accepts: (key: KmsKey) => boolean = ({ state }) => state !== 'PendingDeletion',
  ): Promise<KmsKey> {
    const { keyId } = await this.#access.get(caller, named, ask)
    return this.#metadata.transact(async (tx) => {
      const key = await tx.keys.find(keyId)
      // Gone since it was found: as if it had been then.
      if (key === undefined) return this.#access.find(caller, named, ask)
      if (!accepts(key)) throw keyStateInvalid(keyArn(key), key.state)
      const changed = await decide(tx, key)
      await tx.keys.update(changed)
      return changed
    })
  }

  /** Throws `key-policy-malformed` when the caller could not change the key's policy again. */
  async assertNoLockout(caller: KeyCaller, key: NewKmsKey | KmsKey): Promise<void> {
    if ((await this.#access.outcomeOf(caller, key, { action: 'kms:PutKeyPolicy' })) !== 'allowed')
      throw keyPolicyMalformed('The new key policy will not allow you to update the key policy in the future.')
  }

  /** The key that ECR keeps for an account, made when it is first needed. */
  async ecrKey(home: Registry): Promise<KmsKey> {
    const known = await this.#metadata.view.keys.findAlias(home, ECR_ALIAS)
    const found = known && (await this.#metadata.view.keys.find(known.keyId))
    if (found !== undefined) return found
    const description = 'Default key that protects my ECR data when no other key is defined'
    const policy = managedKeyPolicy(home, 'ecr')
    const now = this.#clock.now()
    const rotation = rotationOf(MANAGED_ROTATION_DAYS, now)
    const key: NewKmsKey = { ...this.#newKey(home, { description, policy }), manager: 'AWS', rotation }
    const material = this.newMaterial()
    return this.#metadata.transact(async (tx) => {
      const alias = await tx.keys.findAlias(home, ECR_ALIAS)
      const other = alias && (await tx.keys.find(alias.keyId))
      if (other !== undefined) return other
      const made = await tx.keys.insert(key, material)
      await tx.keys.insertAlias({ home, name: ECR_ALIAS, keyId: made.keyId, createdAt: now, updatedAt: now })
      return made
    })
  }

  newMaterial(): KeyMaterial {
    return { materialId: this.#ids.secret(MATERIAL_BYTES).toHex(), bytes: this.#ids.secret(MATERIAL_BYTES) }
  }

  #newKey(home: Registry, { description, policy }: Pick<NewKmsKey, 'description' | 'policy'>): NewKmsKey {
    const createdAt = this.#clock.now()
    return { keyId: this.#ids.uuid(), home, manager: 'CUSTOMER', state: 'Enabled', description, policy, createdAt }
  }
}

function checkedTags(tags: readonly ResourceTag[]): readonly ResourceTag[] {
  if (tags.length > RESOURCE_TAGS_MAX) throw limitExceeded(RESOURCE_TAGS_MAX, 'tags per key')
  const mistake = resourceTagMistake(tags)
  if (mistake !== undefined) throw keyTagInvalid(mistake)
  return tags
}
