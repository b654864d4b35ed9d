import type { ImageStatus } from '../../../domain/image.ts'

export interface TagsTable {
  repository_id: number
  name: string
  image_id: number
  /** When it was last set or moved. */
  set_at: number
  /** That of its image: listings page through an index on it. */
  status: ImageStatus
}
