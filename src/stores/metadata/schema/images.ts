import type { Generated } from 'kysely'

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
}
