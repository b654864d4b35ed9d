export interface UploadsTable {
  id: string
  repository_id: number
  key: string
  started_at: number
  touched_at: number
  last_part_bytes: number | null
  part_count: number
}
