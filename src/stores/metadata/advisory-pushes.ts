import type { Selectable } from 'kysely'
import { sql } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { RepositoryName } from '../../domain/names.ts'
import type { AdvisoryPush, AdvisoryPushWriter } from '../advisory-pushes.ts'
import { prepared } from './prepared.ts'
import { registryOfRow } from './registry-row.ts'
import type { AdvisoryPushesTable } from './schema/advisory-pushes.ts'
import type { Session } from './session.ts'

/** So many that have ended are kept. */
const KEPT_MAX = 50

const listDue = prepared((db, p: { at: number; limit: number }) =>
  db
    .selectFrom('advisory_pushes')
    .selectAll()
    .where('state', '=', sql.lit('QUEUED'))
    .where('due_at', '<=', p.at)
    .orderBy('id')
    .limit(p.limit),
)

/** Pushes of advisories over one session. */
export class AdvisoryPushes implements AdvisoryPushWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async listDue(at: Date, limit: number): Promise<readonly AdvisoryPush[]> {
    const { rows } = await listDue(this.#session.db, { at: at.getTime(), limit })
    return rows.map(toPush)
  }

  async listNewest(limit: number): Promise<readonly AdvisoryPush[]> {
    const rows = await this.#session.db
      .selectFrom('advisory_pushes')
      .selectAll()
      .orderBy('id', 'desc')
      .limit(limit)
      .execute()
    return rows.map(toPush)
  }

  async add(
    { ref, digest, pushedBy, pushedAt }: Parameters<AdvisoryPushWriter['add']>[0],
    refusal?: string,
  ): Promise<void> {
    const { db } = this.#session
    const at = pushedAt.getTime()
    const { id } = await db
      .insertInto('advisory_pushes')
      .values({
        account_id: ref.registry.registryId,
        region: ref.registry.region,
        repository_name: ref.name,
        digest,
        pushed_by: pushedBy,
        pushed_at: at,
        attempts: 0,
        due_at: at,
        ...(refusal === undefined
          ? { state: 'QUEUED', ended_at: null, reason: null }
          : { state: 'REFUSED', ended_at: at, reason: refusal }),
      })
      .returning('id')
      .executeTakeFirstOrThrow()
    await db
      .deleteFrom('advisory_pushes')
      .where('id', '<=', id - KEPT_MAX)
      .where('state', '!=', 'QUEUED')
      .execute()
  }

  async begin(id: number): Promise<boolean> {
    const row = await this.#session.db
      .updateTable('advisory_pushes')
      .set((eb) => ({ attempts: eb('attempts', '+', 1) }))
      .where('id', '=', id)
      .where('state', '=', 'QUEUED')
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }

  async postpone(id: number, dueAt: Date): Promise<void> {
    await this.#session.db
      .updateTable('advisory_pushes')
      .set({ due_at: dueAt.getTime() })
      .where('id', '=', id)
      .where('state', '=', 'QUEUED')
      .execute()
  }

  async end(id: number, at: Date, reason?: string): Promise<void> {
    await this.#session.db
      .updateTable('advisory_pushes')
      .set({
        state: reason === undefined ? 'IMPORTED' : 'FAILED',
        ended_at: at.getTime(),
        reason: reason ?? null,
      })
      .where('id', '=', id)
      .where('state', '=', 'QUEUED')
      .execute()
  }
}

function toPush(row: Selectable<AdvisoryPushesTable>): AdvisoryPush {
  return {
    id: row.id,
    ref: {
      registry: registryOfRow(row),
      name: row.repository_name as RepositoryName,
    },
    digest: row.digest as Digest,
    pushedBy: row.pushed_by,
    pushedAt: new Date(row.pushed_at),
    state: row.state,
    attempts: row.attempts,
    endedAt: row.ended_at === null ? undefined : new Date(row.ended_at),
    reason: row.reason ?? undefined,
  }
}
