import type { Digest } from '../../domain/digest.ts'
import { blobNotFound } from '../../domain/errors.ts'
import type { BlobAddress, Vault } from '../../domain/vault.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema/database.ts'

// The links by which repositories hold blobs, made and taken away; each is counted on its blob.

/** A link, and what its blob is to know of it. */
export interface LinkValues extends BlobAddress {
  readonly repositoryId: number
  readonly sizeBytes: number
  readonly at: number
}

const insertLink = prepared((db, p: LinkValues) =>
  db
    .insertInto('repository_blobs')
    .values({
      repository_id: p.repositoryId,
      digest: p.digest,
      vault: p.vault,
      size_bytes: p.sizeBytes,
      image_count: 0,
      archived_image_count: 0,
      unused_since: p.at,
    })
    .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
    .returning('digest'),
)

const countNeeds = prepared((db, p: { repositoryId: number; digest: string }) =>
  db
    .selectFrom('image_blobs as n')
    .innerJoin('images as i', 'i.id', 'n.image_id')
    .select((eb) => [
      eb.fn.countAll<number>().as('image_count'),
      eb.fn.sum<number | null>(eb.case().when('i.status', '=', 'ACTIVE').then(0).else(1).end()).as('archived_count'),
      eb.fn.min('n.media_type').as('media_type'),
    ])
    .where('n.repository_id', '=', p.repositoryId)
    .where('n.digest', '=', p.digest),
)

const adoptNeeds = prepared(
  (
    db,
    p: { repositoryId: number; digest: string; imageCount: number; archivedCount: number; mediaType: string | null },
  ) =>
    db
      .updateTable('repository_blobs')
      .set({
        image_count: p.imageCount,
        archived_image_count: p.archivedCount,
        media_type: p.mediaType,
        unused_since: null,
      })
      .where('repository_id', '=', p.repositoryId)
      .where('digest', '=', p.digest),
)

const restartGrace = prepared((db, p: { repositoryId: number; digest: string; at: number }) =>
  db
    .updateTable('repository_blobs')
    .set({ unused_since: p.at })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest)
    .where('image_count', '=', 0),
)

const moveLink = prepared((db, p: { repositoryId: number; digest: string; vault: string }) =>
  db
    .updateTable('repository_blobs')
    .set({ vault: p.vault })
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

const countLinkUp = prepared((db, p: BlobAddress & { sizeBytes: number; at: number }) =>
  db
    .updateTable('blobs')
    .set((eb) => ({ link_count: eb('link_count', '+', 1), size_bytes: p.sizeBytes, touched_at: p.at }))
    .where('digest', '=', p.digest)
    .where('vault', '=', p.vault)
    .where('is_marked', '=', 0)
    .returning('digest'),
)

/** A claim that is newer than `at` goes on protecting the blob. */
const countLinkDown = prepared((db, p: BlobAddress & { at: number }) =>
  db
    .updateTable('blobs')
    .set((eb) => ({
      link_count: eb('link_count', '-', 1),
      touched_at: eb.case().when('touched_at', '<', p.at).then(p.at).else(eb.ref('touched_at')).end(),
    }))
    .where('digest', '=', p.digest)
    .where('vault', '=', p.vault),
)

const findVault = prepared((db, p: { repositoryId: number; digest: string }) =>
  db
    .selectFrom('repository_blobs')
    .select('vault')
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

/** Links a blob that is claimed or linked. False: its content was linked before. Throws `blob-not-found`. */
export async function linkBlob(db: Database, values: LinkValues): Promise<boolean> {
  const { rows: inserted } = await insertLink(db, values)
  if (inserted.length === 0) {
    await moveToVault(db, values)
    await restartGrace(db, values)
    return false
  }
  const { rows: counted } = await countLinkUp(db, values)
  if (counted.length === 0) throw blobNotFound(values.digest)
  await findNeeds(db, values)
  return true
}

/** Removes a link that no image needs. */
export async function unlinkBlob(db: Database, repositoryId: number, digest: Digest, at: number): Promise<boolean> {
  const removed = await deleteUnneeded(db, repositoryId, digest).returning('vault').executeTakeFirst()
  if (removed === undefined) return false
  await countLinkDown(db, { digest, vault: removed.vault as Vault, at })
  return true
}

/** The same, if no image has needed it since `before`; its blob then counts as freed since none did. */
export async function unlinkUnusedBlob(
  db: Database,
  repositoryId: number,
  digest: Digest,
  before: number,
): Promise<boolean> {
  const removed = await deleteUnneeded(db, repositoryId, digest)
    .where('unused_since', '<', before)
    .returning(['vault', 'unused_since'])
    .executeTakeFirst()
  if (removed === undefined) return false
  await countLinkDown(db, { digest, vault: removed.vault as Vault, at: removed.unused_since ?? 0 })
  return true
}

/** A layer that a repository holds and that comes again into another vault is that one's from then on. */
async function moveToVault(db: Database, values: LinkValues): Promise<void> {
  const { rows } = await findVault(db, values)
  const vault = rows[0]?.vault as Vault | undefined
  if (vault === undefined || vault === values.vault) return
  const { rows: counted } = await countLinkUp(db, values)
  if (counted.length === 0) throw blobNotFound(values.digest)
  await moveLink(db, values)
  await countLinkDown(db, { digest: values.digest, vault, at: values.at })
}

/** A link that comes back after its bytes were lost finds the images that need it still there. */
async function findNeeds(db: Database, { repositoryId, digest }: LinkValues): Promise<void> {
  const { rows } = await countNeeds(db, { repositoryId, digest })
  const imageCount = Number(rows[0]?.image_count ?? 0)
  if (imageCount === 0) return
  const archivedCount = Number(rows[0]?.archived_count ?? 0)
  await adoptNeeds(db, { repositoryId, digest, imageCount, archivedCount, mediaType: rows[0]?.media_type ?? null })
}

function deleteUnneeded(db: Database, repositoryId: number, digest: Digest) {
  return db
    .deleteFrom('repository_blobs')
    .where('repository_id', '=', repositoryId)
    .where('digest', '=', digest)
    .where('image_count', '=', 0)
}
