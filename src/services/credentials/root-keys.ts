import { accountRootArn } from '../../domain/arn.ts'
import { invalidParameters } from '../../domain/errors.ts'
import type { Registry, RegistryId } from '../../domain/names.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import { type KeyPair, newKeyPair } from './new-keys.ts'

/** The key pair of an account's root. */
export type RootKey = KeyPair

/** An account that has a root key. */
export interface Account {
  readonly accountId: string
  readonly rootKeyId: string
  readonly createdAt: Date
}

/** The accounts of an installation: an account is there once it has a root key, which is its way in. */
export class RootKeys {
  readonly #metadata: MetadataStore
  readonly #defaultRegistry: Registry
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, defaultRegistry: Registry, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#defaultRegistry = defaultRegistry
    this.#clock = clock
    this.#ids = ids
  }

  /**
   * Makes the given key the only one of the default account's root: an earlier one, and every login token made with it, is
   * worth nothing from then on.
   */
  async put(key: RootKey): Promise<void> {
    const { registryId } = this.#defaultRegistry
    await this.#metadata.transact((tx) => this.#putIn(tx, registryId, key))
  }

  /** A root key for a registry that has no key at all yet; `undefined` when it has one. To be shown once. */
  async makeFirst(): Promise<RootKey | undefined> {
    if ((await this.#metadata.view.credentials.countAccessKeys()) > 0) return undefined
    const key = this.#newKey(this.#defaultRegistry.registryId)
    await this.put(key)
    return key
  }

  /** Throws `invalid-parameter` when the account is there. */
  async createAccount(accountId: RegistryId): Promise<RootKey> {
    const key = this.#newKey(accountId)
    await this.#metadata.transact(async (tx) => {
      const keys = await tx.credentials.listRootKeys()
      if (keys.some((known) => known.accountId === accountId))
        throw invalidParameters(`The account ${accountId} is there already.`)
      await this.#putIn(tx, accountId, key)
    })
    return key
  }

  /** Replaces the root key of an account. Throws `invalid-parameter` when there is no such account. */
  async rotate(accountId: RegistryId): Promise<RootKey> {
    const key = this.#newKey(accountId)
    await this.#metadata.transact(async (tx) => {
      const keys = await tx.credentials.listRootKeys()
      if (!keys.some((known) => known.accountId === accountId))
        throw invalidParameters(`There is no account ${accountId}: \`ecru admin account create\` makes it.`)
      await this.#putIn(tx, accountId, key)
    })
    return key
  }

  async listAccounts(): Promise<readonly Account[]> {
    const keys = await this.#metadata.view.credentials.listRootKeys()
    return keys.map(({ accountId, accessKeyId, createdAt }) => ({ accountId, rootKeyId: accessKeyId, createdAt }))
  }

  async #putIn(tx: MetadataWriter, accountId: RegistryId, { accessKeyId, secretAccessKey }: RootKey): Promise<void> {
    const principalArn = accountRootArn({ registryId: accountId, region: this.#defaultRegistry.region })
    const known = await tx.credentials.findAccessKey(accessKeyId)
    if (known?.secretAccessKey !== secretAccessKey || known.principalArn !== principalArn)
      await tx.credentials.putAccessKey({
        accessKeyId,
        secretAccessKey,
        accountId,
        principalArn,
        createdAt: this.#clock.now(),
        status: 'Active',
      })
    await tx.credentials.deleteOtherAccessKeys(principalArn, accessKeyId)
  }

  #newKey(accountId: RegistryId): RootKey {
    return newKeyPair('AKIA', accountId, this.#ids)
  }
}
