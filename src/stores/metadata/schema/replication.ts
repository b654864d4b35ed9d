import type { Generated } from 'kysely'
import type { ReplicationStatus } from '../../../domain/replication/replication.ts'

export interface ReplicationConfigurationsTable {
  account_id: string
  region: string
  /** JSON. */
  rules: string
}

/** One image on its way to one registry. */
export interface ImageReplicationsTable {
  id: Generated<number>
  image_id: number
  /** Those of the destination. */
  account_id: string
  region: string
  /** The tags that are to be set there, as a JSON list; those of the last request once it has ended. */
  tags: string
  /** Counts requests, so that one which comes while another is carried out is not taken for it. */
  revision: number
  status: ReplicationStatus
  failure_code: string | null
  failure_reason: string | null
  attempts: number
  requested_at: number
  /** Not to be tried before. */
  due_at: number
  ended_at: number | null
}

/** From where an image came by replication. */
export interface ImageOriginsTable {
  image_id: number
  account_id: string
  region: string
}

/** What was deleted in a repository and is to be deleted elsewhere. */
export interface ReplicationDeletionsTable {
  id: Generated<number>
  account_id: string
  region: string
  repository: string
  /** Those of the destination. */
  to_account: string
  to_region: string
  /** NULL: only tags are to go. */
  digest: string | null
  /** As a JSON list. */
  tags: string
  status: ReplicationStatus
  failure_code: string | null
  failure_reason: string | null
  attempts: number
  requested_at: number
  /** Not to be tried before. */
  due_at: number
  ended_at: number | null
}

/** A transfer of a blob that was begun. */
export interface ReplicationUploadsTable {
  account_id: string
  region: string
  repository: string
  to_account: string
  to_region: string
  digest: string
  location: string
  started_at: number
}
