import type { Selectable } from 'kysely'
import { repositoryExists } from '../../domain/errors.ts'
import type { Registry, RepositoryName, RepositoryRef } from '../../domain/names.ts'
import type {
  Encryption,
  MutabilityMode,
  NewRepository,
  Repository,
  ResourceTag,
  TagMutability,
} from '../../domain/repository.ts'
import type { Page, RepositoryWriter } from '../metadata.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import { purgeDeleted } from './purge.ts'
import { registryOfRow } from './registry-row.ts'
import type { RepositoriesTable } from './schema/repositories.ts'
import type { Session } from './session.ts'

/** The columns that make a {@link Repository}. */
export const repositoryColumns = [
  'id',
  'account_id',
  'region',
  'name',
  'created_at',
  'mutability',
  'exclusion_filters',
  'is_scanned_on_push',
  'encryption_type',
  'kms_key_arn',
] as const satisfies readonly (keyof RepositoriesTable)[]

type RepositoryRow = Pick<Selectable<RepositoriesTable>, (typeof repositoryColumns)[number]>

/** What names a repository in a query. */
export interface RefValues {
  readonly accountId: string
  readonly region: string
  readonly name: string
}

/** The parameters by which prepared queries name a repository. */
export function refValues({ registry, name }: RepositoryRef): RefValues {
  return { accountId: registry.registryId, region: registry.region, name }
}

const findByName = prepared((db, p: RefValues) =>
  db
    .selectFrom('repositories')
    .select(repositoryColumns)
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .where('name', '=', p.name)
    .where('is_deleted', '=', 0),
)

const listByName = prepared((db, p: { accountId: string; region: string; after: string; limit: number }) =>
  db
    .selectFrom('repositories')
    .select(repositoryColumns)
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .where('name', '>', p.after)
    .where('is_deleted', '=', 0)
    .orderBy('name')
    .limit(p.limit),
)

const countLive = prepared((db, p: { accountId: string; region: string }) =>
  db
    .selectFrom('repositories')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .where('is_deleted', '=', 0),
)

const insertNew = prepared((db, p: Omit<RepositoryRow, 'id'>) =>
  db
    .insertInto('repositories')
    .values({
      image_count: 0,
      is_deleted: 0,
      account_id: p.account_id,
      region: p.region,
      name: p.name,
      created_at: p.created_at,
      mutability: p.mutability,
      exclusion_filters: p.exclusion_filters,
      is_scanned_on_push: p.is_scanned_on_push,
      encryption_type: p.encryption_type,
      kms_key_arn: p.kms_key_arn,
    })
    .onConflict((conflict) => conflict.columns(['account_id', 'region', 'name']).doNothing())
    .returning('id'),
)

/** Repositories and their resource tags. */
export class Repositories implements RepositoryWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(ref: RepositoryRef): Promise<Repository | undefined> {
    const { rows } = await findByName(this.#session.db, refValues(ref))
    return rows[0] && toRepository(rows[0])
  }

  async list({ registryId, region }: Registry, page: Page<RepositoryName>): Promise<readonly Repository[]> {
    const { rows } = await listByName(this.#session.db, {
      accountId: registryId,
      region,
      after: page.after ?? '',
      limit: page.limit,
    })
    return rows.map(toRepository)
  }

  async count({ registryId, region }: Registry): Promise<number> {
    const { rows } = await countLive(this.#session.db, { accountId: registryId, region })
    return Number(rows[0]?.count ?? 0)
  }

  async listResourceTags(repositoryId: number): Promise<readonly ResourceTag[]> {
    return this.#session.db
      .selectFrom('resource_tags')
      .select(['key', 'value'])
      .where('repository_id', '=', repositoryId)
      .orderBy('key')
      .execute()
  }

  async insert(repository: NewRepository): Promise<Repository> {
    const { rows } = await insertNew(this.#session.db, {
      account_id: repository.registry.registryId,
      region: repository.registry.region,
      name: repository.name,
      created_at: repository.createdAt.getTime(),
      is_scanned_on_push: repository.isScannedOnPush ? 1 : 0,
      ...encryptionValues(repository.encryption),
      ...mutabilityValues(repository.mutability),
    })
    if (rows[0] === undefined) throw repositoryExists(repository)
    return { ...repository, id: rows[0].id }
  }

  async setMutability(repositoryId: number, mutability: TagMutability): Promise<void> {
    await this.#session.db
      .updateTable('repositories')
      .set(mutabilityValues(mutability))
      .where('id', '=', repositoryId)
      .execute()
  }

  async setScanning(repositoryId: number, isScannedOnPush: boolean): Promise<void> {
    await this.#session.db
      .updateTable('repositories')
      .set({ is_scanned_on_push: isScannedOnPush ? 1 : 0 })
      .where('id', '=', repositoryId)
      .execute()
  }

  async delete(repositoryId: number): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .updateTable('repositories')
      .set({ name: `#${repositoryId}`, is_deleted: 1 })
      .where('id', '=', repositoryId)
      .execute()
  }

  async putResourceTags(repositoryId: number, tags: readonly ResourceTag[]): Promise<void> {
    for (const { key, value } of tags)
      await this.#session.db
        .insertInto('resource_tags')
        .values({ repository_id: repositoryId, key, value })
        .onConflict((conflict) => conflict.columns(['repository_id', 'key']).doUpdateSet({ value }))
        .execute()
  }

  async deleteResourceTags(repositoryId: number, keys: readonly string[]): Promise<void> {
    for (const list of paddedLists(keys))
      await this.#session.db
        .deleteFrom('resource_tags')
        .where('repository_id', '=', repositoryId)
        .where('key', 'in', list)
        .execute()
  }

  purgeDeleted(limit: number): Promise<number> {
    return purgeDeleted(this.#session.db, limit)
  }
}

export function toRepository(row: RepositoryRow): Repository {
  return {
    id: row.id,
    registry: registryOfRow(row),
    name: row.name as RepositoryName,
    createdAt: new Date(row.created_at),
    mutability: {
      mode: row.mutability as MutabilityMode,
      exclusionFilters: JSON.parse(row.exclusion_filters) as string[],
    },
    isScannedOnPush: row.is_scanned_on_push === 1,
    encryption: toEncryption(row),
  }
}

export function encryptionValues(encryption: Encryption) {
  const kmsKeyArn = encryption.type === 'AES256' ? null : encryption.kmsKeyArn
  return { encryption_type: encryption.type, kms_key_arn: kmsKeyArn }
}

function toEncryption(row: Pick<RepositoryRow, 'encryption_type' | 'kms_key_arn'>): Encryption {
  const type = row.encryption_type as Encryption['type']
  if (type === 'AES256') return { type }
  if (row.kms_key_arn === null) throw new Error('a repository that is encrypted by a KMS key names none')
  return { type, kmsKeyArn: row.kms_key_arn }
}

function mutabilityValues({ mode, exclusionFilters }: TagMutability) {
  return { mutability: mode, exclusion_filters: JSON.stringify(exclusionFilters) }
}
