import type { Destination } from './destination.ts'
import type { HttpSettings } from './rule.ts'

/** One event on its way to one target. */
export interface Delivery {
  /** The same at each attempt. */
  readonly eventId: string
  /** The target's ARN, which may name the queue. */
  readonly arn: string
  readonly destination: Destination
  /** What is sent. */
  readonly input: string
  readonly http?: HttpSettings | undefined
  readonly messageGroupId?: string | undefined
}

/** How an attempt ended. `retryAfterMs`: what the other side asks for. */
export type DeliveryOutcome =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'failed'; readonly reason: string; readonly retryAfterMs?: number | undefined }
  /** It would fail again and again. */
  | { readonly kind: 'refused'; readonly reason: string }

const FIRST_WAIT_MS = 1_000
const WAIT_MS_MAX = 8 * 60_000

/** How long to wait after so many attempts that failed. */
export function backOffMs(attempts: number): number {
  return Math.min(WAIT_MS_MAX, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20))
}
