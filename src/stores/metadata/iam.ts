import { sql } from 'kysely'
import {
  type Entity,
  type EntityKind,
  type Group,
  type InlinePolicy,
  type NewEntity,
  nameKey,
  type PolicyVersion,
  type User,
} from '../../domain/iam-entities/entity.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { EntityPage, IamWriter, PolicyUse, StoredIdentity } from '../iam.ts'
import { findIdentity } from './iam-identity.ts'
import { toChanges, toEntity, toNewRow } from './iam-rows.ts'
import { prepared } from './prepared.ts'
import type { Session } from './session.ts'

const findByName = prepared((db, p: { accountId: string; kind: string; key: string }) =>
  db
    .selectFrom('iam_entities')
    .selectAll()
    .where('account_id', '=', p.accountId)
    .where('kind', '=', p.kind)
    .where('name_key', '=', p.key),
)

/** What hangs on an entity, and by which column. */
const DEPENDENTS = [
  ['iam_inline_policies', 'entity_id'],
  ['iam_attachments', 'entity_id'],
  ['iam_policy_versions', 'policy_id'],
  ['iam_members', 'group_id'],
  ['iam_members', 'user_id'],
  ['access_keys', 'user_id'],
] as const

/** Users, groups, roles, managed policies and OpenID Connect providers. */
export class Iam implements IamWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find<Kind extends EntityKind>(
    kind: Kind,
    accountId: RegistryId,
    name: string,
  ): Promise<Entity<Kind> | undefined> {
    const { rows } = await findByName(this.#session.db, { accountId, kind, key: nameKey(name) })
    return rows[0] && toEntity<Kind>(rows[0])
  }

  async findByUniqueId(uniqueId: string): Promise<Entity | undefined> {
    const { db } = this.#session
    const row = await db.selectFrom('iam_entities').selectAll().where('unique_id', '=', uniqueId).executeTakeFirst()
    return row && toEntity(row)
  }

  async list<Kind extends EntityKind>(
    kind: Kind,
    accountId: RegistryId,
    { pathPrefix = '/', after = '', limit }: EntityPage,
  ): Promise<readonly Entity<Kind>[]> {
    const rows = await this.#session.db
      .selectFrom('iam_entities')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('kind', '=', kind)
      .where('name_key', '>', nameKey(after))
      .where(sql<string>`substr(path, 1, ${pathPrefix.length})`, '=', pathPrefix)
      .orderBy('name_key')
      .limit(limit)
      .execute()
    return rows.map((row) => toEntity<Kind>(row))
  }

  async counts(accountId: RegistryId): Promise<ReadonlyMap<EntityKind, number>> {
    const rows = await this.#session.db
      .selectFrom('iam_entities')
      .select((eb) => ['kind', eb.fn.countAll<number>().as('count')])
      .where('account_id', '=', accountId)
      .groupBy('kind')
      .execute()
    return new Map(rows.map(({ kind, count }) => [kind as EntityKind, Number(count)]))
  }

  findIdentity(uniqueId: string): Promise<StoredIdentity | undefined> {
    return this.#session.atOnce((db) => findIdentity(db, uniqueId))
  }

  async findInline(entityId: number, name: string): Promise<InlinePolicy | undefined> {
    const row = await this.#session.db
      .selectFrom('iam_inline_policies')
      .select(['name', 'body as text'])
      .where('entity_id', '=', entityId)
      .where('name', '=', name)
      .executeTakeFirst()
    return row
  }

  async listInline(entityId: number): Promise<readonly InlinePolicy[]> {
    return this.#session.db
      .selectFrom('iam_inline_policies')
      .select(['name', 'body as text'])
      .where('entity_id', '=', entityId)
      .orderBy('name')
      .execute()
  }

  async listAttached(entityId: number): Promise<readonly string[]> {
    const rows = await this.#session.db
      .selectFrom('iam_attachments')
      .select('policy_arn')
      .where('entity_id', '=', entityId)
      .orderBy('policy_arn')
      .execute()
    return rows.map(({ policy_arn }) => policy_arn)
  }

  async listAttachedTo(accountId: RegistryId, policyArn: string): Promise<readonly Entity[]> {
    const rows = await this.#session.db
      .selectFrom('iam_attachments as a')
      .innerJoin('iam_entities as e', 'e.id', 'a.entity_id')
      .selectAll('e')
      .where('a.account_id', '=', accountId)
      .where('a.policy_arn', '=', policyArn)
      .execute()
    return rows.map((row) => toEntity(row)).toSorted(byName)
  }

  async listBoundedBy(accountId: RegistryId, policyArn: string): Promise<readonly Entity[]> {
    const rows = await this.#session.db
      .selectFrom('iam_entities')
      .selectAll()
      .where('account_id', '=', accountId)
      .where('boundary_arn', '=', policyArn)
      .execute()
    return rows.map((row) => toEntity(row)).toSorted(byName)
  }

  policyUses(accountId: RegistryId): Promise<ReadonlyMap<string, PolicyUse>> {
    return this.#session.atOnce(async (db) => {
      const attached = await db
        .selectFrom('iam_attachments')
        .select((eb) => ['policy_arn as arn', eb.fn.countAll<number>().as('count')])
        .where('account_id', '=', accountId)
        .groupBy('policy_arn')
        .execute()
      const bounding = await db
        .selectFrom('iam_entities')
        .select((eb) => ['boundary_arn as arn', eb.fn.countAll<number>().as('count')])
        .where('account_id', '=', accountId)
        .where('boundary_arn', 'is not', null)
        .groupBy('boundary_arn')
        .execute()
      const boundaries = new Map(bounding.map(({ arn, count }) => [arn ?? '', Number(count)]))
      const uses = new Map<string, PolicyUse>()
      for (const [arn, boundaryCount] of boundaries) uses.set(arn, { attachmentCount: 0, boundaryCount })
      for (const { arn, count } of attached)
        uses.set(arn, { attachmentCount: Number(count), boundaryCount: boundaries.get(arn) ?? 0 })
      return uses
    })
  }

  policyUse(accountId: RegistryId, policyArn: string): Promise<PolicyUse> {
    return this.#session.atOnce(async (db) => {
      const attached = await db
        .selectFrom('iam_attachments')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('account_id', '=', accountId)
        .where('policy_arn', '=', policyArn)
        .executeTakeFirstOrThrow()
      const bounding = await db
        .selectFrom('iam_entities')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('account_id', '=', accountId)
        .where('boundary_arn', '=', policyArn)
        .executeTakeFirstOrThrow()
      return { attachmentCount: Number(attached.count), boundaryCount: Number(bounding.count) }
    })
  }

  async listVersions(policyId: number): Promise<readonly PolicyVersion[]> {
    const rows = await this.#session.db
      .selectFrom('iam_policy_versions')
      .select(['number', 'body', 'created_at'])
      .where('policy_id', '=', policyId)
      .orderBy('number', 'desc')
      .execute()
    return rows.map(toVersion)
  }

  async findVersion(policyId: number, number: number): Promise<PolicyVersion | undefined> {
    const row = await this.#session.db
      .selectFrom('iam_policy_versions')
      .select(['number', 'body', 'created_at'])
      .where('policy_id', '=', policyId)
      .where('number', '=', number)
      .executeTakeFirst()
    return row && toVersion(row)
  }

  async listMembers(groupId: number): Promise<readonly User[]> {
    const rows = await this.#session.db
      .selectFrom('iam_members as m')
      .innerJoin('iam_entities as e', 'e.id', 'm.user_id')
      .selectAll('e')
      .where('m.group_id', '=', groupId)
      .execute()
    return rows.map((row) => toEntity<'user'>(row)).toSorted(byName)
  }

  async listGroupsOf(userId: number): Promise<readonly Group[]> {
    const rows = await this.#session.db
      .selectFrom('iam_members as m')
      .innerJoin('iam_entities as e', 'e.id', 'm.group_id')
      .selectAll('e')
      .where('m.user_id', '=', userId)
      .execute()
    return rows.map((row) => toEntity<'group'>(row)).toSorted(byName)
  }

  async insert<Kind extends EntityKind>(entity: NewEntity<Kind>): Promise<Entity<Kind> | undefined> {
    this.#session.notePolicyChange()
    const row = await this.#session.db
      .insertInto('iam_entities')
      .values(toNewRow(entity))
      .onConflict((conflict) => conflict.columns(['account_id', 'kind', 'name_key']).doNothing())
      .returningAll()
      .executeTakeFirst()
    return row && toEntity<Kind>(row)
  }

  async update<Kind extends EntityKind>(entity: Entity<Kind>): Promise<void> {
    this.#session.notePolicyChange()
    const { db } = this.#session
    await db.updateTable('iam_entities').set(toChanges(entity)).where('id', '=', entity.id).execute()
  }

  async setTags(entityId: number, tags: readonly ResourceTag[]): Promise<void> {
    this.#session.notePolicyChange()
    const { db } = this.#session
    await db
      .updateTable('iam_entities')
      .set({ tags: JSON.stringify(tags) })
      .where('id', '=', entityId)
      .execute()
  }

  async delete(entityId: number): Promise<void> {
    this.#session.notePolicyChange()
    const { db } = this.#session
    for (const [table, column] of DEPENDENTS)
      await db.deleteFrom(table).where(sql.ref<number>(column), '=', entityId).execute()
    await db.deleteFrom('iam_entities').where('id', '=', entityId).execute()
  }

  async noteUse(uniqueId: string, at: Date, region: string): Promise<void> {
    await this.#session.db
      .updateTable('iam_entities')
      .set({ last_used_at: at.getTime(), last_used_region: region })
      .where('unique_id', '=', uniqueId)
      .execute()
  }

  async putInline(entityId: number, { name, text }: InlinePolicy): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .insertInto('iam_inline_policies')
      .values({ entity_id: entityId, name, body: text })
      .onConflict((conflict) => conflict.columns(['entity_id', 'name']).doUpdateSet({ body: text }))
      .execute()
  }

  async deleteInline(entityId: number, name: string): Promise<boolean> {
    this.#session.notePolicyChange()
    const row = await this.#session.db
      .deleteFrom('iam_inline_policies')
      .where('entity_id', '=', entityId)
      .where('name', '=', name)
      .returning('name')
      .executeTakeFirst()
    return row !== undefined
  }

  async attach({ id, accountId }: Pick<Entity, 'id' | 'accountId'>, policyArn: string): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .insertInto('iam_attachments')
      .values({ entity_id: id, policy_arn: policyArn, account_id: accountId })
      .onConflict((conflict) => conflict.columns(['entity_id', 'policy_arn']).doNothing())
      .execute()
  }

  async detach(entityId: number, policyArn: string): Promise<boolean> {
    this.#session.notePolicyChange()
    const row = await this.#session.db
      .deleteFrom('iam_attachments')
      .where('entity_id', '=', entityId)
      .where('policy_arn', '=', policyArn)
      .returning('policy_arn')
      .executeTakeFirst()
    return row !== undefined
  }

  async insertVersion(policyId: number, { number, text, createdAt }: PolicyVersion): Promise<void> {
    this.#session.notePolicyChange()
    const row = { policy_id: policyId, number, body: text, created_at: createdAt.getTime() }
    await this.#session.db.insertInto('iam_policy_versions').values(row).execute()
  }

  async deleteVersion(policyId: number, number: number): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .deleteFrom('iam_policy_versions')
      .where('policy_id', '=', policyId)
      .where('number', '=', number)
      .execute()
  }

  async addMember(groupId: number, userId: number): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .insertInto('iam_members')
      .values({ group_id: groupId, user_id: userId })
      .onConflict((conflict) => conflict.columns(['group_id', 'user_id']).doNothing())
      .execute()
  }

  async removeMember(groupId: number, userId: number): Promise<boolean> {
    this.#session.notePolicyChange()
    const row = await this.#session.db
      .deleteFrom('iam_members')
      .where('group_id', '=', groupId)
      .where('user_id', '=', userId)
      .returning('user_id')
      .executeTakeFirst()
    return row !== undefined
  }
}

function byName(a: Entity, b: Entity): number {
  const [one, other] = [nameKey(a.name), nameKey(b.name)]
  return one < other ? -1 : one > other ? 1 : 0
}

function toVersion(row: { number: number; body: string; created_at: number }): PolicyVersion {
  return { number: row.number, text: row.body, createdAt: new Date(row.created_at) }
}
