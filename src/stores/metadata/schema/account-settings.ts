/** What accounts have set; what they have not set is absent. */
export interface AccountSettingsTable {
  account_id: string
  region: string
  name: string
  value: string
}
