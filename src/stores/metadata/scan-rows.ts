import type { Selectable } from 'kysely'
import type { EcosystemCoverage } from '../../domain/advisories/coverage.ts'
import type { Image } from '../../domain/image.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Scan, SeverityCounts } from '../../domain/scanning/scan.ts'
import type { Vault } from '../../domain/vault.ts'
import type { ClearImage, KeptPart, PlacedScan } from '../scans.ts'
import { findImagesById } from './image-lists.ts'
import { paddedLists } from './parameter-lists.ts'
import { preparedForItems } from './prepared.ts'
import { repositoryColumns, toRepository } from './repositories.ts'
import type { Database } from './schema/database.ts'
import type { ImageScanFindingsTable, ImageScansTable } from './schema/scans.ts'

/** The columns that make a {@link Scan}. */
export const scanColumns = [
  'id',
  'image_id',
  'scan_type',
  'state',
  'requested_at',
  'completed_at',
  'engine',
  'source_updated_at',
  'revision',
  'coverage',
  'failure_code',
  'failure_reason',
  'remark',
  'platform',
  'architecture',
  'counts',
  'finding_count',
  'generation',
] as const satisfies readonly (keyof ImageScansTable)[]

/** Moments stand as text in JSON. */
type WireCoverage = Omit<EcosystemCoverage, 'asOf'> & { readonly asOf?: string }

type ScanRow = Pick<Selectable<ImageScansTable>, (typeof scanColumns)[number]>

export function toScan(row: ScanRow): Scan {
  const coverage = (JSON.parse(row.coverage) as WireCoverage[]).map(
    ({ asOf, ...rest }): EcosystemCoverage => (asOf === undefined ? rest : { ...rest, asOf: new Date(asOf) }),
  )
  return {
    id: row.id,
    imageId: row.image_id,
    type: row.scan_type,
    state: row.state,
    requestedAt: new Date(row.requested_at),
    completedAt: moment(row.completed_at),
    engine: row.engine ?? undefined,
    sourceUpdatedAt: moment(row.source_updated_at),
    revision: row.revision ?? undefined,
    coverage,
    failure: row.failure_code === null ? undefined : { code: row.failure_code, reason: row.failure_reason ?? '' },
    remark: row.remark ?? undefined,
    platform: row.platform ?? undefined,
    architecture: row.architecture ?? undefined,
    counts: JSON.parse(row.counts) as SeverityCounts,
    findingCount: row.finding_count,
    generation: row.generation,
  }
}

export function toPart(row: Pick<Selectable<ImageScanFindingsTable>, 'part' | 'vault' | 'body'>): KeptPart {
  return { part: row.part, vault: row.vault as Vault, body: row.body }
}

/** Images of encrypted repositories of which something lies in clear. */
export async function listInClear(db: Database, after: number, limit: number): Promise<readonly ClearImage[]> {
  const rows = await db
    .selectFrom('images as i')
    .innerJoin('repositories as r', 'r.id', 'i.repository_id')
    .select(['i.id'])
    .where('r.encryption_type', '!=', 'AES256')
    .where('r.is_deleted', '=', 0)
    .where('i.id', '>', after)
    .where((eb) =>
      eb.or([
        eb.exists(
          eb
            .selectFrom('image_inventories as v')
            .select('v.image_id')
            .whereRef('v.image_id', '=', 'i.id')
            .where('v.vault', '=', ''),
        ),
        eb.exists(
          eb
            .selectFrom('image_scans as s')
            .innerJoin('image_scan_findings as f', 'f.scan_id', 's.id')
            .select('s.id')
            .whereRef('s.image_id', '=', 'i.id')
            .where('f.vault', '=', ''),
        ),
      ]),
    )
    .orderBy('i.id')
    .limit(limit)
    .execute()
  const images = await imagesById(
    db,
    rows.map(({ id }) => id),
  )
  const repositories = await repositoriesById(db, [...images.values()])
  const found: ClearImage[] = []
  for (const { id } of rows) {
    const repository = repositories.get(images.get(id)?.repositoryId ?? 0)
    if (repository === undefined) continue
    const scans = await db.selectFrom('image_scans').select(['id', 'generation']).where('image_id', '=', id).execute()
    found.push({ imageId: id, repository, scans })
  }
  return found
}

/** Scans with what they are about; those of repositories that are gone are left out. */
export async function placeScans(db: Database, found: readonly Scan[]): Promise<readonly PlacedScan[]> {
  const images = await imagesById(db, [...new Set(found.map((scan) => scan.imageId))])
  const repositories = await repositoriesById(db, [...images.values()])
  return found.flatMap((scan) => {
    const image = images.get(scan.imageId)
    const repository = image && repositories.get(image.repositoryId)
    return image === undefined || repository === undefined ? [] : [{ scan, image, repository }]
  })
}

export async function imagesById(db: Database, ids: readonly number[]) {
  return new Map((await findImagesById(db, ids)).map((image) => [image.id, image]))
}

const repositoriesOfIds = preparedForItems((db, _: object, repositories: readonly { readonly id: number }[]) =>
  db
    .selectFrom('repositories')
    .select(repositoryColumns)
    .where(
      'id',
      'in',
      repositories.map(({ id }) => id),
    )
    .where('is_deleted', '=', 0),
)

/** The repositories that hold some images. */
export async function repositoriesById(
  db: Database,
  images: readonly Image[],
): Promise<ReadonlyMap<number, Repository>> {
  const found = new Map<number, Repository>()
  const wanted = [...new Set(images.map((image) => image.repositoryId))].map((id) => ({ id }))
  for (const list of paddedLists(wanted)) {
    const { rows } = await repositoriesOfIds(db, {}, list)
    for (const row of rows) found.set(row.id, toRepository(row))
  }
  return found
}

function moment(at: number | null): Date | undefined {
  return at === null ? undefined : new Date(at)
}
