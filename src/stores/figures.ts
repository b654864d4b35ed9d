import type { RepositoryRef } from '../domain/names.ts'
import type { BlobAddress } from '../domain/vault.ts'

/** A repository and how many images it holds. */
export interface CountedRepository {
  readonly id: number
  readonly ref: RepositoryRef
  readonly imageCount: number
}

/** What one step has found of the blobs that a repository holds. */
export interface LinkSum {
  readonly repositoryId: number
  readonly blobCount: number
  readonly sizeBytes: number
  /** Of blobs that no other repository holds. */
  readonly ownBytes: number
  /** Each blob divided by how many repositories hold it. */
  readonly shareBytes: number
}

export interface LinkKey {
  readonly repositoryId: number
  readonly digest: string
}

/** An image that needs a blob. */
export interface BlobUse {
  readonly digest: string
  readonly imageId: number
  readonly sizeBytes: number
  /** How many repositories hold the blob. */
  readonly holders: number
}

/** Work that waits. */
export interface QueueDepths {
  readonly uploads: number
  /** Blobs without a repository, which garbage collection will take. */
  readonly deadBlobs: number
  readonly signings: number
  readonly lifecyclePreviews: number
  readonly scans: number
  readonly replications: number
  readonly replicationDeletions: number
  /** That the target which is furthest behind has yet to get. */
  readonly events: number
  readonly eventDeadLetters: number
}

/** Sums over everything, in steps that are small enough to be made beside traffic. */
export interface FigureReader {
  /** In ascending order of id; without those that are deleted. */
  listRepositories(afterId: number, limit: number): Promise<readonly CountedRepository[]>
  /** Sums over the next `limit` links; `next` is absent behind the last one. */
  sumLinks(after: LinkKey, limit: number): Promise<{ readonly sums: readonly LinkSum[]; readonly next?: LinkKey }>
  /** Sums over the next `limit` records of blobs. */
  sumBlobs(
    after: BlobAddress | undefined,
    limit: number,
  ): Promise<{ readonly blobCount: number; readonly sizeBytes: number; readonly next?: BlobAddress }>
  /** What the images of a repository need, in ascending order of digest, then of image. */
  listBlobUses(
    repositoryId: number,
    after: Pick<BlobUse, 'digest' | 'imageId'>,
    limit: number,
  ): Promise<readonly BlobUse[]>
  queueDepths(): Promise<QueueDepths>
}
