/** Every blob that is stored, arriving or about to be deleted. */
export interface BlobsTable {
  digest: string
  /** The domain of keys it is stored in; '' is the plain one. */
  vault: string
  /** 0 until the first repository links it. */
  size_bytes: number
  /** How many rows of `repository_blobs` name it. */
  link_count: number
  /** When it was last claimed, linked or freed. */
  touched_at: number
  /** 1 while a sweep deletes its bytes. */
  is_marked: number
}
