import type { Digest } from './digest.ts'
import type { Tag } from './names.ts'
import type { Vault } from './vault.ts'

/** How a caller points at an image: by digest, by tag, or by both, which must then agree. */
export interface ImageId {
  readonly digest?: Digest | undefined
  readonly tag?: Tag | undefined
}

/** How a pull or push points at an image: exactly one of the two. */
export type ImageReference = { readonly digest: Digest } | { readonly tag: Tag }

/** `ACTIVATING`: an archived image that is being restored. Only active images can be pulled. */
export type ImageStatus = 'ACTIVE' | 'ARCHIVED' | 'ACTIVATING'

/** An image as it is kept: the record beside the manifest's bytes. */
export interface Image {
  /** The store's own key; never shown. */
  readonly id: number
  readonly repositoryId: number
  readonly digest: Digest
  /** The manifest's media type, as stored. */
  readonly mediaType: string
  /** `config.mediaType`; absent for indexes. */
  readonly artifactMediaType?: string | undefined
  /** What a referrers listing shows: the manifest's `artifactType`, else its `config.mediaType`. */
  readonly artifactType?: string | undefined
  /** Absent also while they are sealed. */
  readonly annotations?: Readonly<Record<string, string>> | undefined
  /** The image this one refers to. */
  readonly subject?: Digest | undefined
  /** Compressed size: config and layers; for an index the largest child's. */
  readonly sizeBytes: number
  readonly manifestSizeBytes: number
  readonly pushedAt: Date
  readonly pulledAt?: Date | undefined
  readonly status: ImageStatus
  /** When it was last archived. */
  readonly archivedAt?: Date | undefined
  /** When it was last restored. */
  readonly activatedAt?: Date | undefined
  /** When the restoration that is under way ends; absent in every status but `ACTIVATING`. */
  readonly activatesAt?: Date | undefined
}

/** A manifest as it is kept: the pushed bytes, sealed unless they are in the plain vault. */
export interface KeptManifest {
  readonly image: Image
  readonly body: Uint8Array
  readonly vault: Vault
}

/** An image with its manifest, as a pull needs it. */
export interface StoredManifest {
  readonly image: Image
  /** The exact bytes that were pushed. */
  readonly manifest: Uint8Array
}

/** An image with its tags in ascending order. */
export interface TaggedImage extends Image {
  readonly tags: readonly Tag[]
}

/** A blob that an image needs, once per digest. */
export interface BlobReference {
  readonly digest: Digest
  readonly mediaType: string
}

/** What only an image has that was archived or restored at some time. */
type StatusMember = 'status' | 'archivedAt' | 'activatedAt' | 'activatesAt'

/** An image (active, as all are at first) before the store has given it a key, with everything that the same transaction must record. */
export interface NewImage extends Omit<Image, 'id' | StatusMember> {
  /** As it is to be kept: sealed, unless for the plain vault. The annotations of a sealed one are in it alone. */
  readonly manifest: Uint8Array
  readonly vault: Vault
  /** Config and layers that this repository must hold; each digest once. */
  readonly blobs: readonly BlobReference[]
  /** The manifests that an index lists; each digest once. */
  readonly children: readonly Digest[]
}

/** Which images a listing shows, by whether they carry a tag. */
export type TagStatus = 'TAGGED' | 'UNTAGGED' | 'ANY'

/** Which images a listing shows, by their status. */
export type StatusFilter = ImageStatus | 'ANY'

/** Which images a listing shows; what is absent filters nothing. */
export interface ImageFilter {
  readonly tagStatus?: TagStatus | undefined
  readonly status?: StatusFilter | undefined
}

/** Which referrers a listing shows; what is absent filters nothing. */
export interface ReferrerFilter {
  /** Any of these; an empty list filters nothing. */
  readonly artifactTypes?: readonly string[] | undefined
  readonly status?: StatusFilter | undefined
}
