/** The pushed bytes (sealed, if they lie in a vault), apart from `images` so that listings do not read past them. */
export interface ImageManifestsTable {
  image_id: number
  body: Uint8Array
  vault: string
}
