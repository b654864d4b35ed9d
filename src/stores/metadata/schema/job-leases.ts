export interface JobLeasesTable {
  name: string
  holder: string
  expires_at: number
}
