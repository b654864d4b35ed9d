import type { Digest } from '../../domain/digest.ts'
import type { ImageFilter, ImageStatus, TaggedImage } from '../../domain/image.ts'
import type { Tag } from '../../domain/names.ts'
import type { ListedImage, ListedImageKey, Page } from '../metadata.ts'
import { type ImageRow, imageColumns, toImage } from './image-rows.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared, preparedForItems } from './prepared.ts'
import type { Database } from './schema/database.ts'

// Every page is a walk along an index, from the key where the last page ended, or several walks that are merged.

interface PageValues {
  readonly repositoryId: number
  readonly after: string
  readonly limit: number
}

/** One stretch of the index by status: all of its images have one status, and either all have tags or none has. */
interface Stretch {
  readonly status: ImageStatus
  readonly isTagged: number
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

function walkOf(db: Database, p: PageValues, { status, isTagged }: Stretch) {
  return db
    .selectFrom('images')
    .where('repository_id', '=', p.repositoryId)
    .where('status', '=', status)
    .where('is_tagged', '=', isTagged)
    .where('digest', '>', p.after)
}

const listStretches = preparedForItems((db, p: PageValues, stretches: readonly Stretch[]) =>
  stretches
    .map((stretch) => walkOf(db, p, stretch).select(imageColumns))
    .reduce((all, walk) => all.unionAll(walk))
    .orderBy('digest')
    .limit(p.limit),
)

const listDigests = preparedForItems((db, p: PageValues, stretches: readonly Stretch[]) =>
  stretches
    .map((stretch) => walkOf(db, p, stretch).select('digest'))
    .reduce((all, walk) => all.unionAll(walk))
    .orderBy('digest')
    .limit(p.limit),
)

const tagsOfImages = preparedForItems((db, _: object, images: readonly { readonly id: number }[]) =>
  db
    .selectFrom('tags')
    .select(['image_id as id', 'name'])
    .where(
      'image_id',
      'in',
      images.map(({ id }) => id),
    )
    .orderBy('image_id')
    .orderBy('name'),
)

const activeTagPage = prepared((db, p: PageValues) =>
  db
    .selectFrom('tags')
    .select('name')
    .where('repository_id', '=', p.repositoryId)
    .where('status', '=', 'ACTIVE')
    .where('name', '>', p.after)
    .orderBy('name')
    .limit(p.limit),
)

const anyTagPage = prepared((db, p: PageValues) =>
  db
    .selectFrom('tags')
    .innerJoin('images', 'images.id', 'tags.image_id')
    .select(['tags.name', 'images.digest'])
    .where('tags.repository_id', '=', p.repositoryId)
    .where('tags.name', '>', p.after)
    .orderBy('tags.name')
    .limit(p.limit),
)

const tagPageOfStatus = prepared((db, p: PageValues & { status: ImageStatus }) =>
  db
    .selectFrom('tags')
    .innerJoin('images', 'images.id', 'tags.image_id')
    .select(['tags.name', 'images.digest'])
    .where('tags.repository_id', '=', p.repositoryId)
    .where('tags.status', '=', p.status)
    .where('tags.name', '>', p.after)
    .orderBy('tags.name')
    .limit(p.limit),
)

const STATUSES: readonly ImageStatus[] = ['ACTIVE', 'ACTIVATING', 'ARCHIVED']

/** The stretches that a filter selects. */
function stretchesOf({ tagStatus = 'ANY', status = 'ANY' }: ImageFilter): readonly Stretch[] {
  const statuses = status === 'ANY' ? STATUSES : [status]
  const sides = tagStatus === 'ANY' ? [0, 1] : [tagStatus === 'TAGGED' ? 1 : 0]
  return statuses.flatMap((one) => sides.map((isTagged) => ({ status: one, isTagged })))
}

/** In ascending order of digest. Up to a few statements: the caller sees to one state. */
export async function listImages(
  db: Database,
  repositoryId: number,
  filter: ImageFilter,
  { after, limit }: Page<Digest>,
): Promise<readonly TaggedImage[]> {
  const { tagStatus = 'ANY', status = 'ANY' } = filter
  const page = { repositoryId, after: after ?? '', limit }
  const { rows } =
    tagStatus === 'ANY' && status === 'ANY'
      ? await listAny(db, page)
      : await listStretches(db, page, stretchesOf(filter))
  return tagStatus === 'UNTAGGED' ? withTags(rows, []) : withTags(rows, await tagsOf(db, rows))
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
    found.push(...withTags(images, await tagsOf(db, images)))
  }
  return found
}

const imagesOfIds = preparedForItems((db, _: object, images: readonly { readonly id: number }[]) =>
  db
    .selectFrom('images')
    .select(imageColumns)
    .where(
      'id',
      'in',
      images.map(({ id }) => id),
    ),
)

/** The images of these ids that are there, in no particular order. */
export async function findImagesById(db: Database, ids: readonly number[]): Promise<readonly TaggedImage[]> {
  const found: TaggedImage[] = []
  for (const list of paddedLists(ids.map((id) => ({ id })))) {
    const { rows } = await imagesOfIds(db, {}, list)
    found.push(...withTags(rows, await tagsOf(db, rows)))
  }
  return found
}

interface TagOfImage {
  readonly id: number
  readonly name: string
}

async function tagsOf(db: Database, images: readonly { readonly id: number }[]): Promise<readonly TagOfImage[]> {
  const found: TagOfImage[] = []
  for (const list of paddedLists(images)) found.push(...(await tagsOfImages(db, {}, list)).rows)
  return found
}

function withTags(images: readonly ImageRow[], tags: readonly TagOfImage[]): readonly TaggedImage[] {
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
  { tagStatus = 'ANY', status = 'ANY' }: ImageFilter,
  { after, limit }: Page<ListedImageKey>,
): Promise<readonly ListedImage[]> {
  const listed: ListedImage[] = []
  const isAmongUntagged = after !== undefined && 'untagged' in after
  if (tagStatus !== 'UNTAGGED' && !isAmongUntagged) {
    const page = { repositoryId, after: after?.tag ?? '', limit }
    const { rows } = status === 'ANY' ? await anyTagPage(db, page) : await tagPageOfStatus(db, { ...page, status })
    for (const row of rows) listed.push({ digest: row.digest as Digest, tag: row.name as Tag })
  }
  if (tagStatus !== 'TAGGED' && listed.length < limit) {
    const from = isAmongUntagged ? (after.untagged ?? '') : ''
    const page = { repositoryId, after: from, limit: limit - listed.length }
    const { rows } = await listDigests(db, page, stretchesOf({ tagStatus: 'UNTAGGED', status }))
    for (const row of rows) listed.push({ digest: row.digest as Digest })
  }
  return listed
}

export async function listTags(
  db: Database,
  repositoryId: number,
  { after, limit }: Page<Tag>,
): Promise<readonly Tag[]> {
  const { rows } = await activeTagPage(db, { repositoryId, after: after ?? '', limit })
  return rows.map(({ name }) => name as Tag)
}
