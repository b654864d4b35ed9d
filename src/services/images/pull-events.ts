import { imageAction } from '../../domain/events.ts'
import type { Image } from '../../domain/image.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'

const FLUSH_AFTER_MS = 10_000
/** How many different images are told of at a time; pulls of more are not told. */
const IMAGES_MAX = 500

interface Pulled {
  readonly ref: RepositoryRef
  readonly image: Image
  readonly tag: Tag | undefined
  count: number
}

/**
 * Tells of pulls: one event for all pulls of an image, by the same tag, within some seconds. A pull waits for nothing; what
 * was not written down when the process ends is lost, as nobody was promised it.
 */
export class PullEvents {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  #pending = new Map<string, Pulled>()
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `onError` hears of pulls that could not be written down. */
  constructor(metadata: MetadataStore, clock: Clock, onError: (error: unknown) => void) {
    this.#metadata = metadata
    this.#clock = clock
    this.#onError = onError
  }

  record(ref: RepositoryRef, image: Image, tag: Tag | undefined): void {
    const key = tag === undefined ? String(image.id) : `${image.id} ${tag}`
    const pulled = this.#pending.get(key)
    if (pulled !== undefined) pulled.count++
    else if (this.#pending.size < IMAGES_MAX && !isPublic(ref.registry)) {
      this.#pending.set(key, { ref, image, tag, count: 1 })
      this.#timer ??= setTimeout(() => void this.flush(), FLUSH_AFTER_MS).unref()
    }
  }

  /** Writes down what is pending. Never throws. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.size === 0) return
    const pending = this.#pending
    this.#pending = new Map()
    const at = this.#clock.now()
    const work = async (tx: MetadataWriter) => {
      for (const { ref, image, tag, count } of pending.values())
        await tx.outbox.append(imageAction(ref, image, 'PULL', at, { tag, 'pull-count': count }))
    }
    try {
      await this.#metadata.transact(work, { durability: 'relaxed' })
    } catch (error) {
      this.#onError(error)
    }
  }
}
