import { sql } from 'kysely'
import type { Registry } from '../../domain/names.ts'
import type { ScanConfiguration, ScanType } from '../../domain/scanning/configuration.ts'
import { OUTDATED, type Scan } from '../../domain/scanning/scan.ts'
import type { Vault } from '../../domain/vault.ts'
import type { Page } from '../page.ts'
import type {
  ClearImage,
  FindingsChange,
  KeptDocument,
  KeptPart,
  KeptResult,
  PendingScan,
  PlacedScan,
  ScanWriter,
} from '../scans.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import { registryOfRow } from './registry-row.ts'
import { imagesById, listInClear, placeScans, repositoriesById, scanColumns, toPart, toScan } from './scan-rows.ts'
import { deletePartsFrom, finishScan, listParts, putPart, scansOfImages } from './scan-statements.ts'
import type { Database } from './schema/database.ts'
import type { Session } from './session.ts'

const findConfiguration = prepared((db, p: { accountId: string; region: string }) =>
  db
    .selectFrom('scan_configurations')
    .select(['scan_type', 'rules'])
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region),
)

const findScan = prepared((db, p: { imageId: number; type: ScanType }) =>
  db.selectFrom('image_scans').select(scanColumns).where('image_id', '=', p.imageId).where('scan_type', '=', p.type),
)

const listUnfinished = prepared((db, p: { at: number; limit: number }) =>
  db
    .selectFrom('image_scans as s')
    .innerJoin('images as i', 'i.id', 's.image_id')
    .innerJoin('repositories as r', 'r.id', 'i.repository_id')
    .select(['s.id as scan_id', 's.scan_type', 's.attempts', 's.image_id'])
    .where('s.state', '=', sql.lit('QUEUED'))
    .where('s.due_at', '<=', p.at)
    .where('r.is_deleted', '=', 0)
    .orderBy('s.due_at')
    .orderBy('s.id')
    .limit(p.limit),
)

const findInventory = prepared((db, p: { imageId: number; analyserVersion: number }) =>
  db
    .selectFrom('image_inventories')
    .select(['vault', 'body'])
    .where('image_id', '=', p.imageId)
    .where('analyser_version', '=', p.analyserVersion),
)

const deleteInventory = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_inventories').where('image_id', '=', p.imageId),
)

const deleteFindings = prepared((db, p: { imageId: number }) =>
  db
    .deleteFrom('image_scan_findings')
    .where('scan_id', 'in', (eb) => eb.selectFrom('image_scans').select('id').where('image_id', '=', p.imageId)),
)

const deleteScans = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_scans').where('image_id', '=', p.imageId),
)

/** Forgets all that scans have found in an image. */
export async function forgetScans(db: Database, imageId: number): Promise<void> {
  await deleteInventory(db, { imageId })
  await deleteFindings(db, { imageId })
  await deleteScans(db, { imageId })
}

/** Scans over one session. */
export class Scans implements ScanWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findConfiguration({ registryId, region }: Registry): Promise<ScanConfiguration | undefined> {
    const { rows } = await findConfiguration(this.#session.db, { accountId: registryId, region })
    const row = rows[0]
    return row && { type: row.scan_type, rules: JSON.parse(row.rules) as ScanConfiguration['rules'] }
  }

  async putConfiguration(
    { registryId, region }: Registry,
    { type, rules }: ScanConfiguration,
    isSweepDue: boolean,
  ): Promise<void> {
    const values = { scan_type: type, rules: JSON.stringify(rules), is_sweep_due: isSweepDue ? 1 : 0 }
    await this.#session.db
      .insertInto('scan_configurations')
      .values({ account_id: registryId, region, ...values })
      .onConflict((conflict) => conflict.columns(['account_id', 'region']).doUpdateSet(values))
      .execute()
  }

  async listSweeps(limit: number): Promise<readonly Registry[]> {
    const rows = await this.#session.db
      .selectFrom('scan_configurations')
      .select(['account_id', 'region'])
      .where('is_sweep_due', '=', 1)
      .limit(limit)
      .execute()
    return rows.map(registryOfRow)
  }

