export interface LifecyclePoliciesTable {
  repository_id: number
  /** Another one whenever a text is put. */
  policy_id: string
  text: string
  put_at: number
  /** When it is to be executed next. */
  due_at: number
  last_evaluated_at: number | null
  /** A JSON object: what the last run did. */
  last_run: string | null
}
