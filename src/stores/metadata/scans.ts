import { sql } from 'kysely'
import type { Inventory } from '../../domain/inventory/package.ts'
import type { Region, Registry, RegistryId } from '../../domain/names.ts'
import type { ScanConfiguration, ScanType } from '../../domain/scanning/configuration.ts'
import type { ObservedFinding, Scan } from '../../domain/scanning/scan.ts'
import type { Page } from '../page.ts'
import type { KeptResult, PendingScan, PlacedScan, ScanWriter } from '../scans.ts'
import { packed, unpacked, unpackedFindings } from './packed-json.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import { FINDINGS_IN_PART, imagesById, placeScans, repositoriesById, scanColumns, toScan } from './scan-rows.ts'
import type { Database } from './schema/database.ts'
import type { Session } from './session.ts'

const findConfiguration = prepared((db, p: { accountId: string; region: string }) =>
  db
    .selectFrom('scan_configurations')
    .select(['scan_type', 'rules'])
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region),
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
    return rows.map((row) => ({ registryId: row.account_id as RegistryId, region: row.region as Region }))
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
    return (await this.findMany([imageId], type)).get(imageId)
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

  async listFindings(scanId: number, from: number, limit: number): Promise<readonly ObservedFinding[]> {
    const first = Math.floor(from / FINDINGS_IN_PART)
    const last = Math.floor((from + limit - 1) / FINDINGS_IN_PART)
    const rows = await this.#session.db
      .selectFrom('image_scan_findings')
      .select('body')
      .where('scan_id', '=', scanId)
      .where('part', '>=', first)
      .where('part', '<=', last)
      .orderBy('part')
      .execute()
    const start = from - first * FINDINGS_IN_PART
    return rows.flatMap(({ body }) => unpackedFindings(body)).slice(start, start + limit)
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

  async findInventory(imageId: number, analyserVersion: number): Promise<Inventory | undefined> {
    const row = await this.#session.db
      .selectFrom('image_inventories')
      .select('body')
      .where('image_id', '=', imageId)
      .where('analyser_version', '=', analyserVersion)
      .executeTakeFirst()
    return row && (unpacked(row.body) as Inventory)
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

  listOfImages(imageIds: readonly number[]): Promise<readonly PlacedScan[]> {
    return this.#session.atOnce(async (db) => {
      const found: Scan[] = []
      for (const ids of paddedLists(imageIds)) {
        const rows = await db.selectFrom('image_scans').select(scanColumns).where('image_id', 'in', ids).execute()
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

  async finish(id: number, { findings, ...result }: KeptResult): Promise<boolean> {
    const { db } = this.#session
    const known = await db
      .selectFrom('image_scans')
      .select(['findings_hash', 'generation'])
      .where('id', '=', id)
      .executeTakeFirst()
    if (known === undefined) return false
    const hash = Bun.hash(JSON.stringify(findings)).toString(36)
    const isOther = hash !== known.findings_hash
    await db
      .updateTable('image_scans')
      .set({
        state: 'DONE',
        attempts: 0,
        completed_at: result.completedAt.getTime(),
        engine: result.engine,
        source_updated_at: result.sourceUpdatedAt?.getTime() ?? null,
        revision: result.revision ?? null,
        coverage: JSON.stringify(result.coverage),
        failure_code: result.failure?.code ?? null,
        failure_reason: result.failure?.reason ?? null,
        remark: result.remark ?? null,
        platform: result.platform ?? null,
        counts: JSON.stringify(result.counts),
        finding_count: findings.length,
        generation: known.generation + (isOther ? 1 : 0),
        findings_hash: hash,
      })
      .where('id', '=', id)
      .execute()
    if (!isOther) return true
    await db.deleteFrom('image_scan_findings').where('scan_id', '=', id).execute()
    for (let part = 0; part * FINDINGS_IN_PART < findings.length; part++) {
      const body = packed(findings.slice(part * FINDINGS_IN_PART, (part + 1) * FINDINGS_IN_PART))
      await db.insertInto('image_scan_findings').values({ scan_id: id, part, body }).execute()
    }
    return true
  }

  async putInventory(imageId: number, inventory: Inventory): Promise<void> {
    const values = { analyser_version: inventory.analyserVersion, body: packed(inventory) }
    await this.#session.db
      .insertInto('image_inventories')
      .values({ image_id: imageId, ...values })
      .onConflict((conflict) => conflict.column('image_id').doUpdateSet(values))
      .execute()
  }

  async forget(imageId: number): Promise<void> {
    await forgetScans(this.#session.db, imageId)
  }
}
