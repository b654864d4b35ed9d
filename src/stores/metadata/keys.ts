import { aliasExists } from '../../domain/kms/errors.ts'
import type { Grant } from '../../domain/kms/grant.ts'
import {
  aliasArn,
  type KeyAlias,
  type KeyMaterial,
  type KeyState,
  type KmsKey,
  type NewKmsKey,
} from '../../domain/kms/key.ts'
import type { Registry } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { GrantFilter, KeyWriter, UsableKey } from '../keys.ts'
import type { Page } from '../page.ts'
import { keyValues, toAlias, toGrant, toGrantRow, toKey } from './key-rows.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import { materialContext } from './sealed-columns.ts'
import type { Session } from './session.ts'

const findKey = prepared((db, p: { keyId: string }) =>
  db.selectFrom('kms_keys').selectAll().where('key_id', '=', p.keyId),
)

const findCurrentMaterial = prepared((db, p: { keyId: string }) =>
  db
    .selectFrom('kms_keys as k')
    .innerJoin('kms_key_materials as m', 'm.material_id', 'k.material_id')
    .selectAll('k')
    .select('m.sealed')
    .where('k.key_id', '=', p.keyId),
)

const findOneMaterial = prepared((db, p: { keyId: string; materialId: string }) =>
  db
    .selectFrom('kms_keys as k')
    .innerJoin('kms_key_materials as m', 'm.kms_key_id', 'k.id')
    .selectAll('k')
    .select('m.sealed')
    .where('k.key_id', '=', p.keyId)
    .where('m.material_id', '=', p.materialId),
)

/** Keys of KMS, with their material sealed, and their aliases, tags and grants. */
export class Keys implements KeyWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(keyId: string): Promise<KmsKey | undefined> {
    const { rows } = await findKey(this.#session.db, { keyId })
    return rows[0] && toKey(rows[0])
  }

  async findMaterial(keyId: string, materialId?: string): Promise<UsableKey | undefined> {
    const { db, sealer } = this.#session
    const { rows } =
      materialId === undefined
        ? await findCurrentMaterial(db, { keyId })
        : await findOneMaterial(db, { keyId, materialId })
    const row = rows[0]
    if (row === undefined) return undefined
    const id = materialId ?? row.material_id
    const bytes = sealer.open(row.sealed, materialContext(id))
    return { key: toKey(row), material: { materialId: id, bytes } }
  }

  async currentMaterialId(id: number): Promise<string | undefined> {
    const { db } = this.#session
    const row = await db.selectFrom('kms_keys').select('material_id').where('id', '=', id).executeTakeFirst()
    return row?.material_id
  }

