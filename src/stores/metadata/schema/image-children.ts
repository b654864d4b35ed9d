/** Which manifests an index lists, by digest: a child may be deleted and pushed again. */
export interface ImageChildrenTable {
  repository_id: number
  child_digest: string
  parent_digest: string
}
