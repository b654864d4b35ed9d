import type { Selectable } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { TagStatus } from '../../domain/image.ts'
import type { Tag } from '../../domain/names.ts'
import type { LifecyclePreviewResult } from '../lifecycle.ts'
import { insertLists, paddedLists } from './parameter-lists.ts'
import { prepared, preparedForItems } from './prepared.ts'
import type { Database } from './schema/database.ts'
import type { LifecyclePreviewResultsTable } from './schema/lifecycle-preview-results.ts'

type ResultRow = Selectable<LifecyclePreviewResultsTable>

interface ResultPage {
  readonly previewId: number
  readonly after: number
  readonly limit: number
}

const listAny = prepared((db, p: ResultPage) =>
  db
    .selectFrom('lifecycle_preview_results')
    .selectAll()
    .where('preview_id', '=', p.previewId)
    .where('position', '>', p.after)
    .orderBy('position')
    .limit(p.limit),
)

const listByTagStatus = prepared((db, p: ResultPage & { isTagged: number }) =>
  db
    .selectFrom('lifecycle_preview_results')
    .selectAll()
    .where('preview_id', '=', p.previewId)
    .where('is_tagged', '=', p.isTagged)
    .where('position', '>', p.after)
    .orderBy('position')
    .limit(p.limit),
)

const insertRows = preparedForItems((db, _: object, rows: readonly ResultRow[]) =>
  db.insertInto('lifecycle_preview_results').values(
    rows.map((row) => ({
      preview_id: row.preview_id,
      position: row.position,
      digest: row.digest,
      tags: row.tags,
      is_tagged: row.is_tagged,
      pushed_at: row.pushed_at,
      storage_class: row.storage_class,
      action: row.action,
      rule_priority: row.rule_priority,
    })),
  ),
)

export async function listResults(
  db: Database,
  tagStatus: TagStatus,
  page: ResultPage,
): Promise<readonly LifecyclePreviewResult[]> {
  const { rows } =
    tagStatus === 'ANY'
      ? await listAny(db, page)
      : await listByTagStatus(db, { ...page, isTagged: tagStatus === 'TAGGED' ? 1 : 0 })
  return rows.map(toResult)
}

export async function findResults(
  db: Database,
  previewId: number,
  digests: readonly Digest[],
): Promise<readonly LifecyclePreviewResult[]> {
  const found: LifecyclePreviewResult[] = []
  for (const list of paddedLists(digests)) {
    const rows = await db
      .selectFrom('lifecycle_preview_results')
      .selectAll()
      .where('preview_id', '=', previewId)
      .where('digest', 'in', list)
      .execute()
    found.push(...rows.map(toResult))
  }
  return found.sort((a, b) => a.position - b.position)
}

export async function addResults(
  db: Database,
  previewId: number,
  results: readonly LifecyclePreviewResult[],
): Promise<void> {
  const rows = results.map((result) => toRow(previewId, result))
  for (const list of insertLists(rows)) await insertRows(db, {}, list)
}

export async function deleteResults(db: Database, previewId: number, limit: number): Promise<number> {
  const rows = await db
    .selectFrom('lifecycle_preview_results')
    .select('position')
    .where('preview_id', '=', previewId)
    .orderBy('position')
    .limit(limit)
    .execute()
  const last = rows.at(-1)
  if (last === undefined) return 0
  await db
    .deleteFrom('lifecycle_preview_results')
    .where('preview_id', '=', previewId)
    .where('position', '<=', last.position)
    .execute()
  return rows.length
}

function toRow(previewId: number, result: LifecyclePreviewResult): ResultRow {
  return {
    preview_id: previewId,
    position: result.position,
    digest: result.digest,
    tags: JSON.stringify(result.tags),
    is_tagged: result.tags.length > 0 ? 1 : 0,
    pushed_at: result.pushedAt.getTime(),
    storage_class: result.storageClass,
    action: result.action,
    rule_priority: result.rulePriority,
  }
}

function toResult(row: ResultRow): LifecyclePreviewResult {
  return {
    position: row.position,
    digest: row.digest as Digest,
    tags: JSON.parse(row.tags) as Tag[],
    pushedAt: new Date(row.pushed_at),
    storageClass: row.storage_class,
    action: row.action,
    rulePriority: row.rule_priority,
  }
}
