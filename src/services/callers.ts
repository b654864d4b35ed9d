import { accountRootArn } from '../domain/arn.ts'
import { securityTokenInvalid } from '../domain/errors.ts'
import { newAccessKeyId, newSecretAccessKey } from '../domain/iam-entities/unique-id.ts'
import { isRegistryId, type Registry, type RegistryId } from '../domain/names.ts'
import { type Principal, rootPrincipal, userPrincipal } from '../domain/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { AccessKey, MetadataStore } from '../stores/metadata.ts'

/** The key pair of an account's root. */
export interface RootKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** An access key whose signature was looked at. */
export interface CheckedKey {
  readonly accessKeyId: string
  /** False: nobody here knows the key, and the profile accepts it as it is. */
  readonly isVerified: boolean
}

/** Who is behind an access key: keys that this registry issued, and (in the dev profile) any other. */
export class Callers {
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

  /** `undefined`: this registry did not issue the key. Throws `security-token-invalid` for one that is inactive. */
  async findSecrets(accessKeyId: string): Promise<{ readonly secretAccessKey: string } | undefined> {
    const key = await this.#metadata.view.credentials.findAccessKey(accessKeyId)
    if (key !== undefined && key.status !== 'Active') throw securityTokenInvalid()
    return key
  }

  /**
   * The caller behind a key. One that was accepted without verification (the dev profile) means the root of an account:
   * of that account if it has twelve digits, of the default account otherwise. Throws `security-token-invalid` when a
   * verified key is gone meanwhile.
   */
  async identify({ accessKeyId, isVerified }: CheckedKey): Promise<Principal> {
    const known = await this.#metadata.view.credentials.findAccessKey(accessKeyId)
    if (known !== undefined) return ownerOf(known)
    if (isVerified) throw securityTokenInvalid()
    const accountId = isRegistryId(accessKeyId) ? accessKeyId : this.#defaultRegistry.registryId
    return rootPrincipal(accountId, this.#rootArn(accountId), accessKeyId)
  }

  /** Makes the given key the root's only one: an earlier root key, and every login token made with it, is worth nothing from then on. */
  async putRootKey({ accessKeyId, secretAccessKey }: RootKey): Promise<void> {
    const { registryId } = this.#defaultRegistry
    const key: AccessKey = {
      accessKeyId,
      secretAccessKey,
      accountId: registryId,
      principalArn: this.#rootArn(registryId),
      createdAt: this.#clock.now(),
      status: 'Active',
    }
    await this.#metadata.transact(async (tx) => {
      const known = await tx.credentials.findAccessKey(accessKeyId)
      if (known?.secretAccessKey !== secretAccessKey || known.accountId !== registryId)
        await tx.credentials.putAccessKey(key)
      await tx.credentials.deleteOtherAccessKeys(key.principalArn, accessKeyId)
    })
  }

  /** A root key for a registry that has no key at all yet; `undefined` when it has one. To be shown once. */
  async makeFirstRootKey(): Promise<RootKey | undefined> {
    if ((await this.#metadata.view.credentials.countAccessKeys()) > 0) return undefined
    const key: RootKey = {
      accessKeyId: newAccessKeyId(this.#ids.secret(10)),
      secretAccessKey: newSecretAccessKey(this.#ids.secret(30)),
    }
    await this.putRootKey(key)
    return key
  }

  #rootArn(registryId: RegistryId): string {
    return accountRootArn({ registryId, region: this.#defaultRegistry.region })
  }
}

function ownerOf({ accessKeyId: id, accountId, principalArn, status, user }: AccessKey): Principal {
  if (!isRegistryId(accountId) || status !== 'Active') throw securityTokenInvalid()
  if (user === undefined) return rootPrincipal(accountId, principalArn, id)
  return { ...userPrincipal(accountId, principalArn, user.uniqueId, id), tags: user.tags }
}
