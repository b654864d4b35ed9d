import type { Image } from '../../domain/image.ts'
import { type RepositoryRef, sameRegistry, type Tag } from '../../domain/names.ts'
import { destinationsOf } from '../../domain/replication/configuration.ts'
import type { DeletionOccasion, Gone, ReplicatedDeletions } from '../../domain/replication/deletions.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataWriter } from '../../stores/metadata.ts'
import type { DeletionRequest } from '../../stores/replication-deletions.ts'

/** Asks for what is deleted here to be deleted where it was copied to; that is done afterwards, and nobody waits for it. */
export class DeletionReplication {
  readonly #clock: Clock
  readonly #which: ReplicatedDeletions
  readonly #onRequested: () => void

  /** `onRequested` hears of it once the deletion is committed. */
  constructor(clock: Clock, which: ReplicatedDeletions, onRequested: () => void) {
    this.#clock = clock
    this.#which = which
    this.#onRequested = onRequested
  }

  /**
   * Records, in the transaction of the deletion and before the image is gone, to where it is to be told; answers whether to
   * anywhere. Without `digest`, only the tags go. Images of other registries, which were never copied from here, are not told of.
   */
  async request(
    tx: MetadataWriter,
    ref: RepositoryRef,
    image: Image,
    { digest, tags }: Gone,
    occasion: DeletionOccasion,
  ): Promise<boolean> {
    if (this.#which === 'off' || (this.#which === 'asked' && occasion !== 'asked')) return false
    const copies = await tx.replications.listOfImage(image.id)
    if (copies.length === 0) return false
    const configuration = await tx.replications.findConfiguration(ref.registry)
    const now = this.#clock.now()
    let isRequested = false
    for (const destination of configuration === undefined ? [] : destinationsOf(configuration, ref.name)) {
      if (!copies.some((copy) => sameRegistry(copy.destination, destination))) continue
      await tx.replicationDeletions.request({ ref, destination, digest, tags }, now)
      isRequested = true
    }
    return isRequested
  }

  announce(): void {
    this.#onRequested()
  }
}

/** What of it is gone by now: pushed again, it is to stay elsewhere, too. */
export async function stillGone(
  view: Pick<MetadataReader, 'images' | 'repositories'>,
  { ref, digest, tags }: Pick<DeletionRequest, 'ref' | 'digest' | 'tags'>,
): Promise<Gone> {
  const repository = await view.repositories.find(ref)
  if (repository === undefined) return { digest, tags }
  const { id } = repository
  const gone: Tag[] = []
  for (const tag of tags) if ((await view.images.find(id, { tag })) === undefined) gone.push(tag)
  const isBack = digest !== undefined && (await view.images.find(id, { digest })) !== undefined
  return { digest: isBack ? undefined : digest, tags: gone }
}
