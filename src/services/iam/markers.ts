import { invalidParameters, isRegistryError } from '../../domain/errors.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'

/** The key behind which a page of IAM starts. Throws `invalid-parameter` for a marker that was never made here. */
export function markerAfter(paging: Paging): string | undefined {
  try {
    return pageAfter(paging)
  } catch (thrown) {
    if (isRegistryError(thrown, 'invalid-parameter')) throw invalidParameters('Invalid Marker.')
    throw thrown
  }
}

/** A page out of a list that is there as a whole, in ascending order of `key`. */
export function pageOfAll<Item>(items: readonly Item[], paging: Paging, key: (item: Item) => string): PageOf<Item> {
  const after = markerAfter(paging)
  const rest = after === undefined ? items : items.filter((item) => key(item) > after)
  return pageOf(rest.slice(0, paging.limit + 1), paging.limit, key)
}
