import { isRegistryError } from '../../domain/errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import { tellRestored } from './image-events.ts'

/** How many images become active in one transaction. */
const STEP = 500

/**
 * Ends restorations of archived images. When one ends stands in the image's record from its beginning, so nothing needs to
 * be remembered over a restart: whoever is about to read by status lets those end whose time has come.
 */
export class Activations {
  readonly #metadata: MetadataStore
  readonly #clock: Clock

  constructor(metadata: MetadataStore, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  /**
   * Makes every image active whose restoration has ended by now. Costs one look when there is none. On a full disk they
   * stay as they are until there is room, which is no reason to refuse a listing.
   */
  async settle(): Promise<void> {
    const now = this.#clock.now()
    if (!(await this.#metadata.view.images.isActivationDue(now))) return
    try {
      let count: number
      do count = await this.#metadata.transact((tx) => this.#step(tx, now), { durability: 'relaxed' })
      while (count === STEP)
    } catch (thrown) {
      if (!isRegistryError(thrown, 'storage-full')) throw thrown
    }
  }

  async #step(tx: MetadataWriter, now: Date): Promise<number> {
    const due = await tx.images.listActivationsDue(now, STEP)
    const count = await tx.images.activateDue(now, STEP)
    for (const { repository, image } of due) await tellRestored(tx, repository, [image], image.activatesAt ?? now)
    return count
  }
}
