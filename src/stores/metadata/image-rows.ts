import type { Selectable } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { Image } from '../../domain/image.ts'
import type { ImagesTable } from './schema/images.ts'

/** The columns that make an {@link Image}. */
export const imageColumns = [
  'id',
  'repository_id',
  'digest',
  'media_type',
  'size_bytes',
  'manifest_size_bytes',
  'pushed_at',
  'pulled_at',
  'subject',
  'artifact_media_type',
  'artifact_type',
  'annotations',
  'status',
  'archived_at',
  'activated_at',
  'activates_at',
] as const satisfies readonly (keyof ImagesTable)[]

export type ImageRow = Pick<Selectable<ImagesTable>, (typeof imageColumns)[number]>

export function toImage(row: ImageRow): Image {
  return {
    id: row.id,
    repositoryId: row.repository_id,
    digest: row.digest as Digest,
    mediaType: row.media_type,
    artifactMediaType: row.artifact_media_type ?? undefined,
    artifactType: row.artifact_type ?? undefined,
    annotations: row.annotations === null ? undefined : (JSON.parse(row.annotations) as Record<string, string>),
    subject: (row.subject as Digest | null) ?? undefined,
    sizeBytes: row.size_bytes,
    manifestSizeBytes: row.manifest_size_bytes,
    pushedAt: new Date(row.pushed_at),
    pulledAt: moment(row.pulled_at),
    status: row.status,
    archivedAt: moment(row.archived_at),
    activatedAt: moment(row.activated_at),
    activatesAt: moment(row.activates_at),
  }
}

function moment(at: number | null): Date | undefined {
  return at === null ? undefined : new Date(at)
}
