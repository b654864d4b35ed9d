import { eventBusNotFound, eventRuleNotFound } from '../../domain/eventbridge/errors.ts'
import { DEFAULT_BUS, type EventRule, eventBusArn, eventRuleArn } from '../../domain/eventbridge/rule.ts'
import type { MoreFacts } from '../../domain/iam/facts.ts'
import type { Registry } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { homeOf, type KeyCaller } from '../kms/key-access.ts'

/** Who asks for something about rules, and in which region. */
export type EventCaller = KeyCaller

/** A rule as a caller names it: of his own account in the region, on the one bus. */
export interface NamedRule {
  readonly name: string
  /** The bus, by name or ARN; absent: the default one. */
  readonly bus?: string | undefined
}

/** What is asked of a rule. */
export interface RuleAsk {
  readonly action: `events:${string}`
  readonly facts?: MoreFacts | undefined
  readonly requestTags?: readonly ResourceTag[] | undefined
  readonly tagKeys?: readonly string[] | undefined
}

/** What a request has only if its operation says so. */
const ABSENT: MoreFacts = {
  'events:creatoraccount': undefined,
  'events:detail-type': undefined,
  'events:detail.eventtypecode': undefined,
  'events:detail.service': undefined,
  'events:detail.useridentity.principalid': undefined,
  'events:eventbusinvocation': undefined,
  'events:managedby': undefined,
  'events:source': undefined,
  'events:targetarn': undefined,
}

/** Finds rules as callers name them, and asks whether they may. */
export class EventRuleAccess {
  readonly #metadata: MetadataStore
  readonly #access: Access

  constructor(metadata: MetadataStore, access: Access) {
    this.#metadata = metadata
    this.#access = access
  }

  /** Where the rule is, for a caller who may do that. Throws `access-denied`, and `event-rule-not-found` for another bus. */
  async authorize(caller: EventCaller, { name, bus }: NamedRule, ask: RuleAsk): Promise<Registry> {
    const home = homeOf(caller)
    const arn = eventRuleArn({ registry: home, name })
    const tags = async () => (await this.#metadata.view.eventRules.find(home, name))?.tags ?? []
    await this.#ask(caller, arn, ask, tags)
    checkBus(home, bus)
    return home
  }

  /** The same for what is asked of no rule, or of the bus. */
  async authorizeBus(caller: EventCaller, bus: string | undefined, ask: RuleAsk): Promise<Registry> {
    const home = homeOf(caller)
    await this.#ask(caller, eventBusArn(home), ask, async () => [])
    checkBus(home, bus)
    return home
  }

  /** Throws `access-denied`, `event-rule-not-found`. */
  async get(caller: EventCaller, named: NamedRule, ask: RuleAsk): Promise<EventRule> {
    const home = await this.authorize(caller, named, ask)
    return getRule(this.#metadata.view, home, named.name)
  }

  #ask(
    { principal, region }: EventCaller,
    arn: string,
    { action, facts, requestTags, tagKeys }: RuleAsk,
    tags: () => Promise<readonly ResourceTag[]>,
  ): Promise<void> {
    const resource = { arn, ownerAccountId: principal.accountId, region, tags }
    const details = { requestTags, tagKeys, facts: { ...ABSENT, ...facts } }
    return this.#access.authorize(principal, action, resource, details)
  }
}

/** Throws `event-rule-not-found`. */
export async function getRule(view: MetadataReader, registry: Registry, name: string): Promise<EventRule> {
  const rule = await view.eventRules.find(registry, name)
  if (rule === undefined) throw eventRuleNotFound(name)
  return rule
}

function checkBus(home: Registry, bus: string | undefined): void {
  if (bus !== undefined && bus !== DEFAULT_BUS && bus !== eventBusArn(home)) throw eventBusNotFound(bus)
}
