import type { DeliveryOutcome } from '../../domain/eventbridge/delivery.ts'

/** Statuses that pass: the other side may take the same event later. */
const PASSING: ReadonlySet<number> = new Set([401, 407, 408, 409, 425, 429])

/** What an HTTP endpoint's answer means for an event: 2xx took it; 5xx and what passes may take it later; the rest never will. */
export function outcomeOf(
  { status, retryAfter }: { readonly status: number; readonly retryAfter: string | undefined },
  now: Date,
): DeliveryOutcome {
  if (status >= 200 && status < 300) return { kind: 'delivered' }
  const reason = `The endpoint answered ${status}`
  if (status < 500 && !PASSING.has(status)) return { kind: 'refused', reason }
  return { kind: 'failed', reason, retryAfterMs: waitOf(retryAfter, now) }
}

/** `Retry-After`: seconds, or a date. */
function waitOf(retryAfter: string | undefined, now: Date): number | undefined {
  if (retryAfter === undefined) return undefined
  if (/^[0-9]{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000
  const at = Date.parse(retryAfter)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime())
}
