/** Policies of registries, each as the text that was given. */
export interface RegistryPoliciesTable {
  account_id: string
  region: string
  body: string
}
