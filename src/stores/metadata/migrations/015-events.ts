import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely'
import { columnsOf } from './columns.ts'

const required = (column: ColumnDefinitionBuilder) => column.notNull()

/** The log of events, the rules that send them on, how far each target has come, and what was given up. */
export const events: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    const { schema } = db
    const { idType, id, ordered } = columnsOf(db)
    const orderedRequired = (column: ColumnDefinitionBuilder) => ordered(column.notNull())

    await schema
      .createTable('outbox')
      .addColumn('position', idType, id)
      .addColumn('account_id', 'text', required)
      .addColumn('region', 'text', required)
      .addColumn('source', 'text', required)
      .addColumn('detail_type', 'text', required)
      .addColumn('resources', 'text', required)
      .addColumn('at', 'bigint', required)
      .addColumn('detail', 'text', required)
      .execute()

    await schema
      .createTable('event_rules')
      .addColumn('id', idType, id)
      .addColumn('account_id', 'text', orderedRequired)
      .addColumn('region', 'text', orderedRequired)
      .addColumn('name', 'text', orderedRequired)
      .addColumn('pattern', 'text', required)
      .addColumn('state', 'text', required)
      .addColumn('description', 'text')
      .addColumn('role_arn', 'text')
      .addColumn('tags', 'text', required)
      .addUniqueConstraint('event_rules_key', ['account_id', 'region', 'name'])
      .execute()

    await schema
      .createTable('event_targets')
      .addColumn('id', idType, id)
      .addColumn('rule_id', 'bigint', (column) => column.notNull().references('event_rules.id'))
      .addColumn('name', 'text', orderedRequired)
      .addColumn('settings', 'text', required)
      .addColumn('position', 'bigint', required)
      .addColumn('trouble', 'text')
      .addUniqueConstraint('event_targets_key', ['rule_id', 'name'])
      .execute()

    await schema
      .createTable('event_dead_letters')
      .addColumn('id', idType, id)
      .addColumn('account_id', 'text', required)
      .addColumn('region', 'text', required)
      .addColumn('rule_name', 'text', required)
      .addColumn('target_name', 'text', required)
      .addColumn('target_arn', 'text', required)
      .addColumn('position', 'bigint', required)
      .addColumn('attempts', 'integer', required)
      .addColumn('reason', 'text', required)
      .addColumn('at', 'bigint', required)
      .addColumn('input', 'text', required)
      .execute()
  },
}
