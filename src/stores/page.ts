/** A page by key: everything after `after`, at most `limit`. */
export interface Page<Key> {
  readonly after?: Key | undefined
  readonly limit: number
}
