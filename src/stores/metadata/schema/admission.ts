/** Rules of admission, by registry and by what they are for; `body` as JSON. */
export interface AdmissionRulesTable {
  account_id: string
  region: string
  repositories: string
  body: string
}
