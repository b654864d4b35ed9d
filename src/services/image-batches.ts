import type { ImageId, StoredManifest } from '../domain/image.ts'
import { type ImageFailure, imageFailure, isFailure, parseImageId, type RawImageId } from '../domain/image-failure.ts'
import { isActiveAt } from '../domain/image-status.ts'
import type { RepositoryRef, Tag } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadataReader, MetadataStore } from '../stores/metadata.ts'
import type { Access } from './access.ts'
import type { PullTimes } from './pulls.ts'
import { getRepository } from './repositories.ts'

/** An image of a batch, with the tag it was asked by. */
export interface BatchedImage extends StoredManifest {
  readonly tag?: Tag | undefined
}

export interface ImageBatch {
  readonly images: readonly BatchedImage[]
  readonly failures: readonly ImageFailure[]
}

/** BatchGetImage: several pulls in one request, each failing alone. */
export class ImageBatches {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #pulls: PullTimes
  readonly #clock: Clock

  constructor(metadata: MetadataStore, access: Access, pulls: PullTimes, clock: Clock) {
    this.#metadata = metadata
    this.#access = access
    this.#pulls = pulls
    this.#clock = clock
  }

  /** Counts as a pull of each image found. Throws `repository-not-found`. */
  async get(principal: Principal, ref: RepositoryRef, ids: readonly RawImageId[]): Promise<ImageBatch> {
    await this.#access.authorize(principal, 'ecr:BatchGetImage', ref)
    const batch = await this.#metadata.read(async (view) => {
      await getRepository(view, ref)
      const images: BatchedImage[] = []
      const failures: ImageFailure[] = []
      for (const raw of ids) {
        const outcome = await getOne(view, ref, raw, this.#clock.now())
        if ('code' in outcome) failures.push(outcome)
        else images.push(outcome)
      }
      return { images, failures }
    })
    for (const { image } of batch.images) this.#pulls.record(image.id, principal, ref.registry)
    return batch
  }
}

async function getOne(
  view: MetadataReader,
  ref: RepositoryRef,
  raw: RawImageId,
  now: Date,
): Promise<BatchedImage | ImageFailure> {
  const imageId: ImageId | ImageFailure = parseImageId(raw)
  if (isFailure(imageId)) return imageId
  const { digest, tag } = imageId
  const reference = tag === undefined ? digest && { digest } : { tag }
  if (reference === undefined) return imageFailure({}, 'MissingDigestAndTag')
  const found = (await view.images.resolve(ref, reference))?.found
  if (found === undefined) return imageFailure(raw, 'ImageNotFound')
  if (digest !== undefined && found.image.digest !== digest) return imageFailure(raw, 'ImageTagDoesNotMatchDigest')
  if (!isActiveAt(found.image, now)) return imageFailure(raw, 'ImageInaccessible')
  return { ...found, tag }
}
