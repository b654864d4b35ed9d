import type { Image } from '../image.ts'
import type { RepositoryScanning } from './configuration.ts'
import { endOfLifeRemark } from './end-of-life.ts'
import type { Scan, ScanFailure } from './scan.ts'

/** ECR's words for what became of a scan. */
export type ScanStatus =
  | 'IN_PROGRESS'
  | 'COMPLETE'
  | 'FAILED'
  | 'UNSUPPORTED_IMAGE'
  | 'ACTIVE'
  | 'PENDING'
  | 'SCAN_ELIGIBILITY_EXPIRED'
  | 'FINDINGS_UNAVAILABLE'
  | 'LIMIT_EXCEEDED'
  | 'IMAGE_ARCHIVED'

export interface ScanState {
  readonly status: ScanStatus
  readonly description?: string | undefined
}

/** How long images are scanned again and again. */
export interface ScanDurations {
  /** After a push; absent: for as long as the image is there. */
  readonly sincePushMs?: number | undefined
  /** After a pull, also when the push is longer ago. */
  readonly sincePullMs: number
}

export const COMPLETED = 'The scan was completed successfully.'
const CONTINUOUS = 'Continuous scan is selected for image.'

/** What the description of a scan that succeeded says beyond that it did: what it could not see. */
export function remarkIn(description: string): string | undefined {
  const start = [COMPLETED, CONTINUOUS].find((one) => description.startsWith(one))
  return start === undefined ? undefined : description.slice(start.length).trim() || undefined
}

/** What a scan comes to at a moment. `lack`: what is wrong by now with the data behind its findings. */
export function stateOf(
  scan: Scan,
  scanning: RepositoryScanning,
  image: Pick<Image, 'status' | 'pushedAt' | 'pulledAt'>,
  lack: ScanFailure | undefined,
  now: Date,
  durations: ScanDurations,
): ScanState {
  if (image.status === 'ARCHIVED') return { status: 'IMAGE_ARCHIVED', description: 'The image is archived.' }
  if (scan.type === 'BASIC') return scan.state === 'QUEUED' ? { status: 'IN_PROGRESS' } : ended(scan, now)
  if (scan.completedAt === undefined)
    return { status: 'PENDING', description: 'The image is waiting for its first scan.' }
  if (scanning.frequency === 'SCAN_ON_PUSH') return scan.state === 'QUEUED' ? { status: 'PENDING' } : ended(scan, now)
  if (scanning.frequency === 'MANUAL')
    return { status: 'SCAN_ELIGIBILITY_EXPIRED', description: 'No scan is selected for the repository.' }
  if (!isEligible(image, now, durations))
    return {
      status: 'SCAN_ELIGIBILITY_EXPIRED',
      description: 'The duration of continuous scans of the image has passed.',
    }
  const failure = scan.failure ?? lack
  if (failure === undefined) return { status: 'ACTIVE', description: withRemarks(CONTINUOUS, scan, now) }
  return failure.code === 'data' ? { status: 'FINDINGS_UNAVAILABLE', description: failure.reason } : ended(scan, now)
}

/** Whether an image is still scanned continuously. */
export function isEligible(
  { pushedAt, pulledAt }: Pick<Image, 'pushedAt' | 'pulledAt'>,
  now: Date,
  { sincePushMs, sincePullMs }: ScanDurations,
): boolean {
  if (sincePushMs === undefined || now.getTime() - pushedAt.getTime() <= sincePushMs) return true
  return pulledAt !== undefined && now.getTime() - pulledAt.getTime() <= sincePullMs
}

/** Several scans as one, as of an index: what is worst, or not yet known, of all. */
export function joinedState(states: readonly ScanState[]): ScanState {
  const [worst] = states.toSorted((a, b) => RANKS.indexOf(a.status) - RANKS.indexOf(b.status))
  if (worst === undefined) throw new Error('Nothing has no status')
  return worst
}

const RANKS: readonly ScanStatus[] = [
  'IN_PROGRESS',
  'PENDING',
  'FAILED',
  'FINDINGS_UNAVAILABLE',
  'LIMIT_EXCEEDED',
  'UNSUPPORTED_IMAGE',
  'SCAN_ELIGIBILITY_EXPIRED',
  'IMAGE_ARCHIVED',
  'COMPLETE',
  'ACTIVE',
]

/**
 * Of an index that lists an image which nobody has scanned: what the others have says nothing of it. `isKept`: under
 * continuous scanning.
 */
export function unscannedState(digest: string, isKept: boolean): ScanState {
  return {
    status: isKept ? 'FINDINGS_UNAVAILABLE' : 'FAILED',
    description: `The image ${digest} of the index has not been scanned.`,
  }
}

function ended(scan: Pick<Scan, 'failure' | 'remark' | 'platform'>, now: Date): ScanState {
  const { failure } = scan
  if (failure === undefined) return { status: 'COMPLETE', description: withRemarks(COMPLETED, scan, now) }
  const { code, reason: description } = failure
  if (code === 'quota') return { status: 'LIMIT_EXCEEDED', description }
  return { status: code === 'type-unsupported' ? 'UNSUPPORTED_IMAGE' : 'FAILED', description }
}

function withRemarks(sentence: string, { remark, platform }: Pick<Scan, 'remark' | 'platform'>, now: Date): string {
  return [sentence, remark, endOfLifeRemark(platform, now)].filter((part) => part !== undefined).join(' ')
}
