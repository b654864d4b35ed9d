import { type Selectable, sql } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { RegistryId, Tag } from '../../domain/names.ts'
import type { CatalogData, RegistryAlias } from '../../domain/public-registry.ts'
import type { Page } from '../metadata.ts'
import type { PublicRegistryWriter, PullerInMonth, TagDetail } from '../public-registries.ts'
import { prepared } from './prepared.ts'
import type { RegistryAliasesTable } from './schema/registry-aliases.ts'
import type { Session } from './session.ts'

const aliasColumns = ['name', 'account_id', 'status', 'is_primary', 'is_default'] as const

const aliasByName = prepared((db, p: { name: string }) =>
  db.selectFrom('registry_aliases').select(aliasColumns).where('name', '=', p.name),
)

const tagPage = prepared((db, p: { repositoryId: number; after: string; limit: number }) =>
  db
    .selectFrom('tags as t')
    .innerJoin('images as i', 'i.id', 't.image_id')
    .select(['t.name', 't.set_at', 'i.digest', 'i.size_bytes', 'i.pushed_at', 'i.media_type', 'i.artifact_media_type'])
    .where('t.repository_id', '=', p.repositoryId)
    .where('t.name', '>', p.after)
    .orderBy('t.name')
    .limit(p.limit),
)

const pulledBytes = prepared((db, p: { month: string; address: string }) =>
  db.selectFrom('public_pulls').select('bytes').where('month', '=', p.month).where('address', '=', p.address),
)

/** Aliases, display names and catalog data of public registries. */
export class PublicRegistries implements PublicRegistryWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findAlias(name: string): Promise<RegistryAlias | undefined> {
    const { rows } = await aliasByName(this.#session.db, { name })
    return rows[0] && toAlias(rows[0])
  }

  async listAliases(registryId: RegistryId): Promise<readonly RegistryAlias[]> {
    const rows = await this.#session.db
      .selectFrom('registry_aliases')
      .select(aliasColumns)
      .where('account_id', '=', registryId)
      .orderBy('name')
      .execute()
    return rows.map(toAlias)
  }

  async findDisplayName(registryId: RegistryId): Promise<string | undefined> {
    const row = await this.#session.db
      .selectFrom('public_registries')
      .select('display_name')
      .where('account_id', '=', registryId)
      .executeTakeFirst()
    return row?.display_name
  }

  async findCatalog(repositoryId: number): Promise<CatalogData | undefined> {
    const row = await this.#session.db
      .selectFrom('repository_catalogs')
      .select(['body', 'logo_id'])
      .where('repository_id', '=', repositoryId)
      .executeTakeFirst()
    if (row === undefined) return undefined
    return { ...(JSON.parse(row.body) as CatalogData), logoId: row.logo_id ?? undefined }
  }

  async findLogo(logoId: string): Promise<Uint8Array | undefined> {
    const row = await this.#session.db
      .selectFrom('repository_catalogs')
      .select('logo')
      .where('logo_id', '=', logoId)
      .executeTakeFirst()
    return row?.logo ?? undefined
  }

  async listTagDetails(repositoryId: number, { after = '' as Tag, limit }: Page<Tag>): Promise<readonly TagDetail[]> {
    const { rows } = await tagPage(this.#session.db, { repositoryId, after, limit })
    return rows.map((row) => ({
      tag: row.name as Tag,
      setAt: new Date(row.set_at),
      image: {
        digest: row.digest as Digest,
        sizeBytes: row.size_bytes,
        pushedAt: new Date(row.pushed_at),
        mediaType: row.media_type,
        artifactMediaType: row.artifact_media_type ?? undefined,
      },
    }))
  }

  async pulledBytes({ month, address }: PullerInMonth): Promise<number> {
    const { rows } = await pulledBytes(this.#session.db, { month, address })
    return rows[0]?.bytes ?? 0
  }

  async addPulledBytes({ month, address }: PullerInMonth, bytes: number): Promise<void> {
    await this.#session.db.deleteFrom('public_pulls').where('month', '<', month).execute()
    await this.#session.db
      .insertInto('public_pulls')
      .values({ month, address, bytes })
      .onConflict((conflict) =>
        conflict.columns(['month', 'address']).doUpdateSet({ bytes: sql<number>`public_pulls.bytes + excluded.bytes` }),
      )
      .execute()
  }

  async insertAlias({ name, registryId, status, isPrimary, isDefault }: RegistryAlias): Promise<boolean> {
    const values = {
      name,
      account_id: registryId,
      status,
      is_primary: Number(isPrimary),
      is_default: Number(isDefault),
    }
    const inserted = await this.#session.db
      .insertInto('registry_aliases')
      .values(values)
      .onConflict((conflict) => conflict.column('name').doNothing())
      .returning('name')
      .execute()
    return inserted.length > 0
  }

  async makePrimary(registryId: RegistryId, name: string): Promise<void> {
    await this.#session.db
      .updateTable('registry_aliases')
      .set((eb) => ({ is_primary: eb.case().when('name', '=', name).then(1).else(0).end() }))
      .where('account_id', '=', registryId)
      .execute()
  }

  async deleteAlias(name: string): Promise<void> {
    await this.#session.db.deleteFrom('registry_aliases').where('name', '=', name).execute()
  }

  async putDisplayName(registryId: RegistryId, displayName: string): Promise<void> {
    await this.#session.db
      .insertInto('public_registries')
      .values({ account_id: registryId, display_name: displayName })
      .onConflict((conflict) => conflict.column('account_id').doUpdateSet({ display_name: displayName }))
      .execute()
  }

  async putCatalog(
    repositoryId: number,
    { logoId, ...catalog }: CatalogData,
    logo: Uint8Array | undefined,
  ): Promise<void> {
    const values = { body: JSON.stringify(catalog), logo_id: logoId ?? null, logo: logo ?? null }
    await this.#session.db
      .insertInto('repository_catalogs')
      .values({ repository_id: repositoryId, ...values })
      .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(values))
      .execute()
  }
}

function toAlias(row: Selectable<RegistryAliasesTable>): RegistryAlias {
  return {
    name: row.name,
    registryId: row.account_id as RegistryId,
    status: row.status,
    isPrimary: row.is_primary === 1,
    isDefault: row.is_default === 1,
  }
}
