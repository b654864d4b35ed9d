import type { PageOf, Paging } from '../../services/paging.ts'

const PAGE_ITEMS = 100

interface PagedInput {
  readonly Limit?: number | undefined
  readonly Marker?: string | undefined
}

/** The page that an input asks for. */
export function pagingOf({ Limit, Marker }: PagedInput, limit = PAGE_ITEMS): Paging {
  return { limit: Limit ?? limit, token: Marker }
}

/** How KMS says whether there are more. */
export function truncation({ nextToken }: PageOf<unknown>): {
  readonly NextMarker?: string
  readonly Truncated: boolean
} {
  return nextToken === undefined ? { Truncated: false } : { NextMarker: nextToken, Truncated: true }
}
