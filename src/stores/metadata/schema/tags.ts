export interface TagsTable {
  repository_id: number
  name: string
  image_id: number
  /** When it was last set or moved. */
  set_at: number
}
