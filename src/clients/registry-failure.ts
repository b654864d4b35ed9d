import type { RegistryError } from '../domain/errors.ts'
import {
  upstreamDenied,
  upstreamNotFound,
  upstreamRateLimited,
  upstreamUnavailable,
  upstreamWrong,
} from '../domain/upstream-errors.ts'
import type { Answer } from './exchange.ts'
import { retryAfterMs } from './retry.ts'

/** What an answer that is no success means; `what` was asked for. The other side's own words are not repeated. */
export function failureOf({ status, url, header }: Answer, what: string, now: Date): RegistryError {
  const restMs = retryAfterMs(header('retry-after'), now)
  const { host } = url
  if (status === 401 || status === 403) return upstreamDenied(`${host} refuses ${what} (${status})`)
  if (status === 404) return upstreamNotFound(`${host} does not have ${what}`)
  if (status === 429) return upstreamRateLimited(`${host} limits how often it is asked`, restMs)
  if (status >= 500 || status === 408) return upstreamUnavailable(`${host} answers ${status}`, undefined, restMs)
  return upstreamWrong(`${host} answers ${status} when asked for ${what}`)
}
