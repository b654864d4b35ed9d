import { invalidParameters } from '../../domain/errors.ts'
import type { Paging } from '../../services/paging.ts'

const PAGE_ITEMS = 100

interface PagedInput {
  readonly maxResults?: number | undefined
  readonly nextToken?: string | undefined
}

/** The page that an input asks for: `limit` items unless it says otherwise. */
export function pagingOf({ maxResults, nextToken }: PagedInput, limit = PAGE_ITEMS): Paging {
  return { limit: maxResults ?? limit, token: nextToken }
}

/** A list of ids is answered whole. Throws `invalid-parameter` when pages are asked for beside it. */
export function refusePaging({ maxResults, nextToken }: PagedInput, idsMember: string): void {
  if (maxResults !== undefined || nextToken !== undefined)
    throw invalidParameters(`Invalid request parameters: maxResults and nextToken cannot be used with ${idsMember}`)
}
