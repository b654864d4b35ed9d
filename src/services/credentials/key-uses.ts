import type { Principal } from '../../domain/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { KeyUse } from '../../stores/credentials.ts'
import type { MetadataStore } from '../../stores/metadata.ts'

const FLUSH_AFTER_MS = 1_000
/** The same use within so long is not written again. */
const NEWS_AFTER_MS = 60_000
const REMEMBERED_MAX = 10_000

/** Remembers when access keys and roles were last used, and writes that down in batches, at most once a minute for each. */
export class KeyUses {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #known = new Map<string, KeyUse>()
  #keys = new Map<string, KeyUse>()
  #roles = new Map<string, KeyUse>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #written: Promise<void> = Promise.resolve()

  /** `onError` hears of batches that could not be written: they are lost, as nobody was promised them. */
  constructor(metadata: MetadataStore, clock: Clock, onError: (error: unknown) => void) {
    this.#metadata = metadata
    this.#clock = clock
    this.#onError = onError
  }

  /** A call that a key has signed. */
  note({ kind, userId, accessKeyId }: Principal, region: string, service: string): void {
    const isRole = kind === 'role'
    const id = isRole ? (userId.split(':', 1)[0] ?? '') : accessKeyId
    const at = this.#clock.now()
    const known = this.#known.get(id)
    const isNews = known === undefined || at.getTime() - known.at.getTime() >= NEWS_AFTER_MS
    if (!isNews && known.region === region && known.service === service) return
    const use = { at, region, service }
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear()
    this.#known.set(id, use)
    ;(isRole ? this.#roles : this.#keys).set(id, use)
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS)
  }

  /** Writes down what is pending. Never throws. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#written = this.#written.then(() => this.#writePending())
    return this.#written
  }

  async #writePending(): Promise<void> {
    const [keys, roles] = [this.#keys, this.#roles]
    if (keys.size + roles.size === 0) return
    this.#keys = new Map()
    this.#roles = new Map()
    try {
      await this.#metadata.transact(
        async (tx) => {
          await tx.credentials.recordKeyUses(keys)
          for (const [uniqueId, { at, region }] of roles) await tx.iam.noteUse(uniqueId, at, region)
        },
        { durability: 'relaxed' },
      )
    } catch (error) {
      this.#onError(error)
    }
  }
}
