import { indexKeysOf } from '../domain/advisories/match.ts'
import type { Inventory } from '../domain/inventory/package.ts'
import type { AdvisoryStore } from '../stores/advisories.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'

/** What is to be compared again, and up to which revision of the advisories all images are then compared. */
export interface Rematch {
  readonly revision: number
  /** The images that hold a package about which something changed; all indexed ones when too much did. */
  readonly imageIds: readonly number[]
}

const PAGE = 5_000

/**
 * Finds the images that a change of advisories concerns, by the packages that they hold and nothing else: no layer is read
 * again, and no image that holds none of the changed packages is looked at.
 */
export class Rematching {
  readonly #metadata: MetadataStore
  readonly #advisories: AdvisoryStore

  constructor(metadata: MetadataStore, advisories: AdvisoryStore) {
    this.#metadata = metadata
    this.#advisories = advisories
  }

  /** Records what an image holds, in the transaction that records its inventory. */
  async index(
    tx: MetadataWriter,
    imageId: number,
    { os, packages }: Pick<Inventory, 'os' | 'packages'>,
  ): Promise<void> {
    await tx.packageIndex.put(imageId, indexKeysOf(packages, os))
  }

  /** Whether advisories have been imported since the last `finish`. */
  async isDue(): Promise<boolean> {
    const done = await this.#metadata.view.packageIndex.findRevision()
    return this.#advisories.use((set) => set !== undefined && set.status.revision !== done)
  }

  /** What changed since the last `finish`; `undefined`: nothing, or there are no advisories. */
  async find(): Promise<Rematch | undefined> {
    const done = await this.#metadata.view.packageIndex.findRevision()
    const change = await this.#advisories.use((set) => {
      if (set === undefined || set.status.revision === done) return undefined
      const packages = done === undefined ? ('everything' as const) : set.changesSince(done)
      return { revision: set.status.revision, packages }
    })
    if (change === undefined) return undefined
    const { revision, packages } = change
    const imageIds =
      packages === 'everything' ? await this.#allImages() : await this.#metadata.view.packageIndex.imagesWith(packages)
    return { revision, imageIds: imageIds.toSorted((a, b) => a - b) }
  }

  /** All images of `find` have been compared: the next one begins there. Cut off before, they are found once more. */
  async finish({ revision }: Rematch): Promise<void> {
    await this.#metadata.transact((tx) => tx.packageIndex.putRevision(revision))
  }

  async #allImages(): Promise<readonly number[]> {
    const all: number[] = []
    for (;;) {
      const page = await this.#metadata.view.packageIndex.listImages({ after: all.at(-1), limit: PAGE })
      all.push(...page)
      if (page.length < PAGE) return all
    }
  }
}
