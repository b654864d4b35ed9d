import type { Digest } from '../domain/digest.ts'
import type { BlobAddress, Vault } from '../domain/vault.ts'

/** What the store calls the staged bytes of one upload: opaque, safe in a path and in a URL. */
export type UploadKey = string & { readonly __brand: 'UploadKey' }

export interface BlobInfo extends BlobAddress {
  readonly sizeBytes: number
  /** When the store last wrote it. */
  readonly storedAt: Date
}

/** A span of bytes, both ends inclusive, as HTTP counts. The caller has checked it against the size. */
export interface ByteRange {
  readonly first: number
  readonly last: number
}

/** What a `Response` takes as its body: a file, which the kernel sends without copying, or a stream. */
export type BlobBody = Blob | ReadableStream<Uint8Array>

/**
 * Where bytes live, by vault and digest. A store knows nothing of repositories: who may read what is decided above.
 *
 * For every driver: a blob is visible whole or not at all; a method that has returned has made its effect durable
 * (except `append`: staged bytes survive the process, and after a power loss the upload's size says what is left).
 * Failures that a driver knows become domain errors (`storage-full`); others pass unchanged.
 */
export interface BlobStore {
  /** What is known of a blob, or `undefined` when it is absent. An outage throws. */
  find(address: BlobAddress): Promise<BlobInfo | undefined>
  /** The bytes, or a range of them. Throws `blob-not-found`. The body may be dropped unread. */
  read(address: BlobAddress, range?: ByteRange): Promise<BlobBody>
  /** Begins a staged upload of zero bytes, for a blob of that vault. */
  startUpload(vault: Vault): Promise<UploadKey>
  /** How many bytes are staged, or `undefined` when there is no such upload. */
  uploadSize(key: UploadKey): Promise<number | undefined>
  /**
   * Appends at `offset`, which must be the present size, and answers the new size. Reads the body no faster than it
   * writes. When the body fails half-way, the bytes received so far stay (a resuming client asks for the size) and the
   * body's error is thrown. One writer at a time: the caller sees to it. The chunks are the store's from then on, which
   * may free them: whoever made them does not touch them again.
   * Throws `upload-range-invalid`, `upload-not-found` (no such key), `storage-full`.
   */
  append(key: UploadKey, offset: number, body: AsyncIterable<Uint8Array>): Promise<number>
  /** The staged bytes behind the first `from` (all, without it), as far as they are there now. Throws `upload-not-found`. */
  readUpload(key: UploadKey, from?: number): Promise<ReadableStream<Uint8Array>>
  /**
   * Turns the staged bytes into the blob of the upload's vault, atomically and durably. The caller has verified the digest. Idempotent: if
   * the key is gone and the blob is there, that is success. Throws `upload-not-found` when neither is there.
   */
  commit(key: UploadKey, digest: Digest): Promise<BlobInfo>
  /** Drops the staged bytes. Absent is fine. */
  abort(key: UploadKey): Promise<void>
  /** Removes a blob. Absent is fine. Bodies already opened still deliver. */
  delete(address: BlobAddress): Promise<void>
  /** Sets a blob aside under another name, so that it is never served again but can be examined. Absent is fine. */
  quarantine(address: BlobAddress): Promise<void>
  /** Every blob, in no particular order; blobs that come or go meanwhile may be missed. */
  list(): AsyncIterable<BlobInfo>
  /** Every staged upload with the moment of its last write. */
  listUploads(): AsyncIterable<{ readonly key: UploadKey; readonly touchedAt: Date }>
  /** Resolves when the store can be written to; throws with the reason otherwise. */
  checkReady(): Promise<void>
  close(): Promise<void>
}

/**
 * What a driver offers beyond that to those who keep other bytes in it than they are given: it stores what it gets, in
 * whatever vault.
 */
export interface BlobDriver extends BlobStore {
  /** Drops the staged bytes behind the first `sizeBytes`. Nobody else writes to the upload. */
  cutUpload(key: UploadKey, sizeBytes: number): Promise<void>
  /** The note beside the staged bytes, or `undefined` when there is none. */
  note(key: UploadKey): Promise<Uint8Array | undefined>
  /** Replaces the note, atomically: also when the process dies, the old or the new one is there. It goes with the upload. */
  putNote(key: UploadKey, note: Uint8Array): Promise<void>
}
