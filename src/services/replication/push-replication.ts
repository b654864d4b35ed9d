import type { Image } from '../../domain/image.ts'
import { type Registry, sameRegistry, type Tag } from '../../domain/names.ts'
import { isPublic } from '../../domain/public-registry.ts'
import { destinationsOf } from '../../domain/replication/configuration.ts'
import type { Repository } from '../../domain/repository.ts'
import { wildcard } from '../../domain/wildcard.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'

/** Asks for copies of what is pushed or restored; they are made afterwards, and nobody waits for them. */
export class PushReplication {
  readonly #clock: Clock
  readonly #tagFilters: readonly ((tag: string) => boolean)[]
  readonly #onRequested: () => void

  /**
   * `onRequested` hears of it once the push is committed. `tagFilters`: wildcards for whole tags, of which one must match
   * for an image that comes with tags to be copied, and only with those that do; none: every image with all its tags.
   */
  constructor(clock: Clock, onRequested: () => void, tagFilters: readonly string[] = []) {
    this.#clock = clock
    this.#tagFilters = tagFilters.map(wildcard)
    this.#onRequested = onRequested
  }

  /**
   * Records, in the push's own transaction, to where the image is to be copied; answers whether to anywhere. A push that
   * changes nothing asks only for what has failed.
   */
  async request(
    tx: MetadataWriter,
    repository: Repository,
    tags: readonly Tag[],
    { image, isChanged }: { readonly image: Image; readonly isChanged: boolean },
  ): Promise<boolean> {
    const wanted = this.#wanted(tags)
    if (wanted === undefined) return false
    const destinations = await this.#destinations(tx, repository, image)
    if (destinations.length === 0) return false
    const now = this.#clock.now()
    if (!isChanged) return (await tx.replications.requestFailed(image.id, wanted, now)) > 0
    for (const destination of destinations) await tx.replications.request(image.id, destination, wanted, now)
    return true
  }

  /** The same for an image that was pushed long ago, to where it was never asked for. */
  async requestMissing(
    tx: MetadataWriter,
    repository: Repository,
    tags: readonly Tag[],
    image: Image,
  ): Promise<boolean> {
    const wanted = this.#wanted(tags)
    if (wanted === undefined) return false
    const known = await tx.replications.listOfImage(image.id)
    const destinations = await this.#destinations(tx, repository, image)
    const missing = destinations.filter((one) => !known.some(({ destination }) => sameRegistry(destination, one)))
    for (const destination of missing) await tx.replications.request(image.id, destination, wanted, this.#clock.now())
    return missing.length > 0
  }

  /** None for what came by replication: it goes no further, whatever happens to it here. */
  async #destinations(tx: MetadataWriter, repository: Repository, image: Image): Promise<readonly Registry[]> {
    if (isPublic(repository.registry)) return []
    const configuration = await tx.replications.findConfiguration(repository.registry)
    if (configuration === undefined) return []
    const destinations = destinationsOf(configuration, repository.name)
    const isCopy = destinations.length > 0 && (await tx.imageOrigins.list(image.id)).length > 0
    return isCopy ? [] : destinations
  }

  announce(): void {
    this.#onRequested()
  }

  /** `undefined`: the image is to stay. One without tags belongs to another, as child or referrer, and goes along. */
  #wanted(tags: readonly Tag[]): readonly Tag[] | undefined {
    if (this.#tagFilters.length === 0 || tags.length === 0) return tags
    const wanted = tags.filter((tag) => this.#tagFilters.some((matches) => matches(tag)))
    return wanted.length === 0 ? undefined : wanted
  }
}
