/** The pushed bytes, apart from `images` so that listings do not read past them. */
export interface ImageManifestsTable {
  image_id: number
  body: Uint8Array
}
