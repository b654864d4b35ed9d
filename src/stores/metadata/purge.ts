import { detachPreview } from './lifecycle-previews.ts'
import { paddedLists } from './parameter-lists.ts'
import type { Database } from './schema/database.ts'

/**
 * Takes one step of removing what deleted repositories held: images first, then blob links, then uploads, resource
 * tags and the record itself. Answers how many rows of work it did, at most `limit`; 0 when nothing is left.
 */
export async function purgeDeleted(db: Database, limit: number): Promise<number> {
  let done = 0
  while (done < limit) {
    const repository = await db
      .selectFrom('repositories')
      .select('id')
      .where('is_deleted', '=', (eb) => eb.lit(1))
      .orderBy('id')
      .limit(1)
      .executeTakeFirst()
    if (repository === undefined) break
    const room = limit - done
    const step =
      (await purgeImages(db, repository.id, room)) ||
      (await purgeLinks(db, repository.id, room)) ||
      (await purgeUploads(db, repository.id, room)) ||
      (await purgeRecord(db, repository.id))
    done += step
  }
  return done
}

/** Leaves the counters of the repository's own links alone: the links are next. */
async function purgeImages(db: Database, repositoryId: number, limit: number): Promise<number> {
  const images = await db
    .selectFrom('images')
    .select(['id', 'digest'])
    .where('repository_id', '=', repositoryId)
    .orderBy('digest')
    .limit(limit)
    .execute()
  for (const ids of paddedLists(images.map(({ id }) => id))) {
    await db.deleteFrom('tags').where('image_id', 'in', ids).execute()
    await db.deleteFrom('image_manifests').where('image_id', 'in', ids).execute()
    await db.deleteFrom('image_blobs').where('image_id', 'in', ids).execute()
    await db.deleteFrom('image_origins').where('image_id', 'in', ids).execute()
    await db.deleteFrom('image_replications').where('image_id', 'in', ids).execute()
    await db.deleteFrom('image_signings').where('image_id', 'in', ids).execute()
    await db.deleteFrom('image_packages').where('image_id', 'in', ids).execute()
    await db.deleteFrom('image_inventories').where('image_id', 'in', ids).execute()
    const scans = db.selectFrom('image_scans').select('id').where('image_id', 'in', ids)
    await db.deleteFrom('image_scan_findings').where('scan_id', 'in', scans).execute()
    await db.deleteFrom('image_scans').where('image_id', 'in', ids).execute()
    await db.deleteFrom('images').where('id', 'in', ids).execute()
  }
  for (const digests of paddedLists(images.map(({ digest }) => digest)))
    await db
      .deleteFrom('image_children')
      .where('repository_id', '=', repositoryId)
      .where('parent_digest', 'in', digests)
      .execute()
  return images.length
}

async function purgeLinks(db: Database, repositoryId: number, limit: number): Promise<number> {
  const links = await db
    .selectFrom('repository_blobs')
    .select(['digest', 'vault'])
    .where('repository_id', '=', repositoryId)
    .orderBy('digest')
    .limit(limit)
    .execute()
  for (const digests of paddedLists(links.map(({ digest }) => digest)))
    await db
      .deleteFrom('repository_blobs')
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', digests)
      .execute()
  for (const [vault, held] of Map.groupBy(links, (link) => link.vault))
    for (const digests of paddedLists(held.map(({ digest }) => digest)))
      await db
        .updateTable('blobs')
        .set((eb) => ({ link_count: eb('link_count', '-', 1) }))
        .where('digest', 'in', digests)
        .where('vault', '=', vault)
        .execute()
  return links.length
}

async function purgeUploads(db: Database, repositoryId: number, limit: number): Promise<number> {
  const uploads = await db
    .selectFrom('uploads')
    .select('id')
    .where('repository_id', '=', repositoryId)
    .limit(limit)
    .execute()
  for (const ids of paddedLists(uploads.map(({ id }) => id)))
    await db.deleteFrom('uploads').where('id', 'in', ids).execute()
  return uploads.length
}

/** Resource tags are few; the results of a preview, which may be many, go on their own. */
async function purgeRecord(db: Database, repositoryId: number): Promise<number> {
  await detachPreview(db, repositoryId)
  await db.deleteFrom('lifecycle_policies').where('repository_id', '=', repositoryId).execute()
  await db.deleteFrom('repository_policies').where('repository_id', '=', repositoryId).execute()
  await db.deleteFrom('repository_catalogs').where('repository_id', '=', repositoryId).execute()
  await db.deleteFrom('upstream_checks').where('repository_id', '=', repositoryId).execute()
  await db.deleteFrom('resource_tags').where('repository_id', '=', repositoryId).execute()
  await db.deleteFrom('repositories').where('id', '=', repositoryId).execute()
  return 1
}
