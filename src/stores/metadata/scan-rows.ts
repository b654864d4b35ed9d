import type { Selectable } from 'kysely'
import type { EcosystemCoverage } from '../../domain/advisories/coverage.ts'
import type { Image } from '../../domain/image.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Scan, SeverityCounts } from '../../domain/scanning/scan.ts'
import type { PlacedScan } from '../scans.ts'
import { findImagesById } from './image-lists.ts'
import { paddedLists } from './parameter-lists.ts'
import { repositoryColumns, toRepository } from './repositories.ts'
import type { Database } from './schema/database.ts'
import type { ImageScansTable } from './schema/scans.ts'

/** How many findings one row holds. */
export const FINDINGS_IN_PART = 100

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
  'counts',
  'finding_count',
  'generation',
] as const satisfies readonly (keyof ImageScansTable)[]

type ScanRow = Pick<Selectable<ImageScansTable>, (typeof scanColumns)[number]>

export function toScan(row: ScanRow): Scan {
  const coverage = JSON.parse(row.coverage, (key, value: unknown) =>
    key === 'asOf' && typeof value === 'string' ? new Date(value) : value,
  ) as EcosystemCoverage[]
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
    counts: JSON.parse(row.counts) as SeverityCounts,
    findingCount: row.finding_count,
    generation: row.generation,
  }
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

/** The repositories that hold some images. */
export async function repositoriesById(
  db: Database,
  images: readonly Image[],
): Promise<ReadonlyMap<number, Repository>> {
  const found = new Map<number, Repository>()
  for (const ids of paddedLists([...new Set(images.map((image) => image.repositoryId))])) {
    const rows = await db
      .selectFrom('repositories')
      .select(repositoryColumns)
      .where('id', 'in', ids)
      .where('is_deleted', '=', 0)
      .execute()
    for (const row of rows) found.set(row.id, toRepository(row))
  }
  return found
}

function moment(at: number | null): Date | undefined {
  return at === null ? undefined : new Date(at)
}
