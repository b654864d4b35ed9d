import type { BlobAddress } from '../domain/vault.ts'
import { type BackedUpBlob, type BackedUpFile, BackupFailure, type BackupManifest } from './backup-format.ts'

/** A blob as it lies in the store. */
export interface StoredBytes extends BlobAddress {
  readonly sizeBytes: number
  readonly storedAtMs: number
}

/** A file of the installation. */
export interface SourceFile {
  /** Of what is to be taken, which is all of it or its beginning. */
  readonly sizeBytes: number
  readonly modifiedAtMs: number
  read(): AsyncIterable<Uint8Array>
}

/** What became of a blob. */
export type BlobOutcome =
  | { readonly kind: 'copied' | 'present'; readonly blob: BackedUpBlob }
  /** Its bytes are not those of its digest, or fewer or more than there were said to be. */
  | { readonly kind: 'corrupt' }

/**
 * Where a backup goes: a directory of many, or one archive. Its methods are called in this order, those for files and blobs
 * as often as there are some. Who begins a backup ends it or abandons it.
 */
export interface BackupTarget {
  /** How many blobs it takes at a time. */
  readonly parallel: number
  begin(id: string, createdAt: Date): Promise<void>
  /** The records: `copyTo` writes them to a file of that name. */
  putMetadata(copyTo: (path: string) => Promise<void>): Promise<BackedUpFile>
  /** Tells that these come next, in order of digest and vault. */
  expect(blobs: readonly BlobAddress[]): Promise<void>
  /** `read` opens the bytes, when they are wanted. */
  putBlob(blob: StoredBytes, read: () => Promise<AsyncIterable<Uint8Array>>): Promise<BlobOutcome>
  /** Those of which the last `expect` told, as far as they were stored. */
  list(blobs: readonly BackedUpBlob[]): Promise<void>
  endList(): Promise<BackedUpFile>
  /** A file beside records and blobs, below `audit/`, `keys/` or `advisories/`. */
  putFile(path: string, source: SourceFile): Promise<BackedUpFile>
  /** Makes the backup one. Answers how many older ones went. */
  finish(manifest: BackupManifest): Promise<number>
  /** Lets go of what is open. What came so far may stay, and is no backup. */
  abandon(): Promise<void>
}

/** Copies the records. Throws `BackupFailure`: that there is no room is the operator's business. */
export async function recordsTo(path: string, copyTo: (path: string) => Promise<void>): Promise<void> {
  try {
    await copyTo(path)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new BackupFailure(`The records cannot be copied to ${path}: ${reason}`, { cause })
  }
}
