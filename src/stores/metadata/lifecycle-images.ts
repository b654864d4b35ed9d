import type { Digest } from '../../domain/digest.ts'
import type { LifecycleImage } from '../../domain/lifecycle/evaluate.ts'
import type { Tag } from '../../domain/names.ts'
import type { Page } from '../metadata.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema/database.ts'

const imagePage = prepared((db, p: { repositoryId: number; after: string; limit: number }) =>
  db
    .selectFrom('images')
    .select(['id', 'digest', 'status', 'pushed_at', 'pulled_at', 'archived_at', 'activated_at', 'subject'])
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '>', p.after)
    .orderBy('digest')
    .limit(p.limit),
)

/** The tags of every image between two digests. */
const tagsBetween = prepared((db, p: { repositoryId: number; first: string; last: string }) =>
  db
    .selectFrom('images')
    .innerJoin('tags', 'tags.image_id', 'images.id')
    .select(['images.id', 'tags.name'])
    .where('images.repository_id', '=', p.repositoryId)
    .where('images.digest', '>=', p.first)
    .where('images.digest', '<=', p.last)
    .orderBy('images.digest')
    .orderBy('tags.name'),
)

/** In ascending order of digest. Two statements: the caller sees to one state. */
export async function listLifecycleImages(
  db: Database,
  repositoryId: number,
  { after = '' as Digest, limit }: Page<Digest>,
): Promise<readonly LifecycleImage[]> {
  const { rows } = await imagePage(db, { repositoryId, after, limit })
  const [first, last] = [rows[0], rows[rows.length - 1]]
  if (first === undefined || last === undefined) return []
  const tags = await tagsBetween(db, { repositoryId, first: first.digest, last: last.digest })
  const tagsById = new Map<number, Tag[]>()
  for (const { id, name } of tags.rows) {
    const known = tagsById.get(id)
    if (known === undefined) tagsById.set(id, [name as Tag])
    else known.push(name as Tag)
  }
  return rows.map((row) => ({
    id: row.id,
    digest: row.digest as Digest,
    tags: tagsById.get(row.id) ?? NO_TAGS,
    status: row.status,
    pushedAtMs: row.pushed_at,
    pulledAtMs: row.pulled_at ?? undefined,
    archivedAtMs: row.archived_at ?? undefined,
    activatedAtMs: row.activated_at ?? undefined,
    subject: (row.subject as Digest | null) ?? undefined,
  }))
}

const NO_TAGS: readonly Tag[] = []
