/** What was counted in one period of time; `at` is when the period began. */
export interface MetricCountsTable {
  account_id: string
  region: string
  metric: string
  /** A repository's name, or an operation's. */
  subject: string
  period_ms: number
  at: number
  amount: number
}

/** Which counts there are. */
export interface MetricSeriesTable {
  account_id: string
  region: string
  metric: string
  subject: string
  /** The period that was last counted in. */
  last_at: number
}

export interface MetricAlarmsTable {
  account_id: string
  region: string
  name: string
  /** What the alarm watches and how, as JSON. */
  definition: string
  configured_at: number
  state: 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'
  state_reason: string
  state_reason_data: string | null
  state_updated_at: number
  state_changed_at: number
  /** As JSON. */
  tags: string
}
