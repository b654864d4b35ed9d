/** Policies of repositories, each as the text that was given. */
export interface RepositoryPoliciesTable {
  repository_id: number
  /** The registry of the repository, so that a registry without such policies is known by one look. */
  account_id: string
  region: string
  body: string
}
