import type { Registry } from '../names.ts'

export type ReplicationStatus = 'IN_PROGRESS' | 'COMPLETE' | 'FAILED'

/** Why an image did not arrive (yet): a code, as DescribeImageReplicationStatus shows it, and a sentence for people. */
export interface ReplicationFailure {
  readonly code: string
  readonly reason: string
}

/** How far an image has come on its way to one registry. */
export interface ImageReplication {
  readonly destination: Registry
  readonly status: ReplicationStatus
  /** Of one that is under way: what the last attempt failed for. */
  readonly failure?: ReplicationFailure | undefined
}

const FIRST_WAIT_MS = 2_000
const WAIT_MS_MAX = 10 * 60_000
/** A registry that asks for longer is asked again all the same. */
export const REST_MS_MAX = 60 * 60_000
/** Nothing is put off for longer: what seems to be was, before the clock was set back. */
export const PUT_OFF_MS_MAX = REST_MS_MAX + 60_000

/** How long to wait after an attempt (the first is 1) that may succeed later: twice as long each time, ten minutes at most. */
export function waitAfterAttempt(attempt: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.min(attempt - 1, 30), WAIT_MS_MAX)
}
