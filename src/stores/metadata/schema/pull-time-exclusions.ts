/** Principals whose pulls leave no pull time. */
export interface PullTimeExclusionsTable {
  account_id: string
  region: string
  principal_arn: string
  created_at: number
}
