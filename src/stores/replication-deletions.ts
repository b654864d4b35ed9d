import type { Digest } from '../domain/digest.ts'
import type { Registry, RepositoryRef, Tag } from '../domain/names.ts'
import type { ReplicationFailure, ReplicationStatus } from '../domain/replication/replication.ts'
import type { Page } from './page.ts'

/** What was deleted here and is to be deleted at a registry that has it from here. */
export interface DeletionRequest {
  readonly ref: RepositoryRef
  readonly destination: Registry
  /** The image; absent: only tags. */
  readonly digest?: Digest | undefined
  /** Those that went; with the image, all that it had. */
  readonly tags: readonly Tag[]
}

export interface PendingDeletion extends DeletionRequest {
  /** The store's own key, ascending with time. */
  readonly id: number
  readonly attempts: number
  readonly requestedAt: Date
}

/** A deletion that has not been made elsewhere. */
export interface UnfinishedDeletion extends PendingDeletion {
  readonly status: ReplicationStatus
  readonly failure?: ReplicationFailure | undefined
}

export interface ReplicationDeletionReader {
  /** What is to be deleted at a registry now, in ascending order of id. `skipped`: repositories, as `repositoryKey` names them, that are left out. */
  listDue(
    destination: Registry,
    now: Date,
    limit: number,
    skipped: readonly string[],
  ): Promise<readonly PendingDeletion[]>
  /** What is pending or has failed, in ascending order of id. */
  listUnfinished(page: Page<number>): Promise<readonly UnfinishedDeletion[]>
}

export interface ReplicationDeletionWriter extends ReplicationDeletionReader {
  request(request: DeletionRequest, at: Date): Promise<void>
  /** It is made, or nobody wants it any more. Absent is fine. */
  drop(id: number): Promise<void>
  fail(id: number, at: Date, failure: ReplicationFailure): Promise<void>
  /** Notes why an attempt failed, and when the next is to be made. */
  postpone(id: number, dueAt: Date, failure: ReplicationFailure): Promise<void>
  /** Asks again for one that has failed. */
  retry(id: number, at: Date): Promise<void>
  /** Forgets what failed before then. */
  prune(before: Date): Promise<void>
}

/** A repository in one word. */
export function repositoryKey({ registry, name }: RepositoryRef): string {
  return `${registry.registryId}/${registry.region}/${name}`
}
