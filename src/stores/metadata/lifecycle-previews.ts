import { type Selectable, sql } from 'kysely'
import type { LifecyclePreview, LifecyclePreviewStatus, PreviewCounts } from '../lifecycle.ts'
import { deleteResults } from './lifecycle-preview-results.ts'
import type { Database } from './schema/database.ts'
import type { LifecyclePreviewsTable } from './schema/lifecycle-previews.ts'

export interface NewPreview {
  readonly repositoryId: number
  readonly text: string
  readonly startedAt: Date
  readonly purgeAt: Date
}

const previewColumns = [
  'id',
  'repository_id',
  'text',
  'status',
  'started_at',
  'expiring_count',
  'transitioning_count',
] as const satisfies readonly (keyof LifecyclePreviewsTable)[]

type PreviewRow = Pick<Selectable<LifecyclePreviewsTable>, (typeof previewColumns)[number]>

export async function findPreview(db: Database, repositoryId: number): Promise<LifecyclePreview | undefined> {
  const row = await db
    .selectFrom('lifecycle_previews')
    .select(previewColumns)
    .where('repository_id', '=', repositoryId)
    .executeTakeFirst()
  return row && toPreview(row, repositoryId)
}

export async function listUnfinished(db: Database, limit: number): Promise<readonly LifecyclePreview[]> {
  const rows = await db
    .selectFrom('lifecycle_previews')
    .select(previewColumns)
    .where('status', '=', sql.lit<LifecyclePreviewStatus>('IN_PROGRESS'))
    .orderBy('id')
    .limit(limit)
    .execute()
  // One whose repository is gone has none to be made for.
  return rows.flatMap((row) => (row.repository_id === null ? [] : [toPreview(row, row.repository_id)]))
}

/** The earlier one loses its repository, so that its results can go in steps. */
export async function insertPreview(
  db: Database,
  { repositoryId, text, startedAt, purgeAt }: NewPreview,
): Promise<LifecyclePreview> {
  await detachPreview(db, repositoryId)
  const row = await db
    .insertInto('lifecycle_previews')
    .values({
      repository_id: repositoryId,
      text,
      status: 'IN_PROGRESS',
      started_at: startedAt.getTime(),
      purge_at: purgeAt.getTime(),
      expiring_count: 0,
      transitioning_count: 0,
    })
    .returning(previewColumns)
    .executeTakeFirstOrThrow()
  return toPreview(row, repositoryId)
}

/** Leaves the preview of a repository to `purgePreviews`. */
export async function detachPreview(db: Database, repositoryId: number): Promise<void> {
  await db
    .updateTable('lifecycle_previews')
    .set({ repository_id: null, status: 'EXPIRED', purge_at: 0 })
    .where('repository_id', '=', repositoryId)
    .execute()
}

export async function endPreview(
  db: Database,
  previewId: number,
  status: 'COMPLETE' | 'FAILED',
  { expiring, transitioning }: PreviewCounts,
): Promise<void> {
  await db
    .updateTable('lifecycle_previews')
    .set({ status, expiring_count: expiring, transitioning_count: transitioning })
    .where('id', '=', previewId)
    .where('status', '=', 'IN_PROGRESS')
    .execute()
}

function nextToPurge(db: Database, now: number) {
  return db
    .selectFrom('lifecycle_previews')
    .select(['id', 'repository_id'])
    .where('purge_at', '<=', now)
    .orderBy('purge_at')
    .limit(1)
    .executeTakeFirst()
}

export async function isPurgeDue(db: Database, now: number): Promise<boolean> {
  return (await nextToPurge(db, now)) !== undefined
}

/** The record of an expired preview stays with its repository, so that it can be said to have expired. */
export async function purgePreviews(db: Database, now: number, limit: number): Promise<number> {
  const preview = await nextToPurge(db, now)
  if (preview === undefined) return 0
  const removed = await deleteResults(db, preview.id, limit)
  if (removed > 0) return removed
  if (preview.repository_id === null) await db.deleteFrom('lifecycle_previews').where('id', '=', preview.id).execute()
  else
    await db
      .updateTable('lifecycle_previews')
      .set({ status: 'EXPIRED', purge_at: null })
      .where('id', '=', preview.id)
      .execute()
  return 1
}

function toPreview(row: PreviewRow, repositoryId: number): LifecyclePreview {
  return {
    id: row.id,
    repositoryId,
    text: row.text,
    status: row.status,
    startedAt: new Date(row.started_at),
    counts: { expiring: row.expiring_count, transitioning: row.transitioning_count },
  }
}
