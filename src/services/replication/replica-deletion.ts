import type { Digest } from '../../domain/digest.ts'
import { imageReferenced } from '../../domain/errors.ts'
import type { Image } from '../../domain/image.ts'
import { type Registry, type RepositoryRef, sameRegistry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Gone } from '../../domain/replication/deletions.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { deleteUnlessListed } from '../images/image-deletion.ts'
import { tellDeletion } from '../images/image-events.ts'
import { imageFactsOf } from '../images/image-facts.ts'

/** Deletes copies of images whose originals were deleted: only what came from that registry, and from nowhere else. */
export class ReplicaDeletion {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock

  constructor(metadata: MetadataStore, access: Access, clock: Clock) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
  }

  /**
   * Deletes tags that lead to images from `source` alone, and such an image; anything else stays, and absent is fine.
   * `confirm` runs in the same transaction and says what of `gone` is still to go. Throws `access-denied`, and
   * `image-referenced` while an index lists the image.
   */
  async delete(
    principal: Principal,
    ref: RepositoryRef,
    source: Registry,
    gone: Gone,
    confirm: (tx: MetadataWriter) => Promise<Gone> = async () => gone,
  ): Promise<void> {
    const { digest, tags } = gone
    const named = [...tags.map((tag) => ({ tag })), ...(digest === undefined ? [] : [{ digest }])]
    const images = () => imageFactsOf(this.#metadata.view, ref, named)
    await this.#access.authorize(principal, 'ecr:BatchDeleteImage', ref, { images })
    await this.#metadata.transact(async (tx) => {
      const wanted = await confirm(tx)
      const repository = await tx.repositories.find(ref)
      if (repository === undefined) return
      for (const tag of wanted.tags) {
        const image = await tx.images.find(repository.id, { tag })
        if (image === undefined || !(await isOnlyFrom(tx, image, source))) continue
        await tx.images.deleteTag(repository.id, tag)
        await tellDeletion(tx, ref, image, [tag], this.#clock.now())
      }
      if (wanted.digest !== undefined) await this.#deleteImage(tx, ref, repository.id, wanted.digest, source)
    })
  }

  async #deleteImage(
    tx: MetadataWriter,
    ref: RepositoryRef,
    repositoryId: number,
    digest: Digest,
    source: Registry,
  ): Promise<void> {
    const image = await tx.images.find(repositoryId, { digest })
    if (image === undefined) return
    // Another registry has brought it, too: it stays for that one.
    if (!(await isOnlyFrom(tx, image, source))) return tx.imageOrigins.remove(image.id, source)
    const parents = await deleteUnlessListed(tx, ref, image, await tx.images.tagsOf(image.id), this.#clock.now())
    if (parents.length > 0) throw imageReferenced(parents)
  }
}

async function isOnlyFrom(tx: MetadataWriter, image: Image, source: Registry): Promise<boolean> {
  const origins = await tx.imageOrigins.list(image.id)
  return origins.length > 0 && origins.every((origin) => sameRegistry(origin, source))
}
