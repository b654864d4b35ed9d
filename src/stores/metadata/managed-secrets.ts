import type { Selectable } from 'kysely'
import type { Registry } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import { secretExists } from '../../domain/secrets/errors.ts'
import type { ListedSecret, ManagedSecret, NewManagedSecret, SecretVersion } from '../../domain/secrets/secret.ts'
import type { ManagedSecretWriter } from '../managed-secrets.ts'
import { paddedLists } from './parameter-lists.ts'
import { registryOfRow } from './registry-row.ts'
import type { ManagedSecretsTable } from './schema/managed-secrets.ts'
import { versionContext } from './sealed-columns.ts'
import type { Session } from './session.ts'

/** Secrets of Secrets Manager: every value is sealed where it lies, also one that a key of KMS encrypts. */
export class ManagedSecrets implements ManagedSecretWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find({ registryId, region }: Registry, name: string): Promise<ManagedSecret | undefined> {
    const row = await this.#session.db
      .selectFrom('managed_secrets')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('name', '=', name)
      .executeTakeFirst()
    return row && toSecret(row)
  }

  async list({ registryId, region }: Registry): Promise<readonly ListedSecret[]> {
    return this.#session.atOnce(async (db) => {
      const ids = db
        .selectFrom('managed_secrets')
        .select('id')
        .where('account_id', '=', registryId)
        .where('region', '=', region)
      const secrets = await db
        .selectFrom('managed_secrets')
        .selectAll()
        .where('id', 'in', ids)
        .orderBy('name')
        .execute()
      const tags = await db.selectFrom('managed_secret_tags').selectAll().where('secret_id', 'in', ids).execute()
      const versions = await db
        .selectFrom('managed_secret_versions')
        .select(['secret_id', 'version_id', 'stages'])
        .where('secret_id', 'in', ids)
        .execute()
      const tagsOf = Map.groupBy(tags, ({ secret_id }) => secret_id)
      const versionsOf = Map.groupBy(versions, ({ secret_id }) => secret_id)
      return secrets.map((row) => ({
        secret: toSecret(row),
        tags: (tagsOf.get(row.id) ?? []).map(({ key, value }) => ({ key, value })),
        versions: (versionsOf.get(row.id) ?? []).map(({ version_id, stages }) => ({
          versionId: version_id,
          stages: JSON.parse(stages) as string[],
        })),
      }))
    })
  }

  async listTags(id: number): Promise<readonly ResourceTag[]> {
    return this.#session.db
      .selectFrom('managed_secret_tags')
      .select(['key', 'value'])
      .where('secret_id', '=', id)
      .orderBy('key')
      .execute()
  }

  async listVersions(id: number): Promise<readonly SecretVersion[]> {
    const { db, sealer } = this.#session
    const rows = await db
      .selectFrom('managed_secret_versions')
      .selectAll()
      .where('secret_id', '=', id)
      .orderBy('created_at')
      .orderBy('version_id')
      .execute()
    return rows.map((row) => ({
      versionId: row.version_id,
      stages: JSON.parse(row.stages) as string[],
      createdAt: new Date(row.created_at),
      kmsKeyArn: row.kms_key_arn ?? undefined,
      wrappedKey: row.wrapped_key ?? undefined,
      body: sealer.open(row.sealed, versionContext(String(id), row.version_id)),
    }))
  }

  async listDue(now: Date, limit: number): Promise<readonly ManagedSecret[]> {
    const rows = await this.#session.db
      .selectFrom('managed_secrets')
      .selectAll()
      .where('deletion_at', 'is not', null)
      .where('deletion_at', '<=', now.getTime())
      .orderBy('deletion_at')
      .limit(limit)
      .execute()
    return rows.map(toSecret)
  }

  async insert(secret: NewManagedSecret): Promise<ManagedSecret> {
    const { home, name, suffix, createdAt } = secret
    const row = await this.#session.db
      .insertInto('managed_secrets')
      .values({
        account_id: home.registryId,
        region: home.region,
        name,
        suffix,
        created_at: createdAt.getTime(),
        ...changeable(secret),
      })
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'name']).doNothing())
      .returning('id')
      .executeTakeFirst()
    if (row === undefined) throw secretExists(name)
    return { ...secret, id: row.id }
  }

  async update(secret: ManagedSecret): Promise<void> {
    await this.#session.db.updateTable('managed_secrets').set(changeable(secret)).where('id', '=', secret.id).execute()
  }

  async delete(id: number): Promise<void> {
    const { db } = this.#session
    for (const table of ['managed_secret_versions', 'managed_secret_tags'] as const)
      await db.deleteFrom(table).where('secret_id', '=', id).execute()
    await db.deleteFrom('managed_secrets').where('id', '=', id).execute()
  }

  async putVersion(id: number, version: SecretVersion): Promise<void> {
    const { db, sealer } = this.#session
    const values = {
      stages: JSON.stringify(version.stages),
      kms_key_arn: version.kmsKeyArn ?? null,
      wrapped_key: version.wrappedKey ?? null,
      sealed: sealer.seal(version.body, versionContext(String(id), version.versionId)),
      created_at: version.createdAt.getTime(),
    }
    await db
      .insertInto('managed_secret_versions')
      .values({ secret_id: id, version_id: version.versionId, ...values })
      .onConflict((conflict) => conflict.columns(['secret_id', 'version_id']).doUpdateSet(values))
      .execute()
  }

  async setStages(id: number, versionId: string, stages: readonly string[]): Promise<void> {
    await this.#session.db
      .updateTable('managed_secret_versions')
      .set({ stages: JSON.stringify(stages) })
      .where('secret_id', '=', id)
      .where('version_id', '=', versionId)
      .execute()
  }

  async deleteVersion(id: number, versionId: string): Promise<void> {
    await this.#session.db
      .deleteFrom('managed_secret_versions')
      .where('secret_id', '=', id)
      .where('version_id', '=', versionId)
      .execute()
  }

  async putTags(id: number, tags: readonly ResourceTag[]): Promise<void> {
    for (const { key, value } of tags)
      await this.#session.db
        .insertInto('managed_secret_tags')
        .values({ secret_id: id, key, value })
        .onConflict((conflict) => conflict.columns(['secret_id', 'key']).doUpdateSet({ value }))
        .execute()
  }

  async deleteTags(id: number, tagKeys: readonly string[]): Promise<void> {
    for (const list of paddedLists(tagKeys))
      await this.#session.db
        .deleteFrom('managed_secret_tags')
        .where('secret_id', '=', id)
        .where('key', 'in', list)
        .execute()
  }
}

function changeable(secret: NewManagedSecret) {
  return {
    description: secret.description ?? null,
    type: secret.type ?? null,
    kms_key_arn: secret.kmsKeyArn ?? null,
    changed_at: secret.changedAt.getTime(),
    accessed_at: secret.accessedAt?.getTime() ?? null,
    deletion_at: secret.deletionAt?.getTime() ?? null,
  }
}

function toSecret(row: Selectable<ManagedSecretsTable>): ManagedSecret {
  return {
    id: row.id,
    home: registryOfRow(row),
    name: row.name,
    suffix: row.suffix,
    description: row.description ?? undefined,
    type: row.type ?? undefined,
    kmsKeyArn: row.kms_key_arn ?? undefined,
    createdAt: new Date(row.created_at),
    changedAt: new Date(row.changed_at),
    accessedAt: row.accessed_at === null ? undefined : new Date(row.accessed_at),
    deletionAt: row.deletion_at === null ? undefined : new Date(row.deletion_at),
  }
}
