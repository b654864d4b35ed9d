import { storageClassRefused } from '../../domain/archive-errors.ts'
import type { Image, ImageId, ImageStatus } from '../../domain/image.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { PushReplication } from '../replication/push-replication.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { PushScanning } from '../scanning/push-scanning.ts'
import type { Activations } from './activations.ts'
import { getImage } from './get-image.ts'
import { tellArchived, tellRestored } from './image-events.ts'
import { archiveFamily, restoreFamily } from './image-family.ts'

export type StorageClass = 'STANDARD' | 'ARCHIVE'

/** How many indexes an error names at the most. */
const PARENTS_NAMED_MAX = 10

/** What the archive and the way back from it need. */
export interface StorageClassParts {
  readonly metadata: MetadataStore
  readonly access: Access
  readonly activations: Activations
  readonly scanning: PushScanning
  readonly replication: PushReplication
  readonly clock: Clock
}

export interface StorageClassSettings {
  /** How long a restoration takes; 0: it has ended when it is answered. */
  readonly activationMs: number
}

/** Moves images to the archive, where they cannot be pulled, and back. */
export class StorageClasses {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #activations: Activations
  readonly #scanning: PushScanning
  readonly #clock: Clock
  readonly #replication: PushReplication
  /** How long a restoration takes; 0: it has ended when it is answered. */
  readonly #activationMs: number

  constructor(parts: StorageClassParts, { activationMs }: StorageClassSettings) {
    this.#replication = parts.replication
    this.#metadata = parts.metadata
    this.#access = parts.access
    this.#activations = parts.activations
    this.#scanning = parts.scanning
    this.#clock = parts.clock
    this.#activationMs = activationMs
  }

  /**
   * Archives an active image, or begins to restore an archived one; what belongs to it goes along. Durable once answered.
   * Throws `repository-not-found`, `image-not-found`, and `storage-class-refused` when the image is in that class already,
   * is just being restored, or is listed by an index that is not archived.
   */
  async update(
    principal: Principal,
    ref: RepositoryRef,
    imageId: ImageId,
    target: StorageClass,
  ): Promise<{ readonly image: Image; readonly status: ImageStatus }> {
    await this.#access.authorize(principal, 'ecr:UpdateImageStorageClass', ref)
    await this.#activations.settle()
    const { isToBeReplicated, ...updated } = await this.#metadata.transact(async (tx) => {
      const repository = await getRepository(tx, ref)
      const image = await getImage(tx, repository.id, imageId, ref, 'imageId')
      if (target === 'ARCHIVE') return { image, status: await this.#archive(tx, ref, image), isToBeReplicated: false }
      return { image, ...(await this.#restore(tx, repository, image)) }
    })
    if (isToBeReplicated) this.#replication.announce()
    return updated
  }

  async #archive(tx: MetadataWriter, ref: RepositoryRef, image: Image): Promise<ImageStatus> {
    if (image.status !== 'ACTIVE') throw storageClassRefused(image.digest, image.status)
    const parents = await tx.images.livingParentsOf(image.repositoryId, image.digest, PARENTS_NAMED_MAX)
    if (parents.length > 0) throw storageClassRefused(image.digest, image.status, parents)
    const now = this.#clock.now()
    await tellArchived(tx, ref, await archiveFamily(tx, image, now), now)
    return 'ARCHIVED'
  }

  /** What comes back is copied to other registries like what is pushed. */
  async #restore(
    tx: MetadataWriter,
    repository: Repository,
    image: Image,
  ): Promise<{ readonly status: ImageStatus; readonly isToBeReplicated: boolean }> {
    if (image.status === 'ACTIVE') throw storageClassRefused(image.digest, image.status)
    if (image.status === 'ACTIVATING') return { status: 'ACTIVATING', isToBeReplicated: false }
    const status = this.#activationMs === 0 ? 'ACTIVE' : 'ACTIVATING'
    const activeAt = new Date(this.#clock.now().getTime() + this.#activationMs)
    const restored = await restoreFamily(tx, image, status, activeAt)
    if (status === 'ACTIVE') await tellRestored(tx, repository, restored, activeAt)
    // Restored is as good as pushed: what is scanned on push is scanned once it can be read.
    for (const one of restored) await this.#scanning.requestRestored(tx, repository, one, activeAt)
    let isToBeReplicated = false
    for (const one of restored) {
      const tags = await tx.images.tagsOf(one.id)
      const isRequested = await this.#replication.request(tx, repository, tags, { image: one, isChanged: true })
      isToBeReplicated ||= isRequested
    }
    return { status, isToBeReplicated }
  }
}
