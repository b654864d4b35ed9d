import { sql } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { Region, Registry, RegistryId, RepositoryName, Tag } from '../../domain/names.ts'
import { PUT_OFF_MS_MAX, type ReplicationFailure } from '../../domain/replication/replication.ts'
import type { Page } from '../page.ts'
import type {
  DeletionRequest,
  PendingDeletion,
  ReplicationDeletionWriter,
  UnfinishedDeletion,
} from '../replication-deletions.ts'
import { registryOfRow } from './registry-row.ts'
import type { ReplicationDeletionsTable } from './schema/replication.ts'
import type { Session } from './session.ts'

/** What was deleted here and is to be deleted elsewhere. */
export class ReplicationDeletions implements ReplicationDeletionWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async listDue(
    { registryId, region }: Registry,
    now: Date,
    limit: number,
    skipped: readonly string[],
  ): Promise<readonly PendingDeletion[]> {
    const nowMs = now.getTime()
    const rows = await this.#session.db
      .selectFrom('replication_deletions')
      .selectAll()
      .where('status', '=', sql.lit('IN_PROGRESS'))
      .where('to_account', '=', registryId)
      .where('to_region', '=', region)
      .where((eb) => eb.or([eb('due_at', '<=', nowMs), eb('due_at', '>', nowMs + PUT_OFF_MS_MAX)]))
      .$if(skipped.length > 0, (query) =>
        query.where(sql<string>`account_id || '/' || region || '/' || repository`, 'not in', skipped),
      )
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(toDeletion)
  }

  async listUnfinished({ after = 0, limit }: Page<number>): Promise<readonly UnfinishedDeletion[]> {
    const rows = await this.#session.db
      .selectFrom('replication_deletions')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(toDeletion)
  }

  async request({ ref, destination, digest, tags }: DeletionRequest, at: Date): Promise<void> {
    const now = at.getTime()
    await this.#session.db
      .insertInto('replication_deletions')
      .values({
        account_id: ref.registry.registryId,
        region: ref.registry.region,
        repository: ref.name,
        to_account: destination.registryId,
        to_region: destination.region,
        digest: digest ?? null,
        tags: JSON.stringify(tags),
        status: 'IN_PROGRESS',
        failure_code: null,
        failure_reason: null,
        attempts: 0,
        requested_at: now,
        due_at: now,
        ended_at: null,
      })
      .execute()
  }

  async drop(id: number): Promise<void> {
    await this.#session.db.deleteFrom('replication_deletions').where('id', '=', id).execute()
  }

  async fail(id: number, at: Date, { code, reason }: ReplicationFailure): Promise<void> {
    await this.#session.db
      .updateTable('replication_deletions')
      .set({ status: 'FAILED', failure_code: code, failure_reason: reason, ended_at: at.getTime() })
      .where('id', '=', id)
      .execute()
  }

  async postpone(id: number, dueAt: Date, { code, reason }: ReplicationFailure): Promise<void> {
    await this.#session.db
      .updateTable('replication_deletions')
      .set((eb) => ({
        ...{ failure_code: code, failure_reason: reason, due_at: dueAt.getTime() },
        attempts: eb('attempts', '+', 1),
      }))
      .where('id', '=', id)
      .execute()
  }

  async retry(id: number, at: Date): Promise<void> {
    const now = at.getTime()
    await this.#session.db
      .updateTable('replication_deletions')
      .set({ status: 'IN_PROGRESS', attempts: 0, requested_at: now, due_at: now, ended_at: null })
      .where('id', '=', id)
      .where('status', '=', sql.lit('FAILED'))
      .execute()
  }

  async prune(before: Date): Promise<void> {
    await this.#session.db
      .deleteFrom('replication_deletions')
      .where('status', '=', sql.lit('FAILED'))
      .where('ended_at', '<', before.getTime())
      .execute()
  }
}

type Row = Omit<ReplicationDeletionsTable, 'id'> & { readonly id: number }

function toDeletion(row: Row): UnfinishedDeletion {
  const { failure_code: code, failure_reason: reason } = row
  return {
    id: row.id,
    ref: {
      registry: registryOfRow(row),
      name: row.repository as RepositoryName,
    },
    destination: { registryId: row.to_account as RegistryId, region: row.to_region as Region },
    digest: row.digest === null ? undefined : (row.digest as Digest),
    tags: JSON.parse(row.tags) as Tag[],
    attempts: row.attempts,
    requestedAt: new Date(row.requested_at),
    status: row.status,
    failure: code === null ? undefined : { code, reason: reason ?? '' },
  }
}
