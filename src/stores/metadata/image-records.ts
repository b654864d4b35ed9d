import type { Selectable } from 'kysely'
import type { BlobReference, Image, NewImage } from '../../domain/image.ts'
import { deleteLinks } from './package-index.ts'
import { insertLists, paddedLists } from './parameter-lists.ts'
import { prepared, preparedForItems } from './prepared.ts'
import { forgetScans } from './scans.ts'
import type { Database } from './schema/database.ts'
import type { ImageChildrenTable } from './schema/image-children.ts'
import type { ImagesTable } from './schema/images.ts'

type ImageValues = Omit<Selectable<ImagesTable>, 'id' | 'archived_at' | 'activated_at' | 'activates_at'>

const insertRow = prepared((db, p: ImageValues) =>
  db
    .insertInto('images')
    .values({
      repository_id: p.repository_id,
      digest: p.digest,
      media_type: p.media_type,
      size_bytes: p.size_bytes,
      manifest_size_bytes: p.manifest_size_bytes,
      pushed_at: p.pushed_at,
      pulled_at: p.pulled_at,
      tag_count: p.tag_count,
      is_tagged: p.is_tagged,
      subject: p.subject,
      artifact_media_type: p.artifact_media_type,
      artifact_type: p.artifact_type,
      annotations: p.annotations,
      status: p.status,
    })
    .returning('id'),
)

const insertManifest = prepared((db, p: { imageId: number; body: Uint8Array; vault: string }) =>
  db.insertInto('image_manifests').values({ image_id: p.imageId, body: p.body, vault: p.vault }),
)

const insertNeeds = preparedForItems(
  (db, p: { repositoryId: number; imageId: number }, blobs: readonly BlobReference[]) =>
    db.insertInto('image_blobs').values(
      blobs.map(({ digest, mediaType }) => ({
        repository_id: p.repositoryId,
        digest,
        image_id: p.imageId,
        media_type: mediaType,
      })),
    ),
)

const countNeedsUp = preparedForItems(
  (db, p: { repositoryId: number; mediaType: string }, blobs: readonly BlobReference[]) =>
    db
      .updateTable('repository_blobs')
      .set((eb) => ({
        image_count: eb('image_count', '+', 1),
        media_type: eb.fn.coalesce('media_type', eb.val(p.mediaType)),
        unused_since: null,
      }))
      .where('repository_id', '=', p.repositoryId)
      .where(
        'digest',
        'in',
        blobs.map(({ digest }) => digest),
      ),
)

const countNeedsDown = prepared((db, p: { repositoryId: number; imageId: number; archivedCount: number; at: number }) =>
  db
    .updateTable('repository_blobs')
    .set((eb) => ({
      image_count: eb('image_count', '-', 1),
      archived_image_count: eb('archived_image_count', '-', p.archivedCount),
      unused_since: eb.case().when('image_count', '>', 1).then(eb.ref('unused_since')).else(p.at).end(),
    }))
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) => eb.selectFrom('image_blobs').select('digest').where('image_id', '=', p.imageId)),
)

const insertChildren = preparedForItems((db, _: object, children: readonly ImageChildrenTable[]) =>
  db.insertInto('image_children').values(
    children.map(({ repository_id, child_digest, parent_digest }) => ({
      repository_id,
      child_digest,
      parent_digest,
    })),
  ),
)

const countImages = prepared((db, p: { repositoryId: number; change: number }) =>
  db
    .updateTable('repositories')
    .set((eb) => ({ image_count: eb('image_count', '+', p.change) }))
    .where('id', '=', p.repositoryId),
)

const findKeys = prepared((db, p: { imageId: number }) =>
  db.selectFrom('images').select(['repository_id', 'digest', 'status']).where('id', '=', p.imageId),
)

const deleteTags = prepared((db, p: { imageId: number }) => db.deleteFrom('tags').where('image_id', '=', p.imageId))

const deleteManifest = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_manifests').where('image_id', '=', p.imageId),
)

const deleteNeeds = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_blobs').where('image_id', '=', p.imageId),
)

const deleteChildren = prepared((db, p: { repositoryId: number; digest: string }) =>
  db.deleteFrom('image_children').where('repository_id', '=', p.repositoryId).where('parent_digest', '=', p.digest),
)

const deleteSignings = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_signings').where('image_id', '=', p.imageId),
)

const deleteReplications = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_replications').where('image_id', '=', p.imageId),
)

const deleteOrigins = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_origins').where('image_id', '=', p.imageId),
)

const deleteRow = prepared((db, p: { imageId: number }) => db.deleteFrom('images').where('id', '=', p.imageId))

/** Records an image with all it refers to, and counts it where it is counted. */
export async function insertImage(db: Database, newImage: NewImage): Promise<Image> {
  const { manifest, vault, blobs, children, ...image } = newImage
  const { repositoryId, digest } = image
  const { rows } = await insertRow(db, toValues(image))
  const id = rows[0]?.id
  if (id === undefined) throw new Error('an inserted row came back without its id')
  await insertManifest(db, { imageId: id, body: manifest, vault })
  for (const list of insertLists(blobs)) await insertNeeds(db, { repositoryId, imageId: id }, list)
  for (const [mediaType, named] of Map.groupBy(blobs, (blob) => blob.mediaType))
    for (const list of paddedLists(named)) await countNeedsUp(db, { repositoryId, mediaType }, list)
  for (const list of insertLists(children)) {
    const rows = list.map((child) => ({ repository_id: repositoryId, child_digest: child, parent_digest: digest }))
    await insertChildren(db, {}, rows)
  }
  await countImages(db, { repositoryId, change: 1 })
  return { ...image, id, status: 'ACTIVE' }
}

/** Removes an image with its tags and all it referred to. Absent is fine. */
export async function deleteImage(db: Database, imageId: number, at: number): Promise<void> {
  const { rows } = await findKeys(db, { imageId })
  const image = rows[0]
  if (image === undefined) return
  const repositoryId = image.repository_id
  const archivedCount = image.status === 'ACTIVE' ? 0 : 1
  await countNeedsDown(db, { repositoryId, imageId, archivedCount, at })
  await deleteTags(db, { imageId })
  await deleteManifest(db, { imageId })
  await deleteNeeds(db, { imageId })
  await deleteChildren(db, { repositoryId, digest: image.digest })
  await deleteSignings(db, { imageId })
  await forgetScans(db, imageId)
  await deleteReplications(db, { imageId })
  await deleteOrigins(db, { imageId })
  await deleteLinks(db, { imageId })
  await deleteRow(db, { imageId })
  await countImages(db, { repositoryId, change: -1 })
}

function toValues(image: Omit<NewImage, 'manifest' | 'vault' | 'blobs' | 'children'>): ImageValues {
  return {
    repository_id: image.repositoryId,
    digest: image.digest,
    media_type: image.mediaType,
    size_bytes: image.sizeBytes,
    manifest_size_bytes: image.manifestSizeBytes,
    pushed_at: image.pushedAt.getTime(),
    pulled_at: image.pulledAt?.getTime() ?? null,
    tag_count: 0,
    is_tagged: 0,
    subject: image.subject ?? null,
    artifact_media_type: image.artifactMediaType ?? null,
    artifact_type: image.artifactType ?? null,
    annotations: image.annotations === undefined ? null : JSON.stringify(image.annotations),
    status: 'ACTIVE',
  }
}
