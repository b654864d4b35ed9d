import type { Selectable } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { Registry } from '../../domain/names.ts'
import { type PullThroughRule, prefixKey, type UpstreamKind } from '../../domain/pull-through.ts'
import { pullThroughRuleExists } from '../../domain/pull-through-errors.ts'
import type { CheckedThing, PullThroughWriter, UpstreamCheck } from '../pull-through.ts'
import { paddedLists } from './parameter-lists.ts'
import { registryOfRow } from './registry-row.ts'
import type { PullThroughRulesTable } from './schema/pull-through.ts'
import type { Session } from './session.ts'

type RuleRow = Selectable<PullThroughRulesTable>

/** Pull-through cache rules, and what was last compared with their upstreams. */
export class PullThrough implements PullThroughWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findMany({ registryId, region }: Registry, prefixes: readonly string[]): Promise<readonly PullThroughRule[]> {
    const found: RuleRow[] = []
    for (const list of paddedLists([...new Set(prefixes.map(prefixKey))])) {
      const rows = await this.#session.db
        .selectFrom('pull_through_rules')
        .selectAll()
        .where('account_id', '=', registryId)
        .where('region', '=', region)
        .where('prefix_key', 'in', list)
        .orderBy('prefix_key')
        .execute()
      found.push(...rows)
    }
    return found.map(toRule)
  }

  async list(
    { registryId, region }: Registry,
    { after = '', limit }: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly PullThroughRule[]> {
    const rows = await this.#session.db
      .selectFrom('pull_through_rules')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('prefix_key', '>', after)
      .orderBy('prefix_key')
      .limit(limit)
      .execute()
    return rows.map(toRule)
  }

  async count({ registryId, region }: Registry): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('pull_through_rules')
      .select(({ fn }) => fn.countAll<number>().as('count'))
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async insert(rule: PullThroughRule): Promise<void> {
    this.#session.notePolicyChange()
    const inserted = await this.#session.db
      .insertInto('pull_through_rules')
      .values(toRow(rule))
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'prefix_key']).doNothing())
      .returning('prefix_key')
      .executeTakeFirst()
    if (inserted === undefined) throw pullThroughRuleExists(rule)
  }

  async update(rule: PullThroughRule): Promise<void> {
    this.#session.notePolicyChange()
    const { account_id, region, prefix_key, ...values } = toRow(rule)
    await this.#session.db
      .updateTable('pull_through_rules')
      .set(values)
      .where('account_id', '=', account_id)
      .where('region', '=', region)
      .where('prefix_key', '=', prefix_key)
      .execute()
  }

  async delete({ registryId, region }: Registry, prefix: string): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .deleteFrom('pull_through_rules')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('prefix_key', '=', prefixKey(prefix))
      .execute()
  }

  async findCheck({ repositoryId, kind, name }: CheckedThing): Promise<UpstreamCheck | undefined> {
    const row = await this.#session.db
      .selectFrom('upstream_checks')
      .select(['checked_at', 'digest'])
      .where('repository_id', '=', repositoryId)
      .where('kind', '=', kind)
      .where('name', '=', name)
      .executeTakeFirst()
    if (row === undefined) return undefined
    return { checkedAt: new Date(row.checked_at), digest: (row.digest ?? undefined) as Digest | undefined }
  }

  async putCheck({ repositoryId, kind, name }: CheckedThing, { checkedAt, digest }: UpstreamCheck): Promise<void> {
    const values = { checked_at: checkedAt.getTime(), digest: digest ?? null }
    await this.#session.db
      .insertInto('upstream_checks')
      .values({ repository_id: repositoryId, kind, name, ...values })
      .onConflict((conflict) => conflict.columns(['repository_id', 'kind', 'name']).doUpdateSet(values))
      .execute()
  }
}

function toRow(rule: PullThroughRule): RuleRow {
  return {
    account_id: rule.registry.registryId,
    region: rule.registry.region,
    prefix_key: prefixKey(rule.prefix),
    prefix: rule.prefix,
    upstream_url: rule.upstreamUrl,
    upstream_kind: rule.upstreamKind ?? null,
    credential_arn: rule.credentialArn ?? null,
    custom_role_arn: rule.customRoleArn ?? null,
    upstream_prefix: rule.upstreamPrefix ?? null,
    created_at: rule.createdAt.getTime(),
    updated_at: rule.updatedAt.getTime(),
  }
}

function toRule(row: RuleRow): PullThroughRule {
  return {
    registry: registryOfRow(row),
    prefix: row.prefix,
    upstreamUrl: row.upstream_url,
    upstreamKind: (row.upstream_kind ?? undefined) as UpstreamKind | undefined,
    credentialArn: row.credential_arn ?? undefined,
    customRoleArn: row.custom_role_arn ?? undefined,
    upstreamPrefix: row.upstream_prefix ?? undefined,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  }
}
