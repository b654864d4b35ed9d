/** Which repository holds which blob. */
export interface RepositoryBlobsTable {
  repository_id: number
  digest: string
  /** Where the bytes lie that this repository uses. */
  vault: string
  size_bytes: number
  /** How many rows of `image_blobs` name it in this repository. */
  image_count: number
  /** How many of those images are not active. */
  archived_image_count: number
  media_type: string | null
  /** Since when `image_count` is 0; null while it is not. */
  unused_since: number | null
}
