import type { Image } from '../domain/image.ts'
import type { Registry, RepositoryName, RepositoryRef, Tag } from '../domain/names.ts'
import type { ReplicationConfiguration } from '../domain/replication/configuration.ts'
import type { ImageReplication, ReplicationFailure } from '../domain/replication/replication.ts'
import type { Page } from './page.ts'

/** An image that is to be copied to a registry, and everything that it takes. */
export interface PendingReplication {
  /** The store's own key, ascending with time. */
  readonly id: number
  /** Of the last request for it. */
  readonly revision: number
  readonly ref: RepositoryRef
  readonly image: Pick<Image, 'id' | 'repositoryId' | 'digest' | 'mediaType'>
  readonly destination: Registry
  /** The tags that it is to carry there, as far as it still carries them here. */
  readonly tags: readonly Tag[]
  /** How many attempts have failed. */
  readonly attempts: number
  readonly requestedAt: Date
}

/** What is on its way to a registry. */
export interface ReplicationLag {
  readonly destination: Registry
  readonly pendingCount: number
  readonly pendingDeletionCount: number
  /** When the oldest that is pending was asked for. */
  readonly oldestRequestedAt?: Date | undefined
  readonly failedCount: number
  readonly failedDeletionCount: number
}

/** An image that has not arrived. */
export interface UnfinishedReplication {
  readonly id: number
  readonly imageId: number
  readonly ref: RepositoryRef
  readonly digest: string
  readonly tags: readonly Tag[]
  readonly replication: ImageReplication
  readonly attempts: number
  readonly requestedAt: Date
}

/** To where registries copy their images, and how far that has come. */
export interface ReplicationReader {
  findConfiguration(registry: Registry): Promise<ReplicationConfiguration | undefined>
  /** In the order in which they were asked for. */
  listOfImage(imageId: number): Promise<readonly ImageReplication[]>
  /** To where something is to be copied, or where something is to be deleted, now or later. */
  pendingDestinations(): Promise<readonly Registry[]>
  /**
   * What is to be copied to a registry now, of every repository that is there, in ascending order of id. `skipped`:
   * repositories, as `repositoryKey` names them, that are left out.
   */
  listDue(
    destination: Registry,
    now: Date,
    limit: number,
    skipped?: readonly string[],
  ): Promise<readonly PendingReplication[]>
  /** Every destination that something is pending or has failed for. */
  lags(): Promise<readonly ReplicationLag[]>
  /** What is pending or has failed, in ascending order of id. */
  listUnfinished(page: Page<number>): Promise<readonly UnfinishedReplication[]>
}

/** What belongs to an image goes when the image goes. */
export interface ReplicationWriter extends ReplicationReader {
  /** Without rules, it is removed. */
  putConfiguration(registry: Registry, configuration: ReplicationConfiguration): Promise<void>
  /** Asks for a copy with these tags, beside what was asked for before and has not ended. */
  request(imageId: number, destination: Registry, tags: readonly Tag[], at: Date): Promise<void>
  /** Forgets what has failed of a registry's images, where its repository is not to be copied there. */
  forgetFailed(registry: Registry, isUnwanted: (name: RepositoryName, destination: Registry) => boolean): Promise<void>
  /** Asks again for what has failed; answers for how many destinations. */
  requestFailed(imageId: number, tags: readonly Tag[], at: Date): Promise<number>
  /** Ends it, without a failure as complete. False: something else was asked for meanwhile, or the image is gone. */
  end(id: number, revision: number, at: Date, failure?: ReplicationFailure): Promise<boolean>
  /** Nobody wants the copy any more; unless something else was asked for meanwhile. */
  withdraw(id: number, revision: number): Promise<void>
  /** Notes why an attempt failed, and when the next is to be made. */
  postpone(id: number, dueAt: Date, failure: ReplicationFailure): Promise<void>
}