  async findAlias({ registryId, region }: Registry, name: string): Promise<KeyAlias | undefined> {
    const row = await this.#session.db
      .selectFrom('kms_aliases')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '=', name)
      .executeTakeFirst()
    return row && toAlias(row)
  }

  async list({ registryId, region }: Registry, { after = '', limit }: Page<string>): Promise<readonly KmsKey[]> {
    const rows = await this.#session.db
      .selectFrom('kms_keys')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('key_id', '>', after)
      .orderBy('key_id')
      .limit(limit)
      .execute()
    return rows.map(toKey)
  }

  async count({ registryId, region }: Registry): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('kms_keys')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async listAliases(
    { registryId, region }: Registry,
    { after = '', limit }: Page<string>,
    keyId?: string,
  ): Promise<readonly KeyAlias[]> {
    const rows = await this.#session.db
      .selectFrom('kms_aliases')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '>', after)
      .$if(keyId !== undefined, (query) => query.where('key_id', '=', keyId ?? ''))
      .orderBy('name')
      .limit(limit)
      .execute()
    return rows.map(toAlias)
  }

  async listTags(id: number): Promise<readonly ResourceTag[]> {
    return this.#session.db
      .selectFrom('kms_key_tags')
      .select(['key', 'value'])
      .where('kms_key_id', '=', id)
      .orderBy('key')
      .execute()
  }

  async listGrants(
    id: number,
    { grantId, grantee }: GrantFilter,
    { after = '', limit }: Page<string>,
  ): Promise<readonly Grant[]> {
    const rows = await this.#session.db
      .selectFrom('kms_grants')
      .selectAll()
      .where('kms_key_id', '=', id)
      .where('grant_id', '>', after)
      .$if(grantId !== undefined, (query) => query.where('grant_id', '=', grantId ?? ''))
      .$if(grantee !== undefined, (query) => query.where('grantee', '=', grantee ?? ''))
      .orderBy('grant_id')
      .limit(limit)
      .execute()
    return rows.map(toGrant)
  }

  async countGrants(id: number): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('kms_grants')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('kms_key_id', '=', id)
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async grantsFor(id: number, grantees: readonly string[]): Promise<readonly Grant[]> {
    const found: Grant[] = []
    for (const list of paddedLists(grantees)) {
      const rows = await this.#session.db
        .selectFrom('kms_grants')
        .selectAll()
        .where('kms_key_id', '=', id)
        .where('grantee', 'in', list)
        .execute()
      found.push(...rows.map(toGrant))
    }
    return found
  }

  async findGrantByToken(token: string): Promise<{ readonly keyId: string; readonly grant: Grant } | undefined> {
    const row = await this.#session.db
      .selectFrom('kms_grants as g')
      .innerJoin('kms_keys as k', 'k.id', 'g.kms_key_id')
      .selectAll('g')
      .select('k.key_id')
      .where('g.token', '=', token)
      .executeTakeFirst()
    return row && { keyId: row.key_id, grant: toGrant(row) }
  }

  async listDue(now: Date, limit: number): Promise<readonly KmsKey[]> {
    const due = (column: 'deletion_at' | 'rotates_at', state: KeyState) =>
      this.#session.db
        .selectFrom('kms_keys')
        .selectAll()
        .where(column, 'is not', null)
        .where(column, '<=', now.getTime())
        .where('state', '=', state)
        .orderBy(column)
        .limit(limit)
        .execute()
    const rows = [...(await due('deletion_at', 'PendingDeletion')), ...(await due('rotates_at', 'Enabled'))]
    return [...new Map(rows.map((row) => [row.id, toKey(row)])).values()].slice(0, limit)
  }

  async insert(key: NewKmsKey, material: KeyMaterial): Promise<KmsKey> {
    const { id } = await this.#session.db
      .insertInto('kms_keys')
      .values({
        key_id: key.keyId,
        account_id: key.home.registryId,
        region: key.home.region,
        manager: key.manager,
        created_at: key.createdAt.getTime(),
        material_id: material.materialId,
        ...keyValues(key),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await this.#keepMaterial(id, material, key.createdAt)
    return { ...key, id }
  }

  async update(key: KmsKey): Promise<void> {
    await this.#session.db.updateTable('kms_keys').set(keyValues(key)).where('id', '=', key.id).execute()
  }

  async addMaterial(id: number, material: KeyMaterial, createdAt: Date): Promise<void> {
    await this.#keepMaterial(id, material, createdAt)
    const { materialId } = material
    await this.#session.db.updateTable('kms_keys').set({ material_id: materialId }).where('id', '=', id).execute()
  }

  async destroy(id: number): Promise<void> {
    const { db } = this.#session
    for (const table of ['kms_key_materials', 'kms_key_tags', 'kms_grants'] as const)
      await db.deleteFrom(table).where('kms_key_id', '=', id).execute()
    const ids = db.selectFrom('kms_keys').select('key_id').where('id', '=', id)
    await db.deleteFrom('kms_aliases').where('key_id', 'in', ids).execute()
    await db.deleteFrom('kms_keys').where('id', '=', id).execute()
  }

  async insertAlias(alias: KeyAlias): Promise<void> {
    const inserted = await this.#session.db
      .insertInto('kms_aliases')
      .values({
        account_id: alias.home.registryId,
        region: alias.home.region,
        name: alias.name,
        key_id: alias.keyId,
        created_at: alias.createdAt.getTime(),
        updated_at: alias.updatedAt.getTime(),
      })
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'name']).doNothing())
      .returning('name')
      .executeTakeFirst()
    if (inserted === undefined) throw aliasExists(aliasArn(alias))
  }

  async updateAlias({ home, name, keyId, updatedAt }: KeyAlias): Promise<void> {
    await this.#session.db
      .updateTable('kms_aliases')
      .set({ key_id: keyId, updated_at: updatedAt.getTime() })
      .where('account_id', '=', home.registryId)
      .where('region', '=', home.region)
      .where('name', '=', name)
      .execute()
  }

  async deleteAlias({ registryId, region }: Registry, name: string): Promise<void> {
    await this.#session.db
      .deleteFrom('kms_aliases')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '=', name)
      .execute()
  }

  async putTags(id: number, tags: readonly ResourceTag[]): Promise<void> {
    for (const { key, value } of tags)
      await this.#session.db
        .insertInto('kms_key_tags')
        .values({ kms_key_id: id, key, value })
        .onConflict((conflict) => conflict.columns(['kms_key_id', 'key']).doUpdateSet({ value }))
        .execute()
  }

  async deleteTags(id: number, tagKeys: readonly string[]): Promise<void> {
    for (const list of paddedLists(tagKeys))
      await this.#session.db.deleteFrom('kms_key_tags').where('kms_key_id', '=', id).where('key', 'in', list).execute()
  }

  async insertGrant(id: number, grant: Grant): Promise<void> {
    await this.#session.db.insertInto('kms_grants').values(toGrantRow(id, grant)).execute()
  }

  async deleteGrant(id: number, grantId: string): Promise<boolean> {
    const row = await this.#session.db
      .deleteFrom('kms_grants')
      .where('kms_key_id', '=', id)
      .where('grant_id', '=', grantId)
      .returning('grant_id')
      .executeTakeFirst()
    return row !== undefined
  }

  async #keepMaterial(id: number, { materialId, bytes }: KeyMaterial, createdAt: Date): Promise<void> {
    const { db, sealer } = this.#session
    const sealed = sealer.seal(bytes, materialContext(materialId))
    await db
      .insertInto('kms_key_materials')
      .values({ material_id: materialId, kms_key_id: id, sealed, created_at: createdAt.getTime() })
      .execute()
  }
}
