import type { Digest } from '../../domain/digest.ts'
import { imageNotFound, imageReferenced } from '../../domain/errors.ts'
import type { Image, ImageId, ImageReference } from '../../domain/image.ts'
import {
  type ImageFailure,
  imageFailure,
  isFailure,
  parseImageId,
  type RawImageId,
} from '../../domain/image-failure.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Gone } from '../../domain/replication/deletions.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { DeletionReplication } from '../replication/deletion-replication.ts'
import { getRepository } from '../repositories/repositories.ts'
import { tellDeletion } from './image-events.ts'
import { imageFactsOf, imageFactsOfBatch } from './image-facts.ts'

/** How many indexes an error names at the most. */
const PARENTS_NAMED_MAX = 10

export interface DeletedImages {
  /** What is gone: digest and tag for each tag, digest alone for an untagged image. */
  readonly deleted: readonly ImageId[]
  readonly failures: readonly ImageFailure[]
}

/** Images and tags taken away, by both interfaces. */
export class ImageDeletion {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock
  readonly #replication: DeletionReplication

  constructor(metadata: MetadataStore, access: Access, clock: Clock, replication: DeletionReplication) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#replication = replication
  }

  /**
   * BatchDeleteImage: a digest takes the image and its tags, a tag takes itself, and the image when it was the last one.
   * Ids are processed in the order given, each failing alone; what succeeded is durable together.
   * Throws `repository-not-found`.
   */
  async deleteMany(principal: Principal, ref: RepositoryRef, ids: readonly RawImageId[]): Promise<DeletedImages> {
    const images = () => imageFactsOfBatch(this.#metadata.view, ref, ids)
    await this.#access.authorize(principal, 'ecr:BatchDeleteImage', ref, { images })
    const told = this.#told()
    const outcome = await this.#metadata.transact(async (tx) => {
      const { id: repositoryId } = await getRepository(tx, ref)
      const deleted: ImageId[] = []
      const failures: ImageFailure[] = []
      for (const raw of ids) {
        const outcome = await this.#deleteOne(tx, ref, repositoryId, raw, told)
        if ('code' in outcome) failures.push(outcome)
        else deleted.push(...outcome.deleted)
      }
      return { deleted, failures }
    })
    told.announce()
    return outcome
  }

  /**
   * `DELETE manifests/…`: a digest takes the image and its tags; a tag takes itself alone (OCI distribution 1.1, "Deleting
   * tags"). Throws `image-not-found`, `image-referenced`, `repository-not-found`.
   */
  async delete(principal: Principal, ref: RepositoryRef, reference: ImageReference): Promise<void> {
    const images = () => imageFactsOf(this.#metadata.view, ref, [reference])
    await this.#access.authorize(principal, 'ecr:BatchDeleteImage', ref, { images })
    const told = this.#told()
    await this.#metadata.transact(async (tx) => {
      const { id: repositoryId } = await getRepository(tx, ref)
      const image = await tx.images.find(repositoryId, reference)
      if (image === undefined) throw imageNotFound(reference, ref)
      const now = this.#clock.now()
      if ('tag' in reference) {
        await told.elsewhere(tx, ref, image, { tags: [reference.tag] })
        await tx.images.deleteTag(repositoryId, reference.tag)
        return tellDeletion(tx, ref, image, [reference.tag], now)
      }
      const tags = await tx.images.tagsOf(image.id)
      const parents = await deleteUnlessListed(tx, ref, image, tags, now, told.elsewhere)
      if (parents.length > 0) throw imageReferenced(parents)
    })
    told.announce()
  }

  async #deleteOne(
    tx: MetadataWriter,
    ref: RepositoryRef,
    repositoryId: number,
    raw: RawImageId,
    { elsewhere }: Told,
  ): Promise<{ readonly deleted: readonly ImageId[] } | ImageFailure> {
    const imageId = parseImageId(raw)
    if (isFailure(imageId)) return imageId
    const { digest, tag } = imageId
    const image = await findImage(tx, repositoryId, imageId)
    if (image === undefined) return imageFailure(raw, 'ImageNotFound')
    if (digest !== undefined && image.digest !== digest) return imageFailure(raw, 'ImageTagDoesNotMatchDigest')
    const tags = await tx.images.tagsOf(image.id)
    if (digest === undefined && tag !== undefined && tags.length > 1) {
      await elsewhere(tx, ref, image, { tags: [tag] })
      await tx.images.deleteTag(repositoryId, tag)
      await tellDeletion(tx, ref, image, [tag], this.#clock.now())
      return { deleted: [{ digest: image.digest, tag }] }
    }
    const parents = await deleteUnlessListed(tx, ref, image, tags, this.#clock.now(), elsewhere)
    if (parents.length > 0) return imageFailure(raw, 'ImageReferencedByManifestList', parents)
    return { deleted: deletedIds(image.digest, tags) }
  }

  /** Takes down what is to be deleted elsewhere, too, until it is announced. */
  #told(): Told {
    let isRequested = false
    return {
      elsewhere: async (tx, ref, image, gone) => {
        if (await this.#replication.request(tx, ref, image, gone, 'asked')) isRequested = true
      },
      announce: () => {
        if (isRequested) this.#replication.announce()
      },
    }
  }
}

/** Hears what goes, before it is gone. */
export type TellElsewhere = (tx: MetadataWriter, ref: RepositoryRef, image: Image, gone: Gone) => Promise<void>

interface Told {
  readonly elsewhere: TellElsewhere
  announce(): void
}

/**
 * Deletes the image with its tags (which the caller has looked up), and tells of it, unless an index lists it: the one way
 * in which an image goes. `elsewhere` hears of it where copies are to go as well. Answers (the first of) the indexes that list it, which are none when it is gone.
 */
export async function deleteUnlessListed(
  tx: MetadataWriter,
  ref: RepositoryRef,
  image: Image,
  tags: readonly Tag[],
  at: Date,
  elsewhere?: TellElsewhere,
): Promise<readonly Digest[]> {
  const parents = await tx.images.parentsOf(image.repositoryId, image.digest, PARENTS_NAMED_MAX)
  if (parents.length > 0) return parents
  await elsewhere?.(tx, ref, image, { digest: image.digest, tags })
  await tx.images.delete(image.id, at)
  await tellDeletion(tx, ref, image, tags, at)
  return []
}

/** By tag when there is one, so that a tag that points elsewhere is noticed. */
async function findImage(
  tx: MetadataWriter,
  repositoryId: number,
  { digest, tag }: ImageId,
): Promise<Image | undefined> {
  if (tag !== undefined) return tx.images.find(repositoryId, { tag })
  return digest === undefined ? undefined : tx.images.find(repositoryId, { digest })
}

function deletedIds(digest: Digest, tags: readonly Tag[]): readonly ImageId[] {
  return tags.length === 0 ? [{ digest }] : tags.map((tag) => ({ digest, tag }))
}
