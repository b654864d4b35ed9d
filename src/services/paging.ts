import { invalidParameter } from '../domain/errors.ts'

/** What a caller asks of a listing. */
export interface Paging {
  /** At most this many. */
  readonly limit: number
  /** What an earlier page called its `nextToken`. */
  readonly token?: string | undefined
}

export interface PageOf<Item> {
  readonly items: readonly Item[]
  /** Absent on the last page. */
  readonly nextToken?: string | undefined
}

/** The version stands in the token, so that a later Ecru can tell its own from these. */
const PREFIX = '1:'

/** The key behind which the page starts. Throws `invalid-parameter`, or what the service has for it, for a token that Ecru never made. */
export function pageAfter(
  { token }: Paging,
  refusal: () => Error = () => invalidParameter('nextToken', 'Invalid pagination token'),
): string | undefined {
  if (token === undefined) return undefined
  const text = Buffer.from(token, 'base64url').toString('utf8')
  if (!text.startsWith(PREFIX) || tokenOf(text.slice(PREFIX.length)) !== token) throw refusal()
  return text.slice(PREFIX.length)
}

/** The page out of `rows`, of which the caller has read one more than the limit. */
export function pageOf<Item>(rows: readonly Item[], limit: number, key: (item: Item) => string): PageOf<Item> {
  if (rows.length <= limit) return { items: rows }
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  return last === undefined ? { items } : { items, nextToken: tokenOf(key(last)) }
}

function tokenOf(key: string): string {
  return Buffer.from(PREFIX + key, 'utf8').toString('base64url')
}
