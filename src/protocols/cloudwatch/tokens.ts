import { metricTokenInvalid } from '../../domain/metrics/errors.ts'

/** A place in a list as a token that says nothing to whoever holds it. */
export function printToken(place: readonly string[]): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url')
}

/** The place that a token of so many parts stands for. Throws `metric-token-invalid`. */
export function readToken(token: string | undefined, parts: number): readonly string[] | undefined {
  if (token === undefined || token === '') return undefined
  try {
    const place: unknown = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (Array.isArray(place) && place.length === parts && place.every((part) => typeof part === 'string')) return place
  } catch {
    // No token of ours.
  }
  throw metricTokenInvalid()
}
