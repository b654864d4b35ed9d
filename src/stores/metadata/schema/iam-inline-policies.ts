/** Policies that belong to one user, group or role. */
export interface IamInlinePoliciesTable {
  entity_id: number
  name: string
  body: string
}
