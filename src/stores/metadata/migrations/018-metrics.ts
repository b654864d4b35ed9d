import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()
const zero = (column: ColumnDefinitionBuilder) => column.notNull().defaultTo(0)

/** Counts over time by account and region, which of them there are, and the alarms that watch them. */
export const metrics: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { ordered, byKey } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await byKey(
      schema
        .createTable('metric_counts')
        .addColumn('account_id', 'text', required)
        .addColumn('region', 'text', required)
        .addColumn('metric', 'text', required)
        .addColumn('subject', 'text', orderedRequired)
        .addColumn('period_ms', 'bigint', required)
        .addColumn('at', 'bigint', required)
        .addColumn('amount', 'bigint', zero)
        .addPrimaryKeyConstraint('metric_counts_key', ['account_id', 'region', 'metric', 'subject', 'period_ms', 'at']),
    ).execute()
    await schema.createIndex('metric_counts_by_age').on('metric_counts').columns(['period_ms', 'at']).execute()

    await byKey(
      schema
        .createTable('metric_series')
        .addColumn('account_id', 'text', required)
        .addColumn('region', 'text', required)
        .addColumn('metric', 'text', orderedRequired)
        .addColumn('subject', 'text', orderedRequired)
        .addColumn('last_at', 'bigint', required)
        .addPrimaryKeyConstraint('metric_series_key', ['account_id', 'region', 'metric', 'subject']),
    ).execute()

    await byKey(
      schema
        .createTable('metric_alarms')
        .addColumn('account_id', 'text', required)
        .addColumn('region', 'text', required)
        .addColumn('name', 'text', orderedRequired)
        .addColumn('definition', 'text', required)
        .addColumn('configured_at', 'bigint', required)
        .addColumn('state', 'text', required)
        .addColumn('state_reason', 'text', required)
        .addColumn('state_reason_data', 'text')
        .addColumn('state_updated_at', 'bigint', required)
        .addColumn('state_changed_at', 'bigint', required)
        .addColumn('tags', 'text', required)
        .addPrimaryKeyConstraint('metric_alarms_key', ['account_id', 'region', 'name']),
    ).execute()
  },
}
