import type { Digest } from '../../domain/digest.ts'
import type { Image } from '../../domain/image.ts'
import { imageColumns, toImage } from './image-rows.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema/database.ts'

const parents = prepared((db, p: { repositoryId: number; child: string; limit: number }) =>
  db
    .selectFrom('image_children')
    .select('parent_digest')
    .where('repository_id', '=', p.repositoryId)
    .where('child_digest', '=', p.child)
    .orderBy('parent_digest')
    .limit(p.limit),
)

const livingParents = prepared((db, p: { repositoryId: number; child: string; limit: number }) =>
  db
    .selectFrom('image_children as c')
    .innerJoin('images as i', (join) =>
      join.onRef('i.repository_id', '=', 'c.repository_id').onRef('i.digest', '=', 'c.parent_digest'),
    )
    .select('c.parent_digest')
    .where('c.repository_id', '=', p.repositoryId)
    .where('c.child_digest', '=', p.child)
    .where('i.status', '!=', 'ARCHIVED')
    .orderBy('c.parent_digest')
    .limit(p.limit),
)

const children = prepared((db, p: { repositoryId: number; parent: string }) =>
  db
    .selectFrom('image_children as c')
    .innerJoin('images as i', (join) =>
      join.onRef('i.repository_id', '=', 'c.repository_id').onRef('i.digest', '=', 'c.child_digest'),
    )
    .select(imageColumns.map((column) => `i.${column}` as const))
    .where('c.repository_id', '=', p.repositoryId)
    .where('c.parent_digest', '=', p.parent)
    .orderBy('c.child_digest'),
)

/** The indexes that list `child`, in ascending order of digest. */
export async function parentsOf(
  db: Database,
  repositoryId: number,
  child: Digest,
  limit: number,
): Promise<readonly Digest[]> {
  const { rows } = await parents(db, { repositoryId, child, limit })
  return rows.map((row) => row.parent_digest as Digest)
}

/** Those of them that are not archived. */
export async function livingParentsOf(
  db: Database,
  repositoryId: number,
  child: Digest,
  limit: number,
): Promise<readonly Digest[]> {
  const { rows } = await livingParents(db, { repositoryId, child, limit })
  return rows.map((row) => row.parent_digest as Digest)
}

/** The images that `parent` lists, as far as the repository holds them. */
export async function childrenOf(db: Database, repositoryId: number, parent: Digest): Promise<readonly Image[]> {
  const { rows } = await children(db, { repositoryId, parent })
  return rows.map(toImage)
}