  async endSweep({ registryId, region }: Registry): Promise<void> {
    await this.#session.db
      .updateTable('scan_configurations')
      .set({ is_sweep_due: 0 })
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .execute()
  }

  async find(imageId: number, type: ScanType): Promise<Scan | undefined> {
    const { rows } = await findScan(this.#session.db, { imageId, type })
    return rows[0] && toScan(rows[0])
  }

  async findMany(imageIds: readonly number[], type: ScanType): Promise<ReadonlyMap<number, Scan>> {
    const found = new Map<number, Scan>()
    for (const ids of paddedLists(imageIds)) {
      const rows = await this.#session.db
        .selectFrom('image_scans')
        .select(scanColumns)
        .where('image_id', 'in', ids)
        .where('scan_type', '=', type)
        .execute()
      for (const row of rows) found.set(row.image_id, toScan(row))
    }
    return found
  }

  async listParts(scanId: number, first: number, last: number): Promise<readonly KeptPart[]> {
    const { rows } = await listParts(this.#session.db, { scanId, first, last })
    return rows.map(toPart)
  }

  listUnfinished(at: Date, limit: number): Promise<readonly PendingScan[]> {
    return this.#session.atOnce(async (db) => {
      const { rows } = await listUnfinished(db, { at: at.getTime(), limit })
      const images = await imagesById(db, [...new Set(rows.map((row) => row.image_id))])
      const repositories = await repositoriesById(db, [...images.values()])
      return rows.flatMap((row) => {
        const image = images.get(row.image_id)
        const repository = image && repositories.get(image.repositoryId)
        if (image === undefined || repository === undefined) return []
        return [{ id: row.scan_id, type: row.scan_type, attempts: row.attempts, image, repository }]
      })
    })
  }

  async findInventory(imageId: number, analyserVersion: number): Promise<KeptDocument | undefined> {
    const { rows } = await findInventory(this.#session.db, { imageId, analyserVersion })
    const row = rows[0]
    return row && { vault: row.vault as Vault, body: row.body }
  }

  async countRequested({ registryId, region }: Registry, type: ScanType, since: Date): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('image_scans')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('scan_type', '=', type)
      .where('requested_at', '>', since.getTime())
      .executeTakeFirstOrThrow()
    return count
  }

