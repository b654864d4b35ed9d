import { RegistryError } from './registry-error.ts'

/** The other registry did not answer, broke off, or failed by itself; later it may be there, perhaps after `retryAfterMs`. */
export function upstreamUnavailable(message: string, options?: ErrorOptions, retryAfterMs?: number): RegistryError {
  return new RegistryError('upstream-unavailable', message, { retryAfterMs }, options)
}

/** The other registry does not let us, with the credentials that we have. */
export function upstreamDenied(message: string): RegistryError {
  return new RegistryError('upstream-denied', message)
}

/** The other registry does not have it. */
export function upstreamNotFound(message: string): RegistryError {
  return new RegistryError('upstream-not-found', message)
}

/** The other registry wants to be left alone; `retryAfterMs`: for how long, where it says so. */
export function upstreamRateLimited(message: string, retryAfterMs: number | undefined): RegistryError {
  return new RegistryError('upstream-rate-limited', message, { retryAfterMs })
}

/** What the other registry answers is not what it should be: other bytes, too many, a redirect that must not be followed. */
export function upstreamWrong(message: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('upstream-wrong', message, {}, options)
}
