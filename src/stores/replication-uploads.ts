import type { Digest } from '../domain/digest.ts'
import type { Registry, RepositoryRef } from '../domain/names.ts'

/** A blob that is brought to another registry. */
export interface ReplicationUpload {
  readonly ref: RepositoryRef
  readonly destination: Registry
  readonly digest: Digest
}

/** Where transfers that were begun can be taken up. What is on record may be long gone there. */
export interface ReplicationUploadReader {
  /** The other side's own name for the upload. */
  find(upload: ReplicationUpload): Promise<string | undefined>
}

export interface ReplicationUploadWriter extends ReplicationUploadReader {
  put(upload: ReplicationUpload, location: string, at: Date): Promise<void>
  /** Absent is fine. */
  delete(upload: ReplicationUpload): Promise<void>
  /** Forgets what was begun before then. */
  prune(before: Date): Promise<void>
}
