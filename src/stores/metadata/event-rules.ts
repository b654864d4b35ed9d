import type { ExpressionBuilder, Selectable } from 'kysely'
import type {
  DeadLetter,
  DeliveryTrouble,
  EventRule,
  EventRuleState,
  EventTarget,
  NewDeadLetter,
  NewEventRule,
  TargetSettings,
} from '../../domain/eventbridge/rule.ts'
import type { Registry } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import { type EventRuleWriter, OWN_RULES, type PlacedEventTarget } from '../event-rules.ts'
import type { Page } from '../page.ts'
import { prepared } from './prepared.ts'
import { registryOfRow } from './registry-row.ts'
import type { Database, Tables } from './schema/database.ts'
import type { EventDeadLettersTable, EventRulesTable, EventTargetsTable } from './schema/event-rules.ts'
import type { Session } from './session.ts'

const active = (db: Database) =>
  db
    .selectFrom('event_targets as t')
    .innerJoin('event_rules as r', 'r.id', 't.rule_id')
    .selectAll('r')
    .select(['t.id as target_id', 't.rule_id', 't.name as target_name', 't.settings', 't.position', 't.trouble'])
    .where('r.state', '=', 'ENABLED')

const listActive = prepared((db) => active(db).where('t.id', '>', 0).orderBy('t.id'))

const findActive = prepared((db, p: { targetId: number }) => active(db).where('t.id', '=', p.targetId))

const advance = prepared((db, p: { targetId: number; from: number; to: number }) =>
  db
    .updateTable('event_targets')
    .set({ position: p.to, trouble: null })
    .where('id', '=', p.targetId)
    .where('position', '=', p.from)
    .returning('id'),
)

const END_OF_OWN_RULES = `${OWN_RULES}~`

/** Put by the account itself. */
function isOfAccount(eb: ExpressionBuilder<Tables, 'event_rules'>) {
  return eb.or([eb('name', '<', OWN_RULES), eb('name', '>', END_OF_OWN_RULES)])
}

