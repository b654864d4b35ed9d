/** What accounts have said of their public registries. */
export interface PublicRegistriesTable {
  account_id: string
  display_name: string
}
