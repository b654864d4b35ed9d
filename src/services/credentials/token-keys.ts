import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { TokenKey } from '../../stores/token-keys.ts'

/** What a rotation did. */
export interface Rotation {
  /** The key that signs from now on. */
  readonly keyId: string
  /** Keys whose tokens are still good, until the last of them has expired. */
  readonly verifyingKeys: number
}

/** The keys of login tokens: the newest signs, those before it verify until the last token that they signed has expired. */
export class TokenKeys {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #lifetimeMs: number
  #known: readonly TokenKey[] = []
  #revision = -1

  /** `lifetimeMs`: how long a token lives. */
  constructor(metadata: MetadataStore, clock: Clock, ids: Ids, lifetimeMs: number) {
    this.#metadata = metadata
    this.#clock = clock
    this.#ids = ids
    this.#lifetimeMs = lifetimeMs
  }

  /** The key to sign with, made when there is none. */
  async signing(): Promise<TokenKey> {
    const [newest] = await this.#all()
    if (newest !== undefined) return newest
    return this.#metadata.transact(async (tx) => {
      const [other] = await tx.tokenKeys.list()
      if (other !== undefined) return other
      const key = this.#newKey()
      await tx.tokenKeys.insert(key)
      return key
    })
  }

  /** The key of a token, by the id in its header; `undefined` when no such key verifies any more. */
  async verifying(id: string): Promise<TokenKey | undefined> {
    return this.#living(await this.#all()).find((key) => key.id === id)
  }

  /** Signs with a new key from now on; `isRevoking`: what was signed before is worth nothing at once. */
  async rotate(isRevoking: boolean): Promise<Rotation> {
    const key = this.#newKey()
    return this.#metadata.transact(async (tx) => {
      const older = await tx.tokenKeys.list()
      const kept = isRevoking ? [] : this.#living([key, ...older]).slice(1)
      await tx.tokenKeys.delete(older.filter((one) => !kept.includes(one)).map(({ id }) => id))
      await tx.tokenKeys.insert(key)
      return { keyId: key.id, verifyingKeys: kept.length }
    })
  }

  /** The newest, and those that were superseded less than a token's life ago. */
  #living(keys: readonly TokenKey[]): readonly TokenKey[] {
    const since = this.#clock.now().getTime() - this.#lifetimeMs
    return keys.filter((_, index) => (keys[index - 1]?.createdAt.getTime() ?? Number.POSITIVE_INFINITY) > since)
  }

  async #all(): Promise<readonly TokenKey[]> {
    const revision = this.#metadata.policyRevision
    if (revision === this.#revision) return this.#known
    const keys = await this.#metadata.view.tokenKeys.list()
    if (this.#metadata.policyRevision === revision) {
      this.#known = keys
      this.#revision = revision
    }
    return keys
  }

  #newKey(): TokenKey {
    return { id: this.#ids.uuid(), secret: this.#ids.secret(32), createdAt: this.#clock.now() }
  }
}
