import { eventInputInvalid, eventLimitExceeded } from '../../domain/eventbridge/errors.ts'
import { isJsonObject, parseJson } from '../../domain/eventbridge/json.ts'
import { parseEventPattern } from '../../domain/eventbridge/pattern.ts'
import { type EventRule, type EventRuleState, eventRuleArn } from '../../domain/eventbridge/rule.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { isReservedKey, RESOURCE_TAGS_MAX, resourceTagMistake } from '../repositories/repository-settings.ts'
import { type EventCaller, type EventRuleAccess, getRule, type NamedRule } from './event-rule-access.ts'

/** How many rules EventBridge lets an account have on a bus. */
const RULES_MAX = 300

export interface RuleSettings {
  readonly pattern: string
  readonly state?: EventRuleState | undefined
  readonly description?: string | undefined
  readonly roleArn?: string | undefined
  readonly tags?: readonly ResourceTag[] | undefined
}

/** Rules: put, described, listed, enabled, tagged and deleted. */
export class EventRules {
  readonly #metadata: MetadataStore
  readonly #access: EventRuleAccess
  readonly #onChange: () => void

  /** `onChange` hears when targets may have something to do that had not before. */
  constructor(metadata: MetadataStore, access: EventRuleAccess, onChange: () => void) {
    this.#metadata = metadata
    this.#access = access
    this.#onChange = onChange
  }

  /** Made or replaced; tags count only when it is made. Answers its ARN. Throws `event-pattern-invalid`, `event-limit-exceeded`. */
  async put(caller: EventCaller, named: NamedRule, settings: RuleSettings): Promise<string> {
    const { pattern, state = 'ENABLED', description, roleArn, tags = [] } = settings
    const facts = patternFacts(pattern)
    const registry = await this.#access.authorize(caller, named, { action: 'events:PutRule', facts, requestTags: tags })
    if (tags.length > 0)
      await this.#access.authorize(caller, named, { action: 'events:TagResource', requestTags: tags })
    parseEventPattern(pattern)
    const checked = checkedTags(tags)
    const { name } = named
    const rule = await this.#metadata.transact(async (tx) => {
      const known = await tx.eventRules.find(registry, name)
      if (known === undefined && (await tx.eventRules.count(registry)) >= RULES_MAX)
        throw eventLimitExceeded(`The requested resource exceeds the maximum number allowed: ${RULES_MAX} rules.`)
      const put = await tx.eventRules.put({ registry, name, pattern, state, description, roleArn, tags: checked })
      const isWoken = known?.state === 'DISABLED' && state === 'ENABLED'
      if (isWoken) await tx.eventRules.setState(put.id, state, (await tx.outbox.range()).last)
      return put
    })
    this.#onChange()
    return eventRuleArn(rule)
  }

  async describe(caller: EventCaller, named: NamedRule): Promise<EventRule> {
    return this.#access.get(caller, named, { action: 'events:DescribeRule' })
  }

  async list(caller: EventCaller, bus: string | undefined, prefix: string, paging: Paging): Promise<PageOf<EventRule>> {
    const registry = await this.#access.authorizeBus(caller, bus, { action: 'events:ListRules' })
    const after = pageAfter(paging, tokenInvalid)
    const rows = await this.#metadata.view.eventRules.list(registry, prefix, { after, limit: paging.limit + 1 })
    return pageOf(rows, paging.limit, ({ name }) => name)
  }

  /** What happens while a rule is disabled is not for it, later either. */
  async setState(caller: EventCaller, named: NamedRule, state: EventRuleState): Promise<void> {
    const action = state === 'ENABLED' ? 'events:EnableRule' : 'events:DisableRule'
    const registry = await this.#access.authorize(caller, named, { action })
    await this.#metadata.transact(async (tx) => {
      const rule = await getRule(tx, registry, named.name)
      if (rule.state !== state) await tx.eventRules.setState(rule.id, state, (await tx.outbox.range()).last)
    })
    this.#onChange()
  }

  /** Absent is fine. Throws `event-input-invalid` for one that has targets. */
  async delete(caller: EventCaller, named: NamedRule): Promise<void> {
    const registry = await this.#access.authorize(caller, named, { action: 'events:DeleteRule' })
    await this.#metadata.transact(async (tx) => {
      const rule = await tx.eventRules.find(registry, named.name)
      if (rule === undefined) return
      if ((await tx.eventRules.listTargets(rule.id)).length > 0)
        throw eventInputInvalid("Rule can't be deleted since it has targets.")
      await tx.eventRules.delete(rule.id)
    })
  }

  async listTags(caller: EventCaller, named: NamedRule): Promise<readonly ResourceTag[]> {
    return (await this.#access.get(caller, named, { action: 'events:ListTagsForResource' })).tags
  }

  /** Adds and overwrites. */
  async putTags(caller: EventCaller, named: NamedRule, tags: readonly ResourceTag[]): Promise<void> {
    const ask = { action: 'events:TagResource', requestTags: tags } as const
    const registry = await this.#access.authorize(caller, named, ask)
    const checked = checkedTags(tags)
    await this.#metadata.transact(async (tx) => {
      const rule = await getRule(tx, registry, named.name)
      const all = new Map([...rule.tags, ...checked].map(({ key, value }) => [key, value]))
      if (all.size > RESOURCE_TAGS_MAX) throw eventInputInvalid(`A rule has at most ${RESOURCE_TAGS_MAX} tags.`)
      await tx.eventRules.setTags(
        rule.id,
        [...all].map(([key, value]) => ({ key, value })),
      )
    })
  }

  /** Unknown keys are ignored. */
  async deleteTags(caller: EventCaller, named: NamedRule, tagKeys: readonly string[]): Promise<void> {
    const registry = await this.#access.authorize(caller, named, { action: 'events:UntagResource', tagKeys })
    if (tagKeys.some(isReservedKey)) throw eventInputInvalid('Tag keys that start with aws: cannot be removed.')
    await this.#metadata.transact(async (tx) => {
      const rule = await getRule(tx, registry, named.name)
      await tx.eventRules.setTags(
        rule.id,
        rule.tags.filter(({ key }) => !tagKeys.includes(key)),
      )
    })
  }
}

export function tokenInvalid(): Error {
  return eventInputInvalid('The NextToken value is invalid.')
}

function checkedTags(tags: readonly ResourceTag[]): readonly ResourceTag[] {
  if (tags.length > RESOURCE_TAGS_MAX) throw eventInputInvalid(`A rule has at most ${RESOURCE_TAGS_MAX} tags.`)
  const mistake = resourceTagMistake(tags)
  if (mistake !== undefined) throw eventInputInvalid(mistake)
  return tags
}

/** What a rule asks for, as conditions know it: the texts that it compares with. */
function patternFacts(pattern: string) {
  const document = parseJson(pattern)
  const texts = (name: string) => {
    const given = isJsonObject(document) ? document[name] : undefined
    const found = Array.isArray(given) ? given.filter((one) => typeof one === 'string') : []
    return found.length === 0 ? undefined : found
  }
  return { 'events:source': texts('source'), 'events:detail-type': texts('detail-type') }
}
