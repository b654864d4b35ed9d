import { isRegistryError } from '../domain/errors.ts'

/** How often something is tried again, and how long that may wait. */
export interface RetrySettings {
  /** The first included. */
  readonly attempts: number
  /** Whoever asks for a longer rest is not asked again. */
  readonly waitMsMax: number
  /** Waits; rejects with the signal's reason when that fires. */
  readonly pause: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  /** From 0 to below 1: spreads what would come at once. */
  readonly random: () => number
}

const FIRST_WAIT_MS = 250

/** How long to wait before the attempt after `attempt` (from 1), by what went wrong; `undefined`: it is over. */
export function waitBefore(attempt: number, error: unknown, settings: RetrySettings): number | undefined {
  if (attempt >= settings.attempts) return undefined
  if (!isRegistryError(error, 'upstream-unavailable', 'upstream-rate-limited')) return undefined
  const asked = error.details.retryAfterMs
  if (asked === undefined && error.code === 'upstream-rate-limited') return undefined
  const ownMs = FIRST_WAIT_MS * 2 ** (attempt - 1) * (0.5 + settings.random())
  const waitMs = Math.max(Number(asked ?? 0), Math.min(ownMs, settings.waitMsMax))
  return waitMs > settings.waitMsMax ? undefined : waitMs
}

/** Does the work, again after failures that may pass. Throws its last error. */
export async function retried<T>(
  work: (attempt: number) => Promise<T>,
  settings: RetrySettings,
  signal?: AbortSignal,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt)
    } catch (error) {
      const waitMs = signal?.aborted === true ? undefined : waitBefore(attempt, error, settings)
      if (waitMs === undefined) throw error
      await settings.pause(waitMs, signal)
    }
  }
}

/** `Retry-After` in seconds or as a date (RFC 9110, 10.2.3). */
export function retryAfterMs(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000
  const at = Date.parse(header)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime())
}

/** Waits so long; throws the signal's reason when it is aborted meanwhile. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, ms)
    if (signal?.aborted === true) onAbort()
    else signal?.addEventListener('abort', onAbort, { once: true })
  })
}
