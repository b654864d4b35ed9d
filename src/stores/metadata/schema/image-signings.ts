import type { Generated } from 'kysely'
import type { SigningStatus } from '../../../domain/signing/signing.ts'

/** One signature of an image that was asked for, by one profile. */
export interface ImageSigningsTable {
  id: Generated<number>
  image_id: number
  profile_arn: string
  /** The pusher, as JSON. */
  principal: string
  status: SigningStatus
  failure_code: string | null
  failure_reason: string | null
}
