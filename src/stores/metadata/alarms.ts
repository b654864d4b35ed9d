import type { Selectable } from 'kysely'
import type { Alarm, AlarmState, NewAlarm } from '../../domain/metrics/alarm.ts'
import type { Registry } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { AlarmWriter } from '../metrics.ts'
import type { Page } from '../page.ts'
import { registryOfRow } from './registry-row.ts'
import type { MetricAlarmsTable } from './schema/metrics.ts'
import type { Session } from './session.ts'

/** Alarms and the states they are in. */
export class Alarms implements AlarmWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find({ registryId, region }: Registry, name: string): Promise<Alarm | undefined> {
    const row = await this.#session.db
      .selectFrom('metric_alarms')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '=', name)
      .executeTakeFirst()
    return row && toAlarm(row)
  }

  async list({ registryId, region }: Registry, { after = '', limit }: Page<string>): Promise<readonly Alarm[]> {
    const rows = await this.#session.db
      .selectFrom('metric_alarms')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '>', after)
      .orderBy('name')
      .limit(limit)
      .execute()
    return rows.map(toAlarm)
  }

  async count({ registryId, region }: Registry): Promise<number> {
    const row = await this.#session.db
      .selectFrom('metric_alarms')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .executeTakeFirstOrThrow()
    return Number(row.count)
  }

  async listAll({ after, limit }: Page<Pick<Alarm, 'registry' | 'name'>>): Promise<readonly Alarm[]> {
    const [account, region, name] = [after?.registry.registryId ?? '', after?.registry.region ?? '', after?.name ?? '']
    const rows = await this.#session.db
      .selectFrom('metric_alarms')
      .selectAll()
      .where((eb) =>
        eb.or([
          eb('account_id', '>', account),
          eb.and([eb('account_id', '=', account), eb('region', '>', region)]),
          eb.and([eb('account_id', '=', account), eb('region', '=', region), eb('name', '>', name)]),
        ]),
      )
      .orderBy('account_id')
      .orderBy('region')
      .orderBy('name')
      .limit(limit)
      .execute()
    return rows.map(toAlarm)
  }

  async put({ registry, name, definition, configuredAt, state, tags }: NewAlarm): Promise<void> {
    const changed = { definition: JSON.stringify(definition), configured_at: configuredAt.getTime() }
    await this.#session.db
      .insertInto('metric_alarms')
      .values({
        ...{ account_id: registry.registryId, region: registry.region, name, ...changed },
        ...stateValues(state),
        tags: JSON.stringify(tags),
      })
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'name']).doUpdateSet(changed))
      .execute()
  }

  async setState({ registry, name, configuredAt, state: before }: Alarm, state: AlarmState): Promise<boolean> {
    const rows = await this.#session.db
      .updateTable('metric_alarms')
      .set(stateValues(state))
      .where('account_id', '=', registry.registryId)
      .where('region', '=', registry.region)
      .where('name', '=', name)
      .where('configured_at', '=', configuredAt.getTime())
      .where('state_updated_at', '=', before.updatedAt.getTime())
      .returning('name')
      .execute()
    return rows.length > 0
  }

  async putTags({ registryId, region }: Registry, name: string, tags: readonly ResourceTag[]): Promise<void> {
    await this.#session.db
      .updateTable('metric_alarms')
      .set({ tags: JSON.stringify(tags) })
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '=', name)
      .execute()
  }

  async delete({ registryId, region }: Registry, name: string): Promise<void> {
    await this.#session.db
      .deleteFrom('metric_alarms')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '=', name)
      .execute()
  }
}

function stateValues({ value, reason, reasonData, updatedAt, changedAt }: AlarmState) {
  return {
    state: value,
    state_reason: reason,
    state_reason_data: reasonData ?? null,
    state_updated_at: updatedAt.getTime(),
    state_changed_at: changedAt.getTime(),
  }
}

function toAlarm(row: Selectable<MetricAlarmsTable>): Alarm {
  return {
    registry: registryOfRow(row),
    name: row.name,
    definition: JSON.parse(row.definition) as Alarm['definition'],
    configuredAt: new Date(row.configured_at),
    state: {
      value: row.state,
      reason: row.state_reason,
      reasonData: row.state_reason_data ?? undefined,
      updatedAt: new Date(row.state_updated_at),
      changedAt: new Date(row.state_changed_at),
    },
    tags: JSON.parse(row.tags) as ResourceTag[],
  }
}
