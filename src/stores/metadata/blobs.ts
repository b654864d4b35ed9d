import type { Digest } from '../../domain/digest.ts'
import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { Encryption, Repository } from '../../domain/repository.ts'
import type { BlobAddress, Vault } from '../../domain/vault.ts'
import type { BlobWriter, LinkedBlob, Page, StoredBlob } from '../metadata.ts'
import { linkBlob, unlinkBlob, unlinkUnusedBlob } from './blob-links.ts'
import { countFreeable, forgetMarked, listDead } from './dead-blobs.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import { encryptionValues, type RefValues, refValues, repositoryColumns, toRepository } from './repositories.ts'
import type { Session } from './session.ts'

const linkColumns = ['digest', 'vault', 'size_bytes', 'image_count', 'archived_image_count', 'media_type'] as const
const linkPart = linkColumns.map((column) => `b.${column}` as const)

interface LinkRow {
  readonly digest: string
  readonly vault: string
  readonly size_bytes: number
  readonly image_count: number
  readonly archived_image_count: number
  readonly media_type: string | null
}

const findLink = prepared((db, p: { repositoryId: number; digest: string }) =>
  db
    .selectFrom('repository_blobs')
    .select(linkColumns)
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

const resolveLink = prepared((db, p: RefValues & { digest: string }) =>
  db
    .selectFrom('repositories as r')
    .leftJoin('repository_blobs as b', (join) =>
      join.onRef('b.repository_id', '=', 'r.id').on('b.digest', '=', p.digest),
    )
    .select(repositoryColumns.map((column) => `r.${column}` as const))
    .select(linkPart)
    .where('r.account_id', '=', p.accountId)
    .where('r.region', '=', p.region)
    .where('r.name', '=', p.name)
    .where('r.is_deleted', '=', 0),
)

interface HolderValues {
  readonly accountId: string
  readonly region: string
  readonly digest: string
  readonly encryptionType: string
  /** '' for none. */
  readonly kmsKeyArn: string
}

const findAnyLink = prepared((db, p: HolderValues) =>
  db
    .selectFrom('repository_blobs as b')
    .innerJoin('repositories as r', 'r.id', 'b.repository_id')
    .select(repositoryColumns.map((column) => `r.${column}` as const))
    .select(linkPart)
    .where('b.digest', '=', p.digest)
    .where('r.encryption_type', '=', p.encryptionType)
    .where((eb) => eb(eb.fn.coalesce('r.kms_key_arn', eb.val('')), '=', p.kmsKeyArn))
    .where('r.account_id', '=', p.accountId)
    .where('r.region', '=', p.region)
    .where('r.is_deleted', '=', 0)
    .limit(1),
)

const claimRecord = prepared((db, p: BlobAddress & { at: number }) =>
  db
    .insertInto('blobs')
    .values({ digest: p.digest, vault: p.vault, size_bytes: 0, link_count: 0, touched_at: p.at, is_marked: 0 })
    .onConflict((conflict) =>
      conflict.columns(['digest', 'vault']).doUpdateSet({ touched_at: p.at }).where('blobs.is_marked', '=', 0),
    )
    .returning('digest'),
)

/** Blobs on record and the links by which repositories hold them. */
export class Blobs implements BlobWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findLinked(repositoryId: number, digest: Digest): Promise<LinkedBlob | undefined> {
    const { rows } = await findLink(this.#session.db, { repositoryId, digest })
    return rows[0] && toLinked(rows[0])
  }

  async resolve(
    ref: RepositoryRef,
    digest: Digest,
  ): Promise<{ readonly repository: Repository; readonly blob: LinkedBlob | undefined } | undefined> {
    const { rows } = await resolveLink(this.#session.db, { ...refValues(ref), digest })
    const row = rows[0]
    if (row === undefined) return undefined
    const { vault, size_bytes, image_count, archived_image_count, media_type } = row
    const isLinked = vault !== null && size_bytes !== null && image_count !== null && archived_image_count !== null
    return {
      repository: toRepository(row),
      blob: isLinked
        ? toLinked({ digest, vault, size_bytes, image_count, archived_image_count, media_type })
        : undefined,
    }
  }

  async findLinkedMany(repositoryId: number, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, LinkedBlob>> {
    const found = new Map<Digest, LinkedBlob>()
    await this.#session.atOnce(async (db) => {
      for (const list of paddedLists(digests)) {
        const rows = await db
          .selectFrom('repository_blobs')
          .select(linkColumns)
          .where('repository_id', '=', repositoryId)
          .where('digest', 'in', list)
          .execute()
        for (const row of rows) found.set(row.digest as Digest, toLinked(row))
      }
    })
    return found
  }

  async findHolder(
    { registryId, region }: Registry,
    digest: Digest,
    encryption: Encryption,
  ): Promise<{ readonly repository: Repository; readonly blob: LinkedBlob } | undefined> {
    const { encryption_type: encryptionType, kms_key_arn } = encryptionValues(encryption)
    const holder = { accountId: registryId, region, digest, encryptionType, kmsKeyArn: kms_key_arn ?? '' }
    const { rows } = await findAnyLink(this.#session.db, holder)
    const row = rows[0]
    return row && { repository: toRepository(row), blob: toLinked(row) }
  }

  async listUnusedLinks(before: Date, limit: number): Promise<readonly { repositoryId: number; digest: Digest }[]> {
    const rows = await this.#session.db
      .selectFrom('repository_blobs')
      .select(['repository_id', 'digest'])
      .where('unused_since', '<', before.getTime())
      .orderBy('unused_since')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ repositoryId: row.repository_id, digest: row.digest as Digest }))
  }

  listDead(before: Date, limit: number): Promise<readonly StoredBlob[]> {
    return this.#session.atOnce((db) => listDead(db, before.getTime(), limit))
  }

  async list({ after, limit }: Page<BlobAddress>): Promise<readonly (StoredBlob & { linkCount: number })[]> {
    const { digest, vault } = after ?? { digest: '', vault: '' }
    const rows = await this.#session.db
      .selectFrom('blobs')
      .select(['digest', 'vault', 'size_bytes', 'link_count'])
      .where('digest', '>=', digest)
      .where((eb) => eb.or([eb('digest', '>', digest), eb('vault', '>', vault)]))
      .orderBy('digest')
      .orderBy('vault')
      .limit(limit)
      .execute()
    return rows.map((row) => ({
      ...toAddress(row),
      sizeBytes: row.size_bytes,
      linkCount: row.link_count,
    }))
  }

  async exists({ digest, vault }: BlobAddress): Promise<boolean> {
    const row = await this.#session.db
      .selectFrom('blobs')
      .select('digest')
      .where('digest', '=', digest)
      .where('vault', '=', vault)
      .executeTakeFirst()
    return row !== undefined
  }

  freeable(
    before: Date,
  ): Promise<{ readonly linkCount: number; readonly blobCount: number; readonly sizeBytes: number }> {
    return this.#session.atOnce((db) => countFreeable(db, before.getTime()))
  }

  async totals(): Promise<{ readonly blobCount: number; readonly sizeBytes: number }> {
    const row = await this.#session.db
      .selectFrom('blobs')
      .select((eb) => [eb.fn.countAll<number>().as('count'), eb.fn.sum<number | null>('size_bytes').as('size_bytes')])
      .executeTakeFirstOrThrow()
    return { blobCount: Number(row.count), sizeBytes: Number(row.size_bytes ?? 0) }
  }

  async claim({ digest, vault }: BlobAddress, at: Date): Promise<boolean> {
    const { rows } = await claimRecord(this.#session.db, { digest, vault, at: at.getTime() })
    return rows.length > 0
  }

  link(repositoryId: number, address: BlobAddress, sizeBytes: number, at: Date): Promise<boolean> {
    return linkBlob(this.#session.db, { repositoryId, ...address, sizeBytes, at: at.getTime() })
  }

  unlink(repositoryId: number, digest: Digest, at: Date): Promise<boolean> {
    return unlinkBlob(this.#session.db, repositoryId, digest, at.getTime())
  }

  unlinkUnused(repositoryId: number, digest: Digest, before: Date): Promise<boolean> {
    return unlinkUnusedBlob(this.#session.db, repositoryId, digest, before.getTime())
  }

  async adopt({ digest, vault }: BlobAddress, sizeBytes: number, storedAt: Date): Promise<boolean> {
    const rows = await this.#session.db
      .insertInto('blobs')
      .values({ digest, vault, size_bytes: sizeBytes, link_count: 0, touched_at: storedAt.getTime(), is_marked: 0 })
      .onConflict((conflict) => conflict.columns(['digest', 'vault']).doNothing())
      .returning('digest')
      .execute()
    return rows.length > 0
  }

  async mark({ digest, vault }: BlobAddress, before: Date): Promise<boolean> {
    const rows = await this.#session.db
      .updateTable('blobs')
      .set({ is_marked: 1 })
      .where('digest', '=', digest)
      .where('vault', '=', vault)
      .where((eb) =>
        eb.or([eb('is_marked', '=', 1), eb.and([eb('link_count', '=', 0), eb('touched_at', '<', before.getTime())])]),
      )
      .returning('digest')
      .execute()
    return rows.length > 0
  }

  async forget(address: BlobAddress): Promise<void> {
    await forgetMarked(this.#session.db, address)
  }

  async lose({ digest, vault }: BlobAddress, before: Date): Promise<boolean> {
    const { db } = this.#session
    const lost = await db
      .updateTable('blobs')
      .set({ link_count: 0, is_marked: 1 })
      .where('digest', '=', digest)
      .where('vault', '=', vault)
      .where('touched_at', '<=', before.getTime())
      .returning('digest')
      .execute()
    if (lost.length === 0) return false
    await db.deleteFrom('repository_blobs').where('digest', '=', digest).where('vault', '=', vault).execute()
    return true
  }
}

function toAddress(row: { readonly digest: string; readonly vault: string }): BlobAddress {
  return { digest: row.digest as Digest, vault: row.vault as Vault }
}

function toLinked(row: LinkRow): LinkedBlob {
  return {
    ...toAddress(row),
    sizeBytes: row.size_bytes,
    imageCount: row.image_count,
    archivedImageCount: row.archived_image_count,
    mediaType: row.media_type ?? undefined,
  }
}
