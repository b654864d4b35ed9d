import type { Generated } from 'kysely'
import type { ScanType } from '../../../domain/scanning/configuration.ts'
import type { ScanFailureCode } from '../../../domain/scanning/scan.ts'

/** How one registry is scanned. */
export interface ScanConfigurationsTable {
  account_id: string
  region: string
  scan_type: ScanType
  /** JSON. */
  rules: string
  /** Whether images are to be looked for that the rules have come to select. */
  is_sweep_due: number
}

/** What is in an image. */
export interface ImageInventoriesTable {
  image_id: number
  analyser_version: number
  vault: string
  /** JSON, compressed, sealed if it lies in a vault. */
  body: Uint8Array
}

/** One scan of an image, the latest of its type. */
export interface ImageScansTable {
  id: Generated<number>
  image_id: number
  scan_type: ScanType
  account_id: string
  region: string
  state: 'QUEUED' | 'DONE'
  /** How many times it was begun without an end. */
  attempts: number
  requested_at: number
  due_at: number
  completed_at: number | null
  engine: string | null
  source_updated_at: number | null
  revision: number | null
  /** JSON. */
  coverage: string
  failure_code: ScanFailureCode | null
  failure_reason: string | null
  remark: string | null
  platform: string | null
  architecture: string | null
  /** JSON: how many findings of each severity. */
  counts: string
  finding_count: number
  generation: number
}

/** The findings of a scan, a hundred in a part. */
export interface ImageScanFindingsTable {
  scan_id: number
  part: number
  vault: string
  /** JSON, compressed, sealed if it lies in a vault. */
  body: Uint8Array
}
