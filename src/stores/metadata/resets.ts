import { sql } from 'kysely'
import type { ResetReport, ResetScope } from '../../domain/reset-scope.ts'
import type { ResetWriter } from '../resets.ts'
import { refValues } from './repositories.ts'
import type { Session } from './session.ts'

/** What belongs to a registry and to no repository. */
const OF_REGISTRY = [
  'account_settings',
  'admission_rules',
  'creation_templates',
  'event_dead_letters',
  'event_rules',
  'finding_suppressions',
  'outbox',
  'metric_alarms',
  'metric_counts',
  'metric_series',
  'pull_through_rules',
  'pull_time_exclusions',
  'registry_policies',
  'scan_configurations',
  'replication_configurations',
  'replication_deletions',
  'replication_uploads',
  'signing_configurations',
] as const

/** What must go in a certain order. */
const WITH_BELONGINGS = ['kms_aliases', 'kms_keys', 'managed_secrets'] as const

/** What belongs to an account's public registry, which is in no region. */
const OF_ACCOUNT = ['public_registries', 'registry_aliases'] as const

/** What hangs on the entities of IAM, and by which column. */
const OF_ENTITY = [
  ['iam_inline_policies', 'entity_id'],
  ['iam_attachments', 'entity_id'],
  ['iam_policy_versions', 'policy_id'],
  ['iam_members', 'group_id'],
  ['access_keys', 'user_id'],
] as const

interface Where {
  readonly accountId: string | undefined
  readonly region: string | undefined
  readonly name: string | undefined
}

/** Everything of a scope at once, in as many statements as there are tables: what it held is purged later, in steps. */
export class Resets implements ResetWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async reset(scope: ResetScope): Promise<ResetReport> {
    this.#session.notePolicyChange()
    if ('repository' in scope) return { repositories: await this.#hide(refValues(scope.repository)) }
    const where = { accountId: scope.registryId, region: scope.region, name: undefined }
    const repositories = await this.#hide(where)
    await this.#clearTargets(where)
    for (const table of OF_REGISTRY) await this.#clear(table, where)
    await this.#clearKeys(where)
    await this.#clearSecrets(where)
    if (scope.region === undefined) await this.#resetAccount(scope.registryId)
    return { repositories }
  }

  async #hide({ accountId, region, name }: Where): Promise<number> {
    const { numUpdatedRows } = await this.#session.db
      .updateTable('repositories')
      .set({ name: sql<string>`'#' || ${sql.ref('id')}`, is_deleted: 1 })
      .where('is_deleted', '=', 0)
      .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
      .$if(region !== undefined, (query) => query.where('region', '=', region ?? ''))
      .$if(name !== undefined, (query) => query.where('name', '=', name ?? ''))
      .executeTakeFirst()
    return Number(numUpdatedRows)
  }

  async #clear(
    table: (typeof OF_REGISTRY)[number] | (typeof WITH_BELONGINGS)[number],
    { accountId, region }: Where,
  ): Promise<void> {
    await this.#session.db
      .deleteFrom(table)
      .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
      .$if(region !== undefined, (query) => query.where('region', '=', region ?? ''))
      .execute()
  }

  async #clearTargets({ accountId, region }: Where): Promise<void> {
    const rules = this.#session.db
      .selectFrom('event_rules')
      .select('id')
      .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
      .$if(region !== undefined, (query) => query.where('region', '=', region ?? ''))
    await this.#session.db.deleteFrom('event_targets').where('rule_id', 'in', rules).execute()
  }

  /** Of access keys those of users go, and those of roots stay: they are the way in. */
  async #resetAccount(accountId: string | undefined): Promise<void> {
    for (const table of OF_ACCOUNT) await this.#clearAccount(table, accountId)
    // Addresses belong to no account.
    if (accountId === undefined) await this.#session.db.deleteFrom('public_pulls').execute()
    const entities = this.#session.db
      .selectFrom('iam_entities')
      .select('id')
      .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
    for (const [table, column] of OF_ENTITY)
      await this.#session.db.deleteFrom(table).where(sql.ref<number>(column), 'in', entities).execute()
    await this.#clearAccount('iam_entities', accountId)
  }

  /** With their material: what they encrypted belongs to repositories that are gone. */
  async #clearKeys(where: Where): Promise<void> {
    const ids = this.#session.db
      .selectFrom('kms_keys')
      .select('id')
      .$if(where.accountId !== undefined, (query) => query.where('account_id', '=', where.accountId ?? ''))
      .$if(where.region !== undefined, (query) => query.where('region', '=', where.region ?? ''))
    for (const table of ['kms_key_materials', 'kms_key_tags', 'kms_grants'] as const)
      await this.#session.db.deleteFrom(table).where('kms_key_id', 'in', ids).execute()
    await this.#clear('kms_aliases', where)
    await this.#clear('kms_keys', where)
  }

  async #clearSecrets(where: Where): Promise<void> {
    const ids = this.#session.db
      .selectFrom('managed_secrets')
      .select('id')
      .$if(where.accountId !== undefined, (query) => query.where('account_id', '=', where.accountId ?? ''))
      .$if(where.region !== undefined, (query) => query.where('region', '=', where.region ?? ''))
    for (const table of ['managed_secret_versions', 'managed_secret_tags'] as const)
      await this.#session.db.deleteFrom(table).where('secret_id', 'in', ids).execute()
    await this.#clear('managed_secrets', where)
  }

  async #clearAccount(
    table: (typeof OF_ACCOUNT)[number] | 'iam_entities',
    accountId: string | undefined,
  ): Promise<void> {
    await this.#session.db
      .deleteFrom(table)
      .$if(accountId !== undefined, (query) => query.where('account_id', '=', accountId ?? ''))
      .execute()
  }
}
