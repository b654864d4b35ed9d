/** What the gallery shows of public repositories. */
export interface RepositoryCatalogsTable {
  repository_id: number
  /** A JSON object of all but the logo. */
  body: string
  /** By which the logo is asked for; both are absent without one. */
  logo_id: string | null
  logo: Uint8Array | null
}
