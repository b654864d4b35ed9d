import type { Generated } from 'kysely'

export interface EventRulesTable {
  id: Generated<number>
  account_id: string
  region: string
  name: string
  pattern: string
  state: 'ENABLED' | 'DISABLED'
  description: string | null
  role_arn: string | null
  /** A JSON list. */
  tags: string
}

export interface EventTargetsTable {
  id: Generated<number>
  rule_id: number
  name: string
  /** JSON. */
  settings: string
  position: number
  /** The trouble with the next event, JSON. */
  trouble: string | null
}

export interface EventDeadLettersTable {
  id: Generated<number>
  account_id: string
  region: string
  rule_name: string
  target_name: string
  target_arn: string
  position: number
  attempts: number
  reason: string
  at: number
  input: string
}
