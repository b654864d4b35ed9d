import type { Digest } from '../../domain/digest.ts'
import type { Image, TaggedImage, TagStatus } from '../../domain/image.ts'
import type { Tag } from '../../domain/names.ts'
import type { ListedImage, ListedImageKey, Page } from '../metadata.ts'
import { type ImageRow, imageColumns, toImage } from './image-rows.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema/database.ts'

// Every page is one walk along an index, from the key where the last page ended.

interface PageValues {
  readonly repositoryId: number
  readonly after: string
  readonly limit: number
}

const listAny = prepared((db, p: PageValues) =>
  db
    .selectFrom('images')
    .select(imageColumns)
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '>', p.after)
    .orderBy('digest')
    .limit(p.limit),
)

const listByTagStatus = prepared((db, p: PageValues & { isTagged: number }) =>
  db
    .selectFrom('images')
    .select(imageColumns)
    .where('repository_id', '=', p.repositoryId)
    .where('is_tagged', '=', p.isTagged)
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
    .where('images.is_tagged', '=', 1)
    .where('images.digest', '>=', p.first)
    .where('images.digest', '<=', p.last)
    .orderBy('images.digest')
    .orderBy('tags.name'),
)

const tagPage = prepared((db, p: PageValues) =>
  db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', p.repositoryId)
    .where('name', '>', p.after)
    .orderBy('name')
    .limit(p.limit),
)

const tagPageWithDigests = prepared((db, p: PageValues) =>
  db
    .selectFrom('tags')
    .innerJoin('images', 'images.id', 'tags.image_id')
    .select(['tags.name', 'images.digest'])
    .where('tags.repository_id', '=', p.repositoryId)
    .where('tags.name', '>', p.after)
    .orderBy('tags.name')
    .limit(p.limit),
)

const untaggedPage = prepared((db, p: PageValues) =>
  db
    .selectFrom('images')
    .select('digest')
    .where('repository_id', '=', p.repositoryId)
    .where('is_tagged', '=', 0)
    .where('digest', '>', p.after)
    .orderBy('digest')
    .limit(p.limit),
)

const referrerPage = prepared((db, p: PageValues & { subject: string }) =>
  db
    .selectFrom('images')
    .select(imageColumns)
    .where('repository_id', '=', p.repositoryId)
    .where('subject', '=', p.subject)
    .where('digest', '>', p.after)
    .orderBy('digest')
    .limit(p.limit),
)

const referrerPageOfType = prepared((db, p: PageValues & { subject: string; artifactType: string }) =>
  db
    .selectFrom('images')
    .select(imageColumns)
    .where('repository_id', '=', p.repositoryId)
    .where('subject', '=', p.subject)
    .where('digest', '>', p.after)
    .where('artifact_type', '=', p.artifactType)
    .orderBy('digest')
    .limit(p.limit),
)

/** In ascending order of digest. Two statements: the caller sees to one state. */
export async function listImages(
  db: Database,
  repositoryId: number,
  tagStatus: TagStatus,
  { after, limit }: Page<Digest>,
): Promise<readonly TaggedImage[]> {
  const page = { repositoryId, after: after ?? '', limit }
  const { rows } =
    tagStatus === 'ANY'
      ? await listAny(db, page)
      : await listByTagStatus(db, { ...page, isTagged: tagStatus === 'TAGGED' ? 1 : 0 })
  const [first, last] = [rows[0], rows[rows.length - 1]]
  if (first === undefined || last === undefined) return []
  if (tagStatus === 'UNTAGGED') return withTags(rows, [])
  const tags = await tagsBetween(db, { repositoryId, first: first.digest, last: last.digest })
  return withTags(rows, tags.rows)
}

/** The images among `digests` that are there, in no particular order. */
export async function findImages(
  db: Database,
  repositoryId: number,
  digests: readonly Digest[],
): Promise<readonly TaggedImage[]> {
  const found: TaggedImage[] = []
  for (const list of paddedLists(digests)) {
    const images = await db
      .selectFrom('images')
      .select(imageColumns)
      .where('repository_id', '=', repositoryId)
      .where('digest', 'in', list)
      .execute()
    const ids = paddedLists(images.map(({ id }) => id))[0]
    if (ids === undefined) continue
    const tags = await db
      .selectFrom('tags')
      .select(['image_id as id', 'name'])
      .where('image_id', 'in', ids)
      .orderBy('image_id')
      .orderBy('name')
      .execute()
    found.push(...withTags(images, tags))
  }
  return found
}

function withTags(
  images: readonly ImageRow[],
  tags: readonly { readonly id: number; readonly name: string }[],
): readonly TaggedImage[] {
  const tagsById = new Map<number, Tag[]>()
  for (const { id, name } of tags) {
    const known = tagsById.get(id)
    if (known === undefined) tagsById.set(id, [name as Tag])
    else known.push(name as Tag)
  }
  return images.map((row) => ({ ...toImage(row), tags: tagsById.get(row.id) ?? [] }))
}

/** Tags first, then untagged digests. Up to two statements: the caller sees to one state. */
export async function listImageIds(
  db: Database,
  repositoryId: number,
  tagStatus: TagStatus,
  { after, limit }: Page<ListedImageKey>,
): Promise<readonly ListedImage[]> {
  const listed: ListedImage[] = []
  const isAmongUntagged = after !== undefined && 'untagged' in after
  if (tagStatus !== 'UNTAGGED' && !isAmongUntagged) {
    const { rows } = await tagPageWithDigests(db, { repositoryId, after: after?.tag ?? '', limit })
    for (const row of rows) listed.push({ digest: row.digest as Digest, tag: row.name as Tag })
  }
  if (tagStatus !== 'TAGGED' && listed.length < limit) {
    const from = isAmongUntagged ? (after.untagged ?? '') : ''
    const { rows } = await untaggedPage(db, { repositoryId, after: from, limit: limit - listed.length })
    for (const row of rows) listed.push({ digest: row.digest as Digest })
  }
  return listed
}

export async function listTags(
  db: Database,
  repositoryId: number,
  { after, limit }: Page<Tag>,
): Promise<readonly Tag[]> {
  const { rows } = await tagPage(db, { repositoryId, after: after ?? '', limit })
  return rows.map(({ name }) => name as Tag)
}

export async function listReferrers(
  db: Database,
  repositoryId: number,
  subject: Digest,
  artifactType: string | undefined,
  { after, limit }: Page<Digest>,
): Promise<readonly Image[]> {
  const page = { repositoryId, subject, after: after ?? '', limit }
  const { rows } =
    artifactType === undefined ? await referrerPage(db, page) : await referrerPageOfType(db, { ...page, artifactType })
  return rows.map(toImage)
}
