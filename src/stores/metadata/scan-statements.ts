import { type Selectable, sql } from 'kysely'
import type { Vault } from '../../domain/vault.ts'
import { prepared, preparedForItems } from './prepared.ts'
import { scanColumns } from './scan-rows.ts'
import type { ImageScansTable } from './schema/scans.ts'

/** The scans of images. */
export const scansOfImages = preparedForItems((db, _: object, images: readonly { readonly id: number }[]) =>
  db
    .selectFrom('image_scans')
    .select(scanColumns)
    .where(
      'image_id',
      'in',
      images.map(({ id }) => id),
    ),
)

/** The parts of a scan's findings from one to another, both included. */
export const listParts = prepared((db, p: { scanId: number; first: number; last: number }) =>
  db
    .selectFrom('image_scan_findings')
    .select(['part', 'vault', 'body'])
    .where('scan_id', '=', p.scanId)
    .where('part', '>=', p.first)
    .where('part', '<=', p.last)
    .orderBy('part'),
)

/** Forgets the parts from one on. */
export const deletePartsFrom = prepared((db, p: { scanId: number; part: number }) =>
  db.deleteFrom('image_scan_findings').where('scan_id', '=', p.scanId).where('part', '>=', p.part),
)

/** Puts a part in the place of the one that was there. */
export const putPart = prepared((db, p: { scanId: number; part: number; vault: Vault; body: Uint8Array }) =>
  db
    .insertInto('image_scan_findings')
    .values({ scan_id: p.scanId, part: p.part, vault: p.vault, body: p.body })
    .onConflict((conflict) =>
      conflict
        .columns(['scan_id', 'part'])
        .doUpdateSet((eb) => ({ vault: eb.ref('excluded.vault'), body: eb.ref('excluded.body') })),
    ),
)

type FinishedColumns =
  | 'completed_at'
  | 'engine'
  | 'source_updated_at'
  | 'revision'
  | 'coverage'
  | 'failure_code'
  | 'failure_reason'
  | 'remark'
  | 'platform'
  | 'architecture'
  | 'counts'
  | 'finding_count'

/** Records what became of a scan; answers nothing when it is gone. */
export const finishScan = prepared(
  (db, p: Pick<Selectable<ImageScansTable>, FinishedColumns> & { id: number; generations: number }) =>
    db
      .updateTable('image_scans')
      .set((eb) => ({
        state: sql.lit('DONE'),
        attempts: sql.lit(0),
        completed_at: p.completed_at,
        engine: p.engine,
        source_updated_at: p.source_updated_at,
        revision: p.revision,
        coverage: p.coverage,
        failure_code: p.failure_code,
        failure_reason: p.failure_reason,
        remark: p.remark,
        platform: p.platform,
        architecture: p.architecture,
        counts: p.counts,
        finding_count: p.finding_count,
        generation: eb('generation', '+', p.generations),
      }))
      .where('id', '=', p.id)
      .returning('id'),
)
