import type { Generated } from 'kysely'

export interface RepositoriesTable {
  id: Generated<number>
  account_id: string
  region: string
  /** The name, or `#<id>` once the repository is deleted and waits to be purged. */
  name: string
  created_at: number
  mutability: string
  /** A JSON array of wildcard patterns. */
  exclusion_filters: string
  is_scanned_on_push: number
  encryption_type: string
  /** Null with AES256. */
  kms_key_arn: string | null
  /** How many rows of `images` belong to it. */
  image_count: number
  is_deleted: number
}