  listOfRegistry(
    { registryId, region }: Registry,
    type: ScanType,
    { after = 0, limit }: Page<number>,
  ): Promise<{ readonly placed: readonly PlacedScan[]; readonly next: number | undefined }> {
    return this.#session.atOnce(async (db) => {
      const rows = await db
        .selectFrom('image_scans')
        .select(scanColumns)
        .where('account_id', '=', registryId)
        .where('region', '=', region)
        .where('scan_type', '=', type)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      const placed = await placeScans(db, rows.map(toScan))
      return { placed, next: rows.length < limit ? undefined : rows.at(-1)?.id }
    })
  }

  listEndedBefore(
    type: ScanType,
    before: Date,
    { after = 0, limit }: Page<number>,
  ): Promise<{ readonly placed: readonly PlacedScan[]; readonly next: number | undefined }> {
    return this.#session.atOnce(async (db) => {
      const rows = await db
        .selectFrom('image_scans')
        .select(scanColumns)
        .where('scan_type', '=', type)
        .where('state', '=', sql.lit('DONE'))
        .where('completed_at', '<', before.getTime())
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      const placed = await placeScans(db, rows.map(toScan))
      return { placed, next: rows.length < limit ? undefined : rows.at(-1)?.id }
    })
  }

  listWithoutData({ after = 0, limit }: Page<number>): Promise<readonly PlacedScan[]> {
    return this.#session.atOnce(async (db) => {
      const rows = await db
        .selectFrom('image_scans')
        .select(scanColumns)
        .where('failure_code', '=', sql.lit('data'))
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return placeScans(db, rows.map(toScan))
    })
  }

  listOutdated({ after = 0, limit }: Page<number>): Promise<readonly PlacedScan[]> {
    return this.#session.atOnce(async (db) => {
      const rows = await db
        .selectFrom('image_scans')
        .select(scanColumns)
        .where('revision', '=', sql.lit(OUTDATED))
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute()
      return placeScans(db, rows.map(toScan))
    })
  }

  listInClear({ after = 0, limit }: Page<number>): Promise<readonly ClearImage[]> {
    return this.#session.atOnce((db) => listInClear(db, after, limit))
  }

  listOfImages(imageIds: readonly number[]): Promise<readonly PlacedScan[]> {
    return this.#session.atOnce(async (db) => {
      const found: Scan[] = []
      for (const list of paddedLists(imageIds.map((id) => ({ id })))) {
        const { rows } = await scansOfImages(db, {}, list)
        found.push(...rows.map(toScan).filter(({ completedAt }) => completedAt !== undefined))
      }
      return placeScans(db, found)
    })
  }

  async request(
    imageId: number,
    { registryId, region }: Registry,
    type: ScanType,
    at: Date,
    dueAt: Date,
  ): Promise<void> {
    const values = { state: 'QUEUED', attempts: 0, requested_at: at.getTime(), due_at: dueAt.getTime() } as const
    const first = { coverage: '[]', counts: '{}', finding_count: 0, generation: 0 }
    await this.#session.db
      .insertInto('image_scans')
      .values({ image_id: imageId, scan_type: type, account_id: registryId, region, ...values, ...first })
      .onConflict((conflict) => conflict.columns(['image_id', 'scan_type']).doUpdateSet(values))
      .execute()
  }

  async begin(id: number): Promise<boolean> {
    const row = await this.#session.db
      .updateTable('image_scans')
      .set((eb) => ({ attempts: eb('attempts', '+', 1) }))
      .where('id', '=', id)
      .where('state', '=', 'QUEUED')
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }

  async postpone(id: number, dueAt: Date, isCounted: boolean): Promise<void> {
    await this.#session.db
      .updateTable('image_scans')
      .set((eb) => ({ due_at: dueAt.getTime(), attempts: eb('attempts', '-', isCounted ? 0 : 1) }))
      .where('id', '=', id)
      .where('state', '=', 'QUEUED')
      .execute()
  }

  async finish(id: number, result: KeptResult, change?: FindingsChange): Promise<boolean> {
    const { db } = this.#session
    const { rows } = await finishScan(db, {
      id,
      completed_at: result.completedAt.getTime(),
      engine: result.engine,
      source_updated_at: result.sourceUpdatedAt?.getTime() ?? null,
      revision: result.revision ?? null,
      coverage: JSON.stringify(result.coverage),
      failure_code: result.failure?.code ?? null,
      failure_reason: result.failure?.reason ?? null,
      remark: result.remark ?? null,
      platform: result.platform ?? null,
      architecture: result.architecture ?? null,
      counts: JSON.stringify(result.counts),
      finding_count: result.findingCount,
      generations: change === undefined ? 0 : 1,
    })
    if (rows.length === 0) return false
    if (change === undefined) return true
    await deletePartsFrom(db, { scanId: id, part: change.partCount })
    await this.replaceParts(id, change.parts)
    return true
  }

  async markOutdated(ids: readonly number[]): Promise<void> {
    for (const list of paddedLists(ids))
      await this.#session.db.updateTable('image_scans').set({ revision: OUTDATED }).where('id', 'in', list).execute()
  }

  async replaceParts(id: number, parts: readonly KeptPart[]): Promise<void> {
    for (const { part, vault, body } of parts) await putPart(this.#session.db, { scanId: id, part, vault, body })
  }

  async putInventory(imageId: number, analyserVersion: number, { vault, body }: KeptDocument): Promise<void> {
    const values = { analyser_version: analyserVersion, vault, body }
    await this.#session.db
      .insertInto('image_inventories')
      .values({ image_id: imageId, ...values })
      .onConflict((conflict) => conflict.column('image_id').doUpdateSet(values))
      .execute()
  }

  async forgetInventory(imageId: number): Promise<void> {
    await deleteInventory(this.#session.db, { imageId })
  }

  async forget(imageId: number): Promise<void> {
    await forgetScans(this.#session.db, imageId)
  }
}
