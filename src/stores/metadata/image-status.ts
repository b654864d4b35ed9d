import type { Image, ImageStatus } from '../../domain/image.ts'
import type { Repository } from '../../domain/repository.ts'
import { imageColumns, toImage } from './image-rows.ts'
import { prepared } from './prepared.ts'
import { repositoryColumns, toRepository } from './repositories.ts'
import type { Database } from './schema/database.ts'

interface Change {
  readonly imageId: number
  readonly at: number
}

const findStatus = prepared((db, p: { imageId: number }) =>
  db.selectFrom('images').select(['repository_id', 'status']).where('id', '=', p.imageId),
)

const setArchived = prepared((db, p: Change) =>
  db
    .updateTable('images')
    .set({ status: 'ARCHIVED', archived_at: p.at, activates_at: null })
    .where('id', '=', p.imageId),
)

const setActivating = prepared((db, p: Change) =>
  db.updateTable('images').set({ status: 'ACTIVATING', activates_at: p.at }).where('id', '=', p.imageId),
)

const setActive = prepared((db, p: Change) =>
  db
    .updateTable('images')
    .set({ status: 'ACTIVE', activated_at: p.at, activates_at: null })
    .where('id', '=', p.imageId),
)

const SET = { ACTIVE: setActive, ACTIVATING: setActivating, ARCHIVED: setArchived } as const

const setTagStatus = prepared((db, p: { imageId: number; status: ImageStatus }) =>
  db.updateTable('tags').set({ status: p.status }).where('image_id', '=', p.imageId),
)

const countArchived = prepared((db, p: { repositoryId: number; imageId: number; change: number }) =>
  db
    .updateTable('repository_blobs')
    .set((eb) => ({ archived_image_count: eb('archived_image_count', '+', p.change) }))
    .where('repository_id', '=', p.repositoryId)
    .where('digest', 'in', (eb) => eb.selectFrom('image_blobs').select('digest').where('image_id', '=', p.imageId)),
)

const dueActivations = prepared((db, p: { at: number; limit: number }) =>
  db
    .selectFrom('images')
    .select(['id', 'activates_at'])
    .where('activates_at', '<=', p.at)
    .orderBy('activates_at')
    .limit(p.limit),
)

const placedActivations = prepared((db, p: { at: number; limit: number }) =>
  db
    .selectFrom('images as i')
    .innerJoin('repositories as r', 'r.id', 'i.repository_id')
    .select(repositoryColumns.filter((column) => column !== 'id').map((column) => `r.${column}` as const))
    .select(imageColumns.map((column) => `i.${column}` as const))
    .where('i.activates_at', '<=', p.at)
    .where('r.is_deleted', '=', 0)
    .orderBy('i.activates_at')
    .limit(p.limit),
)

/** Sets the status of an image and of its tags, and counts it on the layers it needs. Absent is fine. */
export async function setImageStatus(db: Database, imageId: number, status: ImageStatus, at: number): Promise<void> {
  const { rows } = await findStatus(db, { imageId })
  const image = rows[0]
  if (image === undefined) return
  await SET[status](db, { imageId, at })
  await setTagStatus(db, { imageId, status })
  const change = Number(status !== 'ACTIVE') - Number(image.status !== 'ACTIVE')
  if (change !== 0) await countArchived(db, { repositoryId: image.repository_id, imageId, change })
}

/** Images whose restoration has ended by a moment and that nobody has written down as active yet. */
export async function listActivationsDue(
  db: Database,
  at: number,
  limit: number,
): Promise<readonly { readonly repository: Repository; readonly image: Image }[]> {
  const { rows } = await placedActivations(db, { at, limit })
  return rows.map((row) => ({ repository: toRepository({ ...row, id: row.repository_id }), image: toImage(row) }))
}

export async function isActivationDue(db: Database, at: number): Promise<boolean> {
  const { rows } = await dueActivations(db, { at, limit: 1 })
  return rows.length > 0
}

/** Makes images active since the moment that their restoration ended; the earliest first. */
export async function activateDue(db: Database, at: number, limit: number): Promise<number> {
  const { rows } = await dueActivations(db, { at, limit })
  for (const { id, activates_at } of rows) await setImageStatus(db, id, 'ACTIVE', activates_at ?? at)
  return rows.length
}
