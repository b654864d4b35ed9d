import { partitionOf } from '../../domain/arn.ts'
import type { DestinationTable } from '../../domain/eventbridge/destination.ts'
import { type Alarm, type AlarmDefinition, type AlarmStateValue, alarmArn } from '../../domain/metrics/alarm.ts'
import {
  alarmDataInvalid,
  alarmLimitExceeded,
  alarmNotFound,
  metricResourceNotFound,
} from '../../domain/metrics/errors.ts'
import type { Region, Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access, RequestDetails } from '../access/access.ts'
import { checkActions, dropActions, keepActions } from './alarm-actions.ts'
import { changeState } from './alarm-states.ts'

/** CloudWatch's default quota. */
const ALARMS_MAX = 5_000

/** Somebody who asks, and in which region. */
export interface AlarmCaller {
  readonly principal: Principal
  readonly region: Region
}

/** Alarms on what is counted: kept, shown and set. Their evaluation is a job. */
export class AlarmServices {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock
  readonly #destinations: DestinationTable
  readonly #onChange: () => void

  /** `destinations`: where actions lead; `onChange` hears when there may be something to deliver. */
  constructor(
    metadata: MetadataStore,
    access: Access,
    clock: Clock,
    destinations: DestinationTable = new Map(),
    onChange: () => void = () => undefined,
  ) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#destinations = destinations
    this.#onChange = onChange
  }

  /** Makes the alarm, or changes what it watches; tags count for a new one only. Throws `alarm-limit-exceeded`, `invalid-parameter` for an action that leads nowhere. */
  async put(
    caller: AlarmCaller,
    name: string,
    definition: AlarmDefinition,
    tags: readonly ResourceTag[],
  ): Promise<void> {
    const registry = homeOf(caller)
    await this.#authorize(caller, 'PutMetricAlarm', name, { requestTags: tags })
    if (tags.length > 0) await this.#authorize(caller, 'TagResource', name, { requestTags: tags })
    checkActions(definition.actions, registry, this.#destinations)
    const now = this.#clock.now()
    await this.#metadata.transact(async (tx) => {
      const known = await tx.alarms.find(registry, name)
      if (known === undefined && (await tx.alarms.count(registry)) >= ALARMS_MAX) throw alarmLimitExceeded(ALARMS_MAX)
      const reason = 'Unchecked: Initial alarm creation'
      const state = { value: 'INSUFFICIENT_DATA', reason, updatedAt: now, changedAt: now } as const
      await tx.alarms.put({ registry, name, definition, configuredAt: now, state, tags })
      await keepActions(tx, { registry, name, definition })
    })
    this.#onChange()
  }

  /** All of them or none. Throws `alarm-not-found`. */
  async delete(caller: AlarmCaller, names: readonly string[]): Promise<void> {
    for (const name of names) await this.#authorize(caller, 'DeleteAlarms', name)
    const registry = homeOf(caller)
    await this.#metadata.transact(async (tx) => {
      const unknown: string[] = []
      for (const name of names) if ((await tx.alarms.find(registry, name)) === undefined) unknown.push(name)
      if (unknown.length > 0) throw alarmNotFound(unknown)
      for (const name of names) {
        await tx.alarms.delete(registry, name)
        await dropActions(tx, registry, name)
      }
    })
  }

  /** Those of these names that there are, in their order. */
  async getMany(caller: AlarmCaller, names: readonly string[]): Promise<readonly Alarm[]> {
    await this.#authorizeAll(caller)
    const registry = homeOf(caller)
    const found: Alarm[] = []
    for (const name of new Set(names)) {
      const alarm = await this.#metadata.view.alarms.find(registry, name)
      if (alarm !== undefined) found.push(alarm)
    }
    return found
  }

  /** By name, up to `limit` that are meant; `after`: where the page before ended. */
  async list(
    caller: AlarmCaller,
    isMeant: (alarm: Alarm) => boolean,
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly alarms: readonly Alarm[]; readonly next: string | undefined }> {
    await this.#authorizeAll(caller)
    const registry = homeOf(caller)
    const alarms: Alarm[] = []
    for (let from = after; ; ) {
      const page = await this.#metadata.view.alarms.list(registry, { after: from, limit })
      for (const alarm of page) {
        from = alarm.name
        if (!isMeant(alarm)) continue
        if (alarms.length === limit) return { alarms, next: alarms.at(-1)?.name }
        alarms.push(alarm)
      }
      if (page.length < limit) return { alarms, next: undefined }
    }
  }

  /** Until the next evaluation finds otherwise. Throws `alarm-not-found`, `alarm-data-invalid`. */
  async setState(
    caller: AlarmCaller,
    name: string,
    value: AlarmStateValue,
    reason: string,
    reasonData: string | undefined,
  ): Promise<void> {
    await this.#authorize(caller, 'SetAlarmState', name)
    if (reasonData !== undefined && !isJson(reasonData)) throw alarmDataInvalid()
    await this.#metadata.transact(async (tx) => {
      const alarm = await tx.alarms.find(homeOf(caller), name)
      if (alarm === undefined) throw alarmNotFound([name])
      await changeState(tx, alarm, { value, reason, reasonData }, this.#clock.now())
    })
  }

  /** Throws `metric-resource-not-found`. */
  async listTags(caller: AlarmCaller, arn: string): Promise<readonly ResourceTag[]> {
    const name = nameIn(caller, arn)
    await this.#authorize(caller, 'ListTagsForResource', name)
    const alarm = await this.#metadata.view.alarms.find(homeOf(caller), name)
    if (alarm === undefined) throw metricResourceNotFound(arn)
    return alarm.tags
  }

  /** Adds, overwrites and takes away. Throws `metric-resource-not-found`. */
  async changeTags(
    caller: AlarmCaller,
    arn: string,
    added: readonly ResourceTag[],
    removed: readonly string[],
  ): Promise<void> {
    const name = nameIn(caller, arn)
    const details = added.length > 0 ? { requestTags: added } : { tagKeys: removed }
    await this.#authorize(caller, added.length > 0 ? 'TagResource' : 'UntagResource', name, details)
    const registry = homeOf(caller)
    await this.#metadata.transact(async (tx) => {
      const alarm = await tx.alarms.find(registry, name)
      if (alarm === undefined) throw metricResourceNotFound(arn)
      const tags = new Map(alarm.tags.map(({ key, value }) => [key, value]))
      for (const { key, value } of added) tags.set(key, value)
      for (const key of removed) tags.delete(key)
      await tx.alarms.putTags(
        registry,
        name,
        [...tags].map(([key, value]) => ({ key, value })),
      )
    })
  }

  /** A listing is about all alarms. */
  async #authorizeAll(caller: AlarmCaller): Promise<void> {
    await this.#authorize(caller, 'DescribeAlarms', '*')
  }

  async #authorize(caller: AlarmCaller, operation: string, name: string, details: RequestDetails = {}): Promise<void> {
    const { principal, region } = caller
    const registry = homeOf(caller)
    const resource = {
      arn: alarmArn({ registry, name }, partitionOf(region)),
      ownerAccountId: principal.accountId,
      region,
      tags: async () => (await this.#metadata.view.alarms.find(registry, name))?.tags ?? [],
    }
    await this.#access.authorize(principal, `cloudwatch:${operation}`, resource, details)
  }
}

function homeOf({ principal, region }: AlarmCaller): Registry {
  return { registryId: principal.accountId, region }
}

/** Alarms of others do not exist to the caller. */
function nameIn(caller: AlarmCaller, arn: string): string {
  const prefix = alarmArn({ registry: homeOf(caller), name: '' }, partitionOf(caller.region))
  if (!arn.startsWith(prefix) || arn === prefix) throw metricResourceNotFound(arn)
  return arn.slice(prefix.length)
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
