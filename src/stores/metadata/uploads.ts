import type { Selectable } from 'kysely'
import type { Upload } from '../../domain/upload.ts'
import type { UploadWriter } from '../metadata.ts'
import { prepared } from './prepared.ts'
import type { UploadsTable } from './schema/uploads.ts'
import type { Session } from './session.ts'

const findById = prepared((db, p: { repositoryId: number; id: string }) =>
  db.selectFrom('uploads').selectAll().where('id', '=', p.id).where('repository_id', '=', p.repositoryId),
)

const insertNew = prepared((db, p: Omit<UploadsTable, 'part_count'>) =>
  db.insertInto('uploads').values({
    id: p.id,
    repository_id: p.repository_id,
    key: p.key,
    started_at: p.started_at,
    touched_at: p.touched_at,
    last_part_bytes: p.last_part_bytes,
    part_count: 0,
  }),
)

const touchById = prepared((db, p: { id: string; touchedAt: number; lastPartBytes: number | null; parts: number }) =>
  db
    .updateTable('uploads')
    .set((eb) => ({
      touched_at: p.touchedAt,
      last_part_bytes: eb.fn.coalesce(eb.val(p.lastPartBytes), 'last_part_bytes'),
      part_count: eb('part_count', '+', p.parts),
    }))
    .where('id', '=', p.id),
)

const deleteById = prepared((db, p: { id: string }) => db.deleteFrom('uploads').where('id', '=', p.id).returning('id'))

/** Uploads that have begun and are neither complete nor cancelled. */
export class Uploads implements UploadWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(repositoryId: number, uploadId: string): Promise<Upload | undefined> {
    const { rows } = await findById(this.#session.db, { repositoryId, id: uploadId })
    return rows[0] && toUpload(rows[0])
  }

  async listStale(before: Date, limit: number): Promise<readonly Upload[]> {
    const rows = await this.#session.db
      .selectFrom('uploads')
      .selectAll()
      .where('touched_at', '<', before.getTime())
      .orderBy('touched_at')
      .limit(limit)
      .execute()
    return rows.map(toUpload)
  }

  async countStale(before: Date): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('uploads')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('touched_at', '<', before.getTime())
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async hasKey(key: string): Promise<boolean> {
    const row = await this.#session.db.selectFrom('uploads').select('id').where('key', '=', key).executeTakeFirst()
    return row !== undefined
  }

  async insert(upload: Upload): Promise<void> {
    await insertNew(this.#session.db, {
      id: upload.id,
      repository_id: upload.repositoryId,
      key: upload.key,
      started_at: upload.startedAt.getTime(),
      touched_at: upload.touchedAt.getTime(),
      last_part_bytes: upload.lastPartBytes ?? null,
    })
  }

  async touch(uploadId: string, at: Date, lastPartBytes: number | undefined): Promise<void> {
    await touchById(this.#session.db, {
      id: uploadId,
      touchedAt: at.getTime(),
      lastPartBytes: lastPartBytes ?? null,
      parts: lastPartBytes === undefined ? 0 : 1,
    })
  }

  async delete(uploadId: string): Promise<boolean> {
    const { rows } = await deleteById(this.#session.db, { id: uploadId })
    return rows.length > 0
  }
}

function toUpload(row: Selectable<UploadsTable>): Upload {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    key: row.key,
    startedAt: new Date(row.started_at),
    touchedAt: new Date(row.touched_at),
    lastPartBytes: row.last_part_bytes ?? undefined,
    partCount: row.part_count === 0 ? undefined : row.part_count,
  }
}
