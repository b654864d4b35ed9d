import { markerInvalid } from '../../domain/kms/errors.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'

/** The keys behind the marker, and whether there are more: as KMS pages. Throws `key-marker-invalid`. */
export async function pageByMarker<Item>(
  { limit, token }: Paging,
  list: (page: { readonly after: string | undefined; readonly limit: number }) => Promise<readonly Item[]>,
  keyOf: (item: Item) => string,
): Promise<PageOf<Item>> {
  const after = pageAfter({ limit, token }, markerInvalid)
  return pageOf(await list({ after, limit: limit + 1 }), limit, keyOf)
}
