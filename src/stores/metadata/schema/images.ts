import type { Generated } from 'kysely'
import type { ImageStatus } from '../../../domain/image.ts'

export interface ImagesTable {
  id: Generated<number>
  repository_id: number
  digest: string
  media_type: string
  size_bytes: number
  manifest_size_bytes: number
  pushed_at: number
  pulled_at: number | null
  /** How many rows of `tags` point here. */
  tag_count: number
  /** 1 while `tag_count` is not 0: listings by tag status page through an index on it. */
  is_tagged: number
  subject: string | null
  artifact_media_type: string | null
  artifact_type: string | null
  /** A JSON object. */
  annotations: string | null
  status: ImageStatus
  /** When it was last archived. */
  archived_at: number | null
  /** When it was last restored. */
  activated_at: number | null
  /** When the restoration that is under way ends; null in every status but ACTIVATING. */
  activates_at: number | null
}
