import type { Digest } from '../domain/digest.ts'
import type { RunningHash } from '../lib/hash-stream.ts'

/** What cannot be moved, or not from there; the message is a whole sentence for the person who asked. */
export class MovingFailure extends Error {
  override readonly name = 'MovingFailure'
}

/** An image of a repository from which others can be reached: by a tag, or by its digest alone. */
export interface Root {
  readonly tag?: string | undefined
  /** Where it is known already. */
  readonly digest?: Digest | undefined
}

export interface ManifestBytes {
  readonly bytes: Uint8Array
  readonly digest: Digest
  readonly mediaType: string | undefined
}

/** Which blob is meant, and how large it has to be. */
export interface BlobWanted {
  readonly digest: Digest
  readonly sizeBytes: number
}

/** Where images come from. Bytes may be wrong: whoever takes them compares digests. */
export interface ImageSource {
  /** Everything that is to be moved of a repository, tags first. */
  roots(repository: string): AsyncIterable<Root>
  /** What a tag is now. */
  digestOf(repository: string, tag: string): Promise<Digest>
  /** Of the digest that was asked for. */
  manifest(repository: string, digest: Digest): Promise<ManifestBytes>
  referrers(repository: string, digest: Digest): Promise<readonly Digest[]>
  /** What belongs to images by the name of its tag alone, as cosign's older signatures do, and is not among the roots. */
  companions?(repository: string, digests: readonly Digest[]): AsyncIterable<Root>
  /** The bytes from an offset to the end; `hash` has seen those before, and sees these. */
  blob(repository: string, wanted: BlobWanted, from: number, hash: RunningHash): AsyncIterable<Uint8Array>
}

/** Where images go. */
export interface ImageTarget {
  /** Makes a repository that can be written to. */
  prepare(repository: string): Promise<void>
  /** The manifest and those below it, if all of it is there, blobs included. */
  whole(repository: string, digest: Digest): Promise<readonly Digest[] | undefined>
  /** What a tag is there; `undefined`: nothing. */
  named(repository: string, tag: string): Promise<Digest | undefined>
  hasBlob(repository: string, wanted: BlobWanted): Promise<boolean>
  /** False: it was there. `read` begins where `hash` has got to. Throws when the bytes are others. */
  putBlob(
    repository: string,
    wanted: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<boolean>
  /** Everything that it names is there. */
  putManifest(repository: string, manifest: ManifestBytes & { readonly mediaType: string }): Promise<void>
  /** Says that a manifest that is there is an image in its own right, under a tag or under none. */
  name(
    repository: string,
    manifest: ManifestBytes & { readonly mediaType: string },
    tag: string | undefined,
  ): Promise<void>
}
