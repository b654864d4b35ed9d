import type { Image } from '../../domain/image.ts'
import type { Registry, RepositoryRef, Tag } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isExcluded, pullerArn } from '../../domain/pull-time-exclusions.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'

const FLUSH_AFTER_MS = 1_000

/** How many principals a registry may exclude (service quotas page). */
export const EXCLUSIONS_MAX = 100

/** What one principal pulled of one registry. */
interface Puller {
  readonly arn: string
  readonly registry: Registry
  readonly pulls: Map<number, Date>
}

/** Remembers when images were last pulled and writes that down in batches, so that a pull never waits for a write. */
export class PullTimes {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #onPull: (ref: RepositoryRef, image: Image, tag: Tag | undefined) => void
  #pending = new Map<string, Puller>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #written: Promise<void> = Promise.resolve()

  /** `onError` hears of batches that could not be written: they are lost, as nobody was promised them. `onPull` hears of every pull. */
  constructor(
    metadata: MetadataStore,
    clock: Clock,
    onError: (error: unknown) => void,
    onPull: (ref: RepositoryRef, image: Image, tag: Tag | undefined) => void = () => undefined,
  ) {
    this.#metadata = metadata
    this.#clock = clock
    this.#onError = onError
    this.#onPull = onPull
  }

  /** Pulls by principals whom the registry excludes are forgotten when it comes to writing them down. */
  record(image: Image, principal: Principal, ref: RepositoryRef, tag?: Tag): void {
    this.#onPull(ref, image, tag)
    const arn = pullerArn(principal)
    const { id: imageId } = image
    const { registry } = ref
    const key = `${registry.registryId} ${registry.region} ${arn}`
    const puller = this.#pending.get(key)
    if (puller === undefined) this.#pending.set(key, { arn, registry, pulls: new Map([[imageId, this.#clock.now()]]) })
    else puller.pulls.set(imageId, this.#clock.now())
    this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS)
  }

  /**
   * Writes down what is pending, and waits for what is being written; for those who are about to read it, and before the
   * end. Never throws: whoever reads is told what is known.
   */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#written = this.#written.then(() => this.#writePending())
    return this.#written
  }

  async #writePending(): Promise<void> {
    if (this.#pending.size === 0) return
    const pending = this.#pending
    this.#pending = new Map()
    const work = async (tx: MetadataWriter) => {
      for (const { arn, registry, pulls } of pending.values()) {
        const excluded = await tx.accounts.listPullTimeExclusions(registry, { limit: EXCLUSIONS_MAX })
        if (!isExcluded(excluded, arn)) await tx.images.recordPulls(pulls)
      }
    }
    try {
      await this.#metadata.transact(work, { durability: 'relaxed' })
    } catch (error) {
      this.#onError(error)
    }
  }
}
