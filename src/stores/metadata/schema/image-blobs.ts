/** Which blobs an image needs, whether or not the repository still holds them. */
export interface ImageBlobsTable {
  repository_id: number
  digest: string
  image_id: number
  media_type: string
}
