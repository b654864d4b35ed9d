import { isRegistryError, limitExceeded } from '../../domain/errors.ts'
import type { ImageId, KeptManifest, StoredManifest } from '../../domain/image.ts'
import {
  type ImageFailure,
  imageFailure,
  isFailure,
  parseImageId,
  type RawImageId,
} from '../../domain/image-failure.ts'
import { isActiveAt } from '../../domain/image-status.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { Admission } from './admission.ts'
import { imageFactsOfBatch } from './image-facts.ts'
import type { PullTimes } from './pulls.ts'

/** An image of a batch, with the tag it was asked by. */
export interface BatchedImage extends StoredManifest {
  readonly tag?: Tag | undefined
}

interface FoundImage {
  readonly kept: KeptManifest
  readonly tag: Tag | undefined
  /** As it was asked for. */
  readonly raw: RawImageId
}

export interface ImageBatch {
  readonly images: readonly BatchedImage[]
  readonly failures: readonly ImageFailure[]
}

/** An answer is in memory as a whole, and a hundred manifests may be of 4 MiB each. */
const BATCH_BYTES_MAX = 32 * 1024 * 1024

/** What batches of images go through. */
export interface ImageBatchParts {
  readonly metadata: MetadataStore
  readonly vaults: Vaults
  readonly access: Access
  readonly pulls: PullTimes
  readonly admission: Admission
  readonly clock: Clock
}

/** BatchGetImage: several pulls in one request, each failing alone. */
export class ImageBatches {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #vaults: Vaults
  readonly #pulls: PullTimes
  readonly #admission: Admission
  readonly #clock: Clock

  constructor(parts: ImageBatchParts) {
    this.#metadata = parts.metadata
    this.#vaults = parts.vaults
    this.#access = parts.access
    this.#pulls = parts.pulls
    this.#admission = parts.admission
    this.#clock = parts.clock
  }

  /** Counts as a pull of each image found. Throws `repository-not-found`, and `limit-exceeded` for more than one answer holds. */
  async get(principal: Principal, ref: RepositoryRef, ids: readonly RawImageId[]): Promise<ImageBatch> {
    const asked = () => imageFactsOfBatch(this.#metadata.view, ref, ids)
    await this.#access.authorize(principal, 'ecr:BatchGetImage', ref, { images: asked })
    let repository: Repository | undefined
    const outcomes = await this.#metadata.read(async (view) => {
      repository = await getRepository(view, ref)
      const found: (ImageFailure | FoundImage)[] = []
      let sizeBytes = 0
      for (const raw of ids) {
        const outcome = await getOne(view, ref, raw, this.#clock.now())
        sizeBytes += 'code' in outcome ? 0 : outcome.kept.image.manifestSizeBytes
        if (sizeBytes > BATCH_BYTES_MAX) throw limitExceeded(BATCH_BYTES_MAX, 'bytes of manifests in one answer')
        found.push(outcome)
      }
      return found
    })
    const images: BatchedImage[] = []
    const failures: ImageFailure[] = []
    for (const found of outcomes) {
      const outcome = 'code' in found ? found : await this.#open(principal, found, repository)
      if ('code' in outcome) failures.push(outcome)
      else images.push(outcome)
    }
    for (const { image, tag } of images) this.#pulls.record(image, principal, ref, tag)
    return { images, failures }
  }

  async #open(
    principal: Principal,
    { kept, tag, raw }: FoundImage,
    repository: Repository | undefined,
  ): Promise<BatchedImage | ImageFailure> {
    try {
      if (repository !== undefined) await this.#vaults.admit(repository, 'Decrypt')
      const manifest = await this.#vaults.openManifest(kept)
      const refusal = repository && (await this.#admission.refusal(principal, repository, kept.image, manifest))
      // ECR's word for an image that is there and is not to be had.
      if (refusal !== undefined) return { imageId: raw, code: 'ImageInaccessible', reason: refusal }
      return { image: kept.image, manifest, tag }
    } catch (thrown) {
      if (isRegistryError(thrown, 'kms-key-unusable')) return imageFailure(raw, 'KmsError')
      throw thrown
    }
  }
}

async function getOne(
  view: MetadataReader,
  ref: RepositoryRef,
  raw: RawImageId,
  now: Date,
): Promise<FoundImage | ImageFailure> {
  const imageId: ImageId | ImageFailure = parseImageId(raw)
  if (isFailure(imageId)) return imageId
  const { digest, tag } = imageId
  const reference = tag === undefined ? digest && { digest } : { tag }
  if (reference === undefined) return imageFailure({}, 'MissingDigestAndTag')
  const found = (await view.images.resolve(ref, reference))?.found
  if (found === undefined) return imageFailure(raw, 'ImageNotFound')
  if (digest !== undefined && found.image.digest !== digest) return imageFailure(raw, 'ImageTagDoesNotMatchDigest')
  if (!isActiveAt(found.image, now)) return imageFailure(raw, 'ImageInaccessible')
  return { kept: found, tag, raw }
}
