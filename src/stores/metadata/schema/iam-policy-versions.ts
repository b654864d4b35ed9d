/** The texts of managed policies. */
export interface IamPolicyVersionsTable {
  policy_id: number
  number: number
  body: string
  created_at: number
}
