import { type DestinationTable, destinationOf } from '../../domain/eventbridge/destination.ts'
import { eventInputInvalid, eventLimitExceeded } from '../../domain/eventbridge/errors.ts'
import { checkTargetInput } from '../../domain/eventbridge/input.ts'
import { type EventTarget, inputOf, isFramingHeader, type TargetSettings } from '../../domain/eventbridge/rule.ts'
import type { Registry } from '../../domain/names.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { type EventCaller, type EventRuleAccess, getRule, type NamedRule } from './event-rule-access.ts'
import { tokenInvalid } from './event-rules.ts'

/** How many targets EventBridge lets a rule have. */
const TARGETS_MAX = 5

export interface NewTarget {
  readonly name: string
  readonly settings: TargetSettings
}

/** Where rules send what they find. */
export class EventTargets {
  readonly #metadata: MetadataStore
  readonly #access: EventRuleAccess
  readonly #destinations: DestinationTable
  readonly #onChange: () => void

  constructor(metadata: MetadataStore, access: EventRuleAccess, destinations: DestinationTable, onChange: () => void) {
    this.#metadata = metadata
    this.#access = access
    this.#destinations = destinations
    this.#onChange = onChange
  }

  /** All or none. A new target gets what happens from now on. Throws `event-input-invalid`, `event-limit-exceeded`, `event-rule-not-found`. */
  async put(caller: EventCaller, named: NamedRule, targets: readonly NewTarget[]): Promise<void> {
    const facts = { 'events:targetarn': targets.map(({ settings }) => settings.arn) }
    const registry = await this.#access.authorize(caller, named, { action: 'events:PutTargets', facts })
    for (const target of targets) this.#check(target, registry)
    await this.#metadata.transact(async (tx) => {
      const rule = await getRule(tx, registry, named.name)
      const names = new Set((await tx.eventRules.listTargets(rule.id)).map(({ name }) => name))
      for (const { name } of targets) names.add(name)
      if (names.size > TARGETS_MAX)
        throw eventLimitExceeded(`The requested resource exceeds the maximum number allowed: ${TARGETS_MAX} targets.`)
      const { last } = await tx.outbox.range()
      for (const { name, settings } of targets) await tx.eventRules.putTarget(rule.id, name, settings, last)
    })
    this.#onChange()
  }

  /** Unknown names are ignored. */
  async remove(caller: EventCaller, named: NamedRule, names: readonly string[]): Promise<void> {
    const registry = await this.#access.authorize(caller, named, { action: 'events:RemoveTargets' })
    await this.#metadata.transact(async (tx) => {
      const rule = await getRule(tx, registry, named.name)
      for (const name of names) await tx.eventRules.deleteTarget(rule.id, name)
    })
  }

  async list(caller: EventCaller, named: NamedRule, paging: Paging): Promise<PageOf<EventTarget>> {
    const rule = await this.#access.get(caller, named, { action: 'events:ListTargetsByRule' })
    const after = pageAfter(paging, tokenInvalid) ?? ''
    const rows = (await this.#metadata.view.eventRules.listTargets(rule.id)).filter(({ name }) => name > after)
    return pageOf(rows.slice(0, paging.limit + 1), paging.limit, ({ name }) => name)
  }

  #check({ name, settings }: NewTarget, registry: Registry): void {
    const { arn, deadLetterArn } = settings
    for (const [member, given] of [
      ['Target', arn],
      ['DeadLetterConfig', deadLetterArn],
    ] as const) {
      const found = given === undefined ? undefined : destinationOf(given, registry, this.#destinations)
      if (typeof found === 'string')
        throw eventInputInvalid(`Parameter ${member} of target ${name} is not valid. Reason: ${found}`)
    }
    const header = Object.keys(settings.http?.headers ?? {}).find(isFramingHeader)
    if (header !== undefined)
      throw eventInputInvalid(
        `Parameter HttpParameters of target ${name} is not valid. Reason: the header ${header} is not for targets to set.`,
      )
    const inputs = [settings.input, settings.inputPath, settings.inputTransformer].filter((one) => one !== undefined)
    if (inputs.length > 1)
      throw eventInputInvalid(`Only one of Input, InputPath, or InputTransformer must be provided for target ${name}.`)
    checkTargetInput(name, inputOf(settings))
  }
}
