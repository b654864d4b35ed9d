import { invalidParameter, limitExceeded } from '../../domain/errors.ts'
import { aliasNameInvalid, aliasNotFound, keyStateInvalid } from '../../domain/kms/errors.ts'
import { aliasArn, type KeyAlias, type KmsKey, keyArn, RESERVED_ALIAS_PREFIX } from '../../domain/kms/key.ts'
import { isAliasName } from '../../domain/kms/key-reference.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import type { PageOf, Paging } from '../paging.ts'
import { homeOf, type KeyAccess, type KeyCaller } from './key-access.ts'
import { pageByMarker } from './markers.ts'

const ALIASES_PER_KEY = 50

/** Other names of keys. */
export class KeyAliases {
  readonly #metadata: MetadataStore
  readonly #access: KeyAccess
  readonly #clock: Clock

  constructor(metadata: MetadataStore, access: KeyAccess, clock: Clock) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
  }

  /** Throws `key-alias-exists`, `key-alias-invalid`, `key-not-found`, `key-state-invalid`, `limit-exceeded`. */
  async create(caller: KeyCaller, name: string, named: string): Promise<void> {
    checkOwnName(name)
    const home = homeOf(caller)
    const key = await this.#target(caller, named, 'kms:CreateAlias', name)
    const now = this.#clock.now()
    await this.#metadata.transact(async (tx) => {
      const aliases = await tx.keys.listAliases(home, { limit: ALIASES_PER_KEY }, key.keyId)
      if (aliases.length >= ALIASES_PER_KEY) throw limitExceeded(ALIASES_PER_KEY, 'aliases per key')
      await tx.keys.insertAlias({ home, name, keyId: key.keyId, createdAt: now, updatedAt: now })
    })
  }

  /** Turns it to another key. Throws as `create`. */
  async update(caller: KeyCaller, name: string, named: string): Promise<void> {
    checkOwnName(name)
    const key = await this.#target(caller, named, 'kms:UpdateAlias', name)
    await this.#authorizeOld(caller, name, 'kms:UpdateAlias')
    await this.#metadata.transact(async (tx) => {
      const alias = await getAlias(tx, caller, name)
      await tx.keys.updateAlias({ ...alias, keyId: key.keyId, updatedAt: this.#clock.now() })
    })
  }

  async delete(caller: KeyCaller, name: string): Promise<void> {
    checkOwnName(name)
    await this.#authorizeOld(caller, name, 'kms:DeleteAlias')
    await this.#metadata.transact((tx) => tx.keys.deleteAlias(homeOf(caller), name))
  }

  /** One page of an account's aliases by name; those of one key, when one is named. */
  async list(caller: KeyCaller, named: string | undefined, paging: Paging): Promise<PageOf<KeyAlias>> {
    await this.#access.authorizeOther(caller, { action: 'kms:ListAliases' })
    const key = named === undefined ? undefined : await this.#access.find(caller, named, { action: 'kms:ListAliases' })
    return pageByMarker(
      paging,
      (page) => this.#metadata.view.keys.listAliases(homeOf(caller), page, key?.keyId),
      ({ name }) => name,
    )
  }

  async #target(
    caller: KeyCaller,
    named: string,
    action: 'kms:CreateAlias' | 'kms:UpdateAlias',
    name: string,
  ): Promise<KmsKey> {
    if (named.includes('alias/')) throw invalidParameter('targetKeyId', 'Aliases must refer to keys. Not aliases')
    await this.#access.authorizeOther(caller, { action }, aliasArn({ home: homeOf(caller), name }))
    const key = await this.#access.get(caller, named, { action, facts: { 'kms:requestalias': name } })
    if (key.state === 'PendingDeletion') throw keyStateInvalid(keyArn(key), key.state)
    return key
  }

  async #authorizeOld(caller: KeyCaller, name: string, action: 'kms:UpdateAlias' | 'kms:DeleteAlias'): Promise<void> {
    await this.#access.authorizeOther(caller, { action }, aliasArn({ home: homeOf(caller), name }))
    const { keyId } = await getAlias(this.#metadata.view, caller, name)
    await this.#access.get(caller, keyId, { action, facts: { 'kms:requestalias': name } })
  }
}

async function getAlias(view: Pick<MetadataReader, 'keys'>, caller: KeyCaller, name: string): Promise<KeyAlias> {
  const home = homeOf(caller)
  const alias = await view.keys.findAlias(home, name)
  if (alias === undefined) throw aliasNotFound(aliasArn({ home, name }))
  return alias
}

/** Throws `invalid-parameter`, `key-alias-invalid`. */
function checkOwnName(name: string): void {
  if (!name.startsWith('alias/'))
    throw invalidParameter(
      'aliasName',
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    )
  if (name.startsWith(RESERVED_ALIAS_PREFIX)) throw aliasNameInvalid(`The prefix ${RESERVED_ALIAS_PREFIX} is reserved.`)
  if (!isAliasName(name))
    throw invalidParameter('aliasName', 'Member must satisfy regular expression pattern: ^alias/[a-zA-Z0-9/_-]+$')
}
