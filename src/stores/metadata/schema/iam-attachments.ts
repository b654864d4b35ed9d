/** Which managed policies are attached to which users, groups and roles. */
export interface IamAttachmentsTable {
  entity_id: number
  policy_arn: string
  /** The account of the entity. */
  account_id: string
}
