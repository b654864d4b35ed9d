import { pageInvalid } from '../../domain/errors.ts'

/** ECR's largest page. */
export const PAGE_SIZE_MAX = 1000

/**
 * Reads the `n` of a listing; `undefined` when it is not given. More than 1000 are capped, or refused in ECR's words when
 * `isStrict`. Throws `page-invalid`.
 */
export function parsePageSize(text: string | null, isStrict: boolean): number | undefined {
  if (text === null || text === '') return undefined
  if (!/^[0-9]{1,15}$/.test(text)) throw pageInvalid('maxResults', 'Member must be a whole number')
  const size = Number(text)
  if (isStrict && size > PAGE_SIZE_MAX)
    throw pageInvalid('maxResults', `Member must have value less than or equal to ${PAGE_SIZE_MAX}`)
  if (isStrict && size < 1) throw pageInvalid('maxResults', 'Member must have value greater than or equal to 1')
  return Math.min(size, PAGE_SIZE_MAX)
}

/** A `Link` header to the next page. */
export function nextLink(url: string, query: Readonly<Record<string, string>>): string {
  return `<${url}?${new URLSearchParams(query)}>; rel="next"`
}
