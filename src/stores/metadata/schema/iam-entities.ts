import type { Generated } from 'kysely'

/** Users, groups, roles, managed policies and OpenID Connect providers. */
export interface IamEntitiesTable {
  id: Generated<number>
  account_id: string
  kind: string
  /** The name in lower case. */
  name_key: string
  name: string
  path: string
  unique_id: string
  created_at: number
  /** JSON. */
  tags: string
  boundary_arn: string | null
  /** What only this kind has, as JSON. */
  attributes: string
  last_used_at: number | null
  last_used_region: string | null
}
