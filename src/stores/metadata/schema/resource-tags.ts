/** Resource tags of repositories. */
export interface ResourceTagsTable {
  repository_id: number
  key: string
  value: string
}
