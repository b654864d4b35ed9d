import { sql } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { RepositoryName } from '../../domain/names.ts'
import type { BlobAddress, Vault } from '../../domain/vault.ts'
import type { BlobUse, CountedRepository, FigureReader, LinkKey, LinkSum, QueueDepths } from '../figures.ts'
import { registryOfRow } from './registry-row.ts'
import type { Session } from './session.ts'

/** Sums for those who watch the registry. */
export class Figures implements FigureReader {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async listRepositories(afterId: number, limit: number): Promise<readonly CountedRepository[]> {
    const rows = await this.#session.db
      .selectFrom('repositories')
      .select(['id', 'account_id', 'region', 'name', 'image_count'])
      .where('id', '>', afterId)
      .where('is_deleted', '=', 0)
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map((row) => ({
      id: row.id,
      ref: { registry: registryOfRow(row), name: row.name as RepositoryName },
      imageCount: row.image_count,
    }))
  }

  async sumLinks(
    { repositoryId, digest }: LinkKey,
    limit: number,
  ): Promise<{ readonly sums: readonly LinkSum[]; readonly next?: LinkKey }> {
    const { db } = this.#session
    const rows = await db
      .selectFrom('repository_blobs as l')
      .leftJoin('blobs as b', (join) => join.onRef('b.digest', '=', 'l.digest').onRef('b.vault', '=', 'l.vault'))
      .select(['l.repository_id', 'l.digest', 'l.size_bytes', 'b.link_count'])
      .where('l.repository_id', '>=', repositoryId)
      .where((eb) => eb.or([eb('l.repository_id', '>', repositoryId), eb('l.digest', '>', digest)]))
      .orderBy('l.repository_id')
      .orderBy('l.digest')
      .limit(limit)
      .execute()
    const sums = new Map<number, { blobCount: number; sizeBytes: number; ownBytes: number; shareBytes: number }>()
    for (const { repository_id, size_bytes, link_count } of rows) {
      const holders = Math.max(1, link_count ?? 1)
      let sum = sums.get(repository_id)
      if (sum === undefined) {
        sum = { blobCount: 0, sizeBytes: 0, ownBytes: 0, shareBytes: 0 }
        sums.set(repository_id, sum)
      }
      sum.blobCount++
      sum.sizeBytes += size_bytes
      if (holders === 1) sum.ownBytes += size_bytes
      sum.shareBytes += size_bytes / holders
    }
    const last = rows.length < limit ? undefined : rows.at(-1)
    return {
      sums: [...sums].map(([id, sum]) => ({ repositoryId: id, ...sum })),
      ...(last && { next: { repositoryId: last.repository_id, digest: last.digest } }),
    }
  }

  async sumBlobs(
    after: BlobAddress | undefined,
    limit: number,
  ): Promise<{ readonly blobCount: number; readonly sizeBytes: number; readonly next?: BlobAddress }> {
    const { digest, vault } = after ?? { digest: '', vault: '' }
    const rows = await this.#session.db
      .selectFrom('blobs')
      .select(['digest', 'vault', 'size_bytes'])
      .where('digest', '>=', digest)
      .where((eb) => eb.or([eb('digest', '>', digest), eb('vault', '>', vault)]))
      .orderBy('digest')
      .orderBy('vault')
      .limit(limit)
      .execute()
    const last = rows.length < limit ? undefined : rows.at(-1)
    return {
      blobCount: rows.length,
      sizeBytes: rows.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
      ...(last && { next: { digest: last.digest as Digest, vault: last.vault as Vault } }),
    }
  }

  async listBlobUses(
    repositoryId: number,
    { digest, imageId }: Pick<BlobUse, 'digest' | 'imageId'>,
    limit: number,
  ): Promise<readonly BlobUse[]> {
    const rows = await this.#session.db
      .selectFrom('image_blobs as u')
      .innerJoin('repository_blobs as l', (join) =>
        join.onRef('l.repository_id', '=', 'u.repository_id').onRef('l.digest', '=', 'u.digest'),
      )
      .leftJoin('blobs as b', (join) => join.onRef('b.digest', '=', 'l.digest').onRef('b.vault', '=', 'l.vault'))
      .select(['u.digest', 'u.image_id', 'l.size_bytes', 'b.link_count'])
      .where('u.repository_id', '=', repositoryId)
      .where('u.digest', '>=', digest)
      .where((eb) => eb.or([eb('u.digest', '>', digest), eb('u.image_id', '>', imageId)]))
      .orderBy('u.digest')
      .orderBy('u.image_id')
      .limit(limit)
      .execute()
    return rows.map((row) => ({
      digest: row.digest,
      imageId: row.image_id,
      sizeBytes: row.size_bytes,
      holders: row.link_count ?? 1,
    }))
  }

  async queueDepths(): Promise<QueueDepths> {
    const { db } = this.#session
    const count = sql<number>`count(*)`
    const unfinished = sql.lit('IN_PROGRESS' as const)
    const row = await db
      .selectNoFrom((eb) => [
        eb.selectFrom('uploads').select(count.as('n')).as('uploads'),
        eb.selectFrom('blobs').select(count.as('n')).where('link_count', '=', sql.lit(0)).as('deadBlobs'),
        eb
          .selectFrom('image_signings')
          .select(count.as('n'))
          .where('status', '=', sql<'IN_PROGRESS'>`${unfinished}`)
          .as('signings'),
        eb
          .selectFrom('lifecycle_previews')
          .select(count.as('n'))
          .where('status', '=', sql<'IN_PROGRESS'>`${unfinished}`)
          .as('lifecyclePreviews'),
        eb
          .selectFrom('image_scans')
          .select(count.as('n'))
          .where('state', '=', sql.lit('QUEUED' as const))
          .as('scans'),
        eb
          .selectFrom('image_replications')
          .select(count.as('n'))
          .where('status', '=', sql<'IN_PROGRESS'>`${unfinished}`)
          .as('replications'),
        eb
          .selectFrom('replication_deletions')
          .select(count.as('n'))
          .where('status', '=', sql<'IN_PROGRESS'>`${unfinished}`)
          .as('replicationDeletions'),
        eb.selectFrom('event_dead_letters').select(count.as('n')).as('eventDeadLetters'),
        eb.selectFrom('outbox').select(sql<number | null>`max(position)`.as('n')).as('newestEvent'),
        eb.selectFrom('event_targets').select(sql<number | null>`min(position)`.as('n')).as('slowestTarget'),
      ])
      .executeTakeFirstOrThrow()
    return {
      uploads: Number(row.uploads ?? 0),
      deadBlobs: Number(row.deadBlobs ?? 0),
      signings: Number(row.signings ?? 0),
      lifecyclePreviews: Number(row.lifecyclePreviews ?? 0),
      scans: Number(row.scans ?? 0),
      replications: Number(row.replications ?? 0),
      replicationDeletions: Number(row.replicationDeletions ?? 0),
      events: row.slowestTarget === null ? 0 : Math.max(0, Number(row.newestEvent ?? 0) - row.slowestTarget),
      eventDeadLetters: Number(row.eventDeadLetters ?? 0),
    }
  }
}
