import type { PageOf, Paging } from '../../services/paging.ts'

const PAGE_ITEMS = 100

/** The page that an input asks for. */
export function pagingOf({
  MaxItems,
  Marker,
}: {
  readonly MaxItems?: number | undefined
  readonly Marker?: string | undefined
}): Paging {
  return { limit: MaxItems ?? PAGE_ITEMS, token: Marker }
}

/** What every paged answer says beside its items. */
export function pageFacts({ nextToken }: Pick<PageOf<unknown>, 'nextToken'>) {
  return nextToken === undefined ? { IsTruncated: false } : { IsTruncated: true, Marker: nextToken }
}
