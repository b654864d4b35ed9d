/** Which users are in which groups. */
export interface IamMembersTable {
  group_id: number
  user_id: number
}
