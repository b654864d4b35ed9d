/** What an address has pulled from public registries in a month, without a login. */
export interface PublicPullsTable {
  /** `2026-11` */
  month: string
  address: string
  bytes: number
}