/** Rules about events. */
export class EventRules implements EventRuleWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find({ registryId, region }: Registry, name: string): Promise<EventRule | undefined> {
    const row = await this.#session.db
      .selectFrom('event_rules')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '=', name)
      .executeTakeFirst()
    return row && toRule(row)
  }

  async list(
    { registryId, region }: Registry,
    prefix: string,
    { after = '', limit }: Page<string>,
  ): Promise<readonly EventRule[]> {
    const rows = await this.#session.db
      .selectFrom('event_rules')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '>', after)
      .where('name', '>=', prefix)
      // No character of a name comes behind this one.
      .where('name', '<', `${prefix}~`)
      .where((eb) => isOfAccount(eb))
      .orderBy('name')
      .limit(limit)
      .execute()
    return rows.map(toRule)
  }

  async count({ registryId, region }: Registry): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('event_rules')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where((eb) => isOfAccount(eb))
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async listTargets(ruleId: number): Promise<readonly EventTarget[]> {
    const rows = await this.#session.db
      .selectFrom('event_targets')
      .selectAll()
      .where('rule_id', '=', ruleId)
      .orderBy('name')
      .execute()
    return rows.map(toTarget)
  }

  async listActive(): Promise<readonly PlacedEventTarget[]> {
    const { rows } = await listActive(this.#session.db, {})
    return rows.map(toPlaced)
  }

  async findActive(targetId: number): Promise<PlacedEventTarget | undefined> {
    const { rows } = await findActive(this.#session.db, { targetId })
    return rows[0] && toPlaced(rows[0])
  }

  async put({ registry, name, pattern, state, description, roleArn, tags }: NewEventRule): Promise<EventRule> {
    const values = { pattern, state, description: description ?? null, role_arn: roleArn ?? null }
    const row = await this.#session.db
      .insertInto('event_rules')
      .values({
        account_id: registry.registryId,
        region: registry.region,
        name,
        tags: JSON.stringify(tags),
        ...values,
      })
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'name']).doUpdateSet(values))
      .returningAll()
      .executeTakeFirstOrThrow()
    return toRule(row)
  }

  async setState(ruleId: number, state: EventRuleState, position: number): Promise<void> {
    const { db } = this.#session
    await db.updateTable('event_rules').set({ state }).where('id', '=', ruleId).execute()
    if (state === 'ENABLED')
      await db.updateTable('event_targets').set({ position, trouble: null }).where('rule_id', '=', ruleId).execute()
  }

  async setTags(ruleId: number, tags: readonly ResourceTag[]): Promise<void> {
    const values = { tags: JSON.stringify(tags) }
    await this.#session.db.updateTable('event_rules').set(values).where('id', '=', ruleId).execute()
  }

  async delete(ruleId: number): Promise<void> {
    const { db } = this.#session
    await db.deleteFrom('event_targets').where('rule_id', '=', ruleId).execute()
    await db.deleteFrom('event_rules').where('id', '=', ruleId).execute()
  }

  async putTarget(ruleId: number, name: string, settings: TargetSettings, position: number): Promise<void> {
    const values = { settings: JSON.stringify(settings), trouble: null }
    await this.#session.db
      .insertInto('event_targets')
      .values({ rule_id: ruleId, name, position, ...values })
      .onConflict((conflict) => conflict.columns(['rule_id', 'name']).doUpdateSet(values))
      .execute()
  }

  async deleteTarget(ruleId: number, name: string): Promise<boolean> {
    const row = await this.#session.db
      .deleteFrom('event_targets')
      .where('rule_id', '=', ruleId)
      .where('name', '=', name)
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }

  async advance(targetId: number, from: number, to: number): Promise<boolean> {
    return (await advance(this.#session.db, { targetId, from, to })).rows.length > 0
  }

  async noteTrouble(targetId: number, from: number, trouble: DeliveryTrouble): Promise<boolean> {
    const row = await this.#session.db
      .updateTable('event_targets')
      .set({ trouble: JSON.stringify(trouble) })
      .where('id', '=', targetId)
      .where('position', '=', from)
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }

  async rewind(targetId: number, position: number): Promise<void> {
    const values = { position, trouble: null }
    await this.#session.db.updateTable('event_targets').set(values).where('id', '=', targetId).execute()
  }

  async listDeadLetters({ after = 0, limit }: Page<number>): Promise<readonly DeadLetter[]> {
    const rows = await this.#session.db
      .selectFrom('event_dead_letters')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(toDeadLetter)
  }

  async addDeadLetter(letter: NewDeadLetter): Promise<void> {
    const { registry, ruleName, targetName, targetArn, position, attempts, reason, at, input } = letter
    await this.#session.db
      .insertInto('event_dead_letters')
      .values({
        account_id: registry.registryId,
        region: registry.region,
        rule_name: ruleName,
        target_name: targetName,
        target_arn: targetArn,
        position,
        attempts,
        reason,
        at: at.getTime(),
        input,
      })
      .execute()
  }

  async deleteDeadLetters(upTo: number): Promise<number> {
    const { numDeletedRows } = await this.#session.db
      .deleteFrom('event_dead_letters')
      .where('id', '<=', upTo)
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  async pruneDeadLetters(before: Date, countMax: number, limit: number): Promise<number> {
    const { db } = this.#session
    const ends = db.selectFrom('event_dead_letters').select(['id', 'at']).where('id', '>', 0)
    const newest = await ends.orderBy('id', 'desc').limit(1).executeTakeFirst()
    if (newest === undefined) return 0
    const rows = await ends.orderBy('id').limit(limit).execute()
    const kept = rows.findIndex(({ id, at }) => at >= before.getTime() && id > newest.id - countMax)
    const gone = rows.slice(0, kept === -1 ? rows.length : kept).at(-1)
    return gone === undefined ? 0 : this.deleteDeadLetters(gone.id)
  }
}

type RuleRow = Selectable<EventRulesTable>

function toRule(row: RuleRow): EventRule {
  return {
    id: row.id,
    registry: registryOfRow(row),
    name: row.name,
    pattern: row.pattern,
    state: row.state,
    description: row.description ?? undefined,
    roleArn: row.role_arn ?? undefined,
    tags: JSON.parse(row.tags) as readonly ResourceTag[],
  }
}

function toTarget(row: Selectable<EventTargetsTable>): EventTarget {
  return {
    id: row.id,
    ruleId: row.rule_id,
    name: row.name,
    settings: JSON.parse(row.settings) as TargetSettings,
    position: row.position,
    trouble: row.trouble === null ? undefined : toTrouble(row.trouble),
  }
}

function toTrouble(text: string): DeliveryTrouble {
  const trouble = JSON.parse(text) as DeliveryTrouble
  return { ...trouble, since: new Date(trouble.since), retryAt: new Date(trouble.retryAt) }
}

type ActiveRow = RuleRow &
  Omit<Selectable<EventTargetsTable>, 'id' | 'name'> & { target_id: number; target_name: string }

function toPlaced({ target_id, target_name, ...row }: ActiveRow): PlacedEventTarget {
  return { rule: toRule(row), target: toTarget({ ...row, id: target_id, name: target_name }) }
}

function toDeadLetter(row: Selectable<EventDeadLettersTable>): DeadLetter {
  return {
    id: row.id,
    registry: registryOfRow(row),
    ruleName: row.rule_name,
    targetName: row.target_name,
    targetArn: row.target_arn,
    position: row.position,
    attempts: row.attempts,
    reason: row.reason,
    at: new Date(row.at),
    input: row.input,
  }
}
