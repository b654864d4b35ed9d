import { prepared } from './prepared.ts'
import type { Database } from './schema/database.ts'

const findTag = prepared((db, p: { repositoryId: number; tag: string }) =>
  db.selectFrom('tags').select('image_id').where('repository_id', '=', p.repositoryId).where('name', '=', p.tag),
)

function statusOf(db: Database, { imageId }: { imageId: number }) {
  return db.selectFrom('images').select('status').where('id', '=', imageId)
}

const setTag = prepared((db, p: { repositoryId: number; tag: string; imageId: number; at: number }) =>
  db
    .insertInto('tags')
    .values({ repository_id: p.repositoryId, name: p.tag, image_id: p.imageId, set_at: p.at, status: statusOf(db, p) })
    .onConflict((conflict) =>
      conflict
        .columns(['repository_id', 'name'])
        .doUpdateSet({ image_id: p.imageId, set_at: p.at, status: statusOf(db, p) }),
    ),
)

const removeTag = prepared((db, p: { repositoryId: number; tag: string }) =>
  db.deleteFrom('tags').where('repository_id', '=', p.repositoryId).where('name', '=', p.tag).returning('image_id'),
)

const countTagUp = prepared((db, p: { imageId: number }) =>
  db
    .updateTable('images')
    .set((eb) => ({ tag_count: eb('tag_count', '+', 1), is_tagged: 1 }))
    .where('id', '=', p.imageId),
)

const countTagDown = prepared((db, p: { imageId: number }) =>
  db
    .updateTable('images')
    .set((eb) => ({
      tag_count: eb('tag_count', '-', 1),
      is_tagged: eb.case().when('tag_count', '>', 1).then(1).else(0).end(),
    }))
    .where('id', '=', p.imageId),
)

/** Sets or moves a tag, and counts it on the images that it leaves and comes to. */
export async function putTag(
  db: Database,
  values: { readonly repositoryId: number; readonly tag: string; readonly imageId: number; readonly at: number },
): Promise<void> {
  const { rows } = await findTag(db, values)
  const previous = rows[0]?.image_id
  await setTag(db, values)
  if (previous === values.imageId) return
  if (previous !== undefined) await countTagDown(db, { imageId: previous })
  await countTagUp(db, values)
}

/** Removes a tag; the image stays. Absent is fine. */
export async function deleteTag(
  db: Database,
  values: { readonly repositoryId: number; readonly tag: string },
): Promise<void> {
  const { rows } = await removeTag(db, values)
  for (const { image_id } of rows) await countTagDown(db, { imageId: image_id })
}
