import type { Insertable } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { Image, ImageReference, NewImage, TaggedImage, TagStatus } from '../../domain/image.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import type { ImageWriter, ListedImage, ListedImageKey, Page, Resolved } from '../metadata.ts'
import { findImages, listImageIds, listImages, listReferrers, listTags } from './image-lists.ts'
import { resolveByDigest, resolveByTag } from './image-resolve.ts'
import { imageColumns, toImage } from './image-rows.ts'
import { insertLists, paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import { refValues } from './repositories.ts'
import type { ImagesTable } from './schema/images.ts'
import type { Session } from './session.ts'

const findByDigest = prepared((db, p: { repositoryId: number; digest: string }) =>
  db
    .selectFrom('images')
    .select(imageColumns)
    .where('repository_id', '=', p.repositoryId)
    .where('digest', '=', p.digest),
)

const findByTag = prepared((db, p: { repositoryId: number; tag: string }) =>
  db
    .selectFrom('tags')
    .innerJoin('images', 'images.id', 'tags.image_id')
    .select(imageColumns.map((column) => `images.${column}` as const))
    .where('tags.repository_id', '=', p.repositoryId)
    .where('tags.name', '=', p.tag),
)

const insertManifest = prepared((db, p: { imageId: number; body: Uint8Array }) =>
  db.insertInto('image_manifests').values({ image_id: p.imageId, body: p.body }),
)

const countImages = prepared((db, p: { repositoryId: number; change: number }) =>
  db
    .updateTable('repositories')
    .set((eb) => ({ image_count: eb('image_count', '+', p.change) }))
    .where('id', '=', p.repositoryId),
)

const findTag = prepared((db, p: { repositoryId: number; tag: string }) =>
  db.selectFrom('tags').select('image_id').where('repository_id', '=', p.repositoryId).where('name', '=', p.tag),
)

const setTag = prepared((db, p: { repositoryId: number; tag: string; imageId: number; at: number }) =>
  db
    .insertInto('tags')
    .values({ repository_id: p.repositoryId, name: p.tag, image_id: p.imageId, set_at: p.at })
    .onConflict((conflict) =>
      conflict.columns(['repository_id', 'name']).doUpdateSet({ image_id: p.imageId, set_at: p.at }),
    ),
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

const recordPull = prepared((db, p: { imageId: number; at: number }) =>
  db
    .updateTable('images')
    .set({ pulled_at: p.at })
    .where('id', '=', p.imageId)
    .where((eb) => eb.or([eb('pulled_at', 'is', null), eb('pulled_at', '<', p.at)])),
)

/** Images with their manifests, tags and references. */
export class Images implements ImageWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(repositoryId: number, reference: ImageReference): Promise<Image | undefined> {
    const { db } = this.#session
    const { rows } =
      'digest' in reference
        ? await findByDigest(db, { repositoryId, digest: reference.digest })
        : await findByTag(db, { repositoryId, tag: reference.tag })
    return rows[0] && toImage(rows[0])
  }

  resolve(ref: RepositoryRef, reference: ImageReference): Promise<Resolved | undefined> {
    const { db } = this.#session
    const values = refValues(ref)
    return 'digest' in reference
      ? resolveByDigest(db, { ...values, digest: reference.digest })
      : resolveByTag(db, { ...values, tag: reference.tag })
  }

  findMany(repositoryId: number, digests: readonly Digest[]): Promise<readonly TaggedImage[]> {
    return this.#session.atOnce((db) => findImages(db, repositoryId, digests))
  }

  async tagsOf(imageId: number): Promise<readonly Tag[]> {
    const rows = await this.#session.db
      .selectFrom('tags')
      .select('name')
      .where('image_id', '=', imageId)
      .orderBy('name')
      .execute()
    return rows.map(({ name }) => name as Tag)
  }

  list(repositoryId: number, tagStatus: TagStatus, page: Page<Digest>): Promise<readonly TaggedImage[]> {
    return this.#session.atOnce((db) => listImages(db, repositoryId, tagStatus, page))
  }

  listIds(repositoryId: number, tagStatus: TagStatus, page: Page<ListedImageKey>): Promise<readonly ListedImage[]> {
    return this.#session.atOnce((db) => listImageIds(db, repositoryId, tagStatus, page))
  }

  listTags(repositoryId: number, page: Page<Tag>): Promise<readonly Tag[]> {
    return listTags(this.#session.db, repositoryId, page)
  }

  listReferrers(
    repositoryId: number,
    subject: Digest,
    { artifactType }: { readonly artifactType?: string | undefined },
    page: Page<Digest>,
  ): Promise<readonly Image[]> {
    return listReferrers(this.#session.db, repositoryId, subject, artifactType, page)
  }

  async parentsOf(repositoryId: number, child: Digest, limit: number): Promise<readonly Digest[]> {
    const rows = await this.#session.db
      .selectFrom('image_children')
      .select('parent_digest')
      .where('repository_id', '=', repositoryId)
      .where('child_digest', '=', child)
      .orderBy('parent_digest')
      .limit(limit)
      .execute()
    return rows.map((row) => row.parent_digest as Digest)
  }

  async sizesOf(repositoryId: number, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, number>> {
    const sizes = new Map<Digest, number>()
    await this.#session.atOnce(async (db) => {
      for (const list of paddedLists(digests)) {
        const rows = await db
          .selectFrom('images')
          .select(['digest', 'size_bytes'])
          .where('repository_id', '=', repositoryId)
          .where('digest', 'in', list)
          .execute()
        for (const row of rows) sizes.set(row.digest as Digest, row.size_bytes)
      }
    })
    return sizes
  }

  async count(repositoryId: number): Promise<number> {
    const row = await this.#session.db
      .selectFrom('repositories')
      .select('image_count')
      .where('id', '=', repositoryId)
      .executeTakeFirst()
    return row?.image_count ?? 0
  }

  async countTags(imageId: number): Promise<number> {
    const row = await this.#session.db
      .selectFrom('images')
      .select('tag_count')
      .where('id', '=', imageId)
      .executeTakeFirst()
    return row?.tag_count ?? 0
  }

  async insert({ manifest, blobs, children, ...image }: NewImage): Promise<Image> {
    const { db } = this.#session
    const { repositoryId, digest } = image
    const { id } = await db.insertInto('images').values(toValues(image)).returning('id').executeTakeFirstOrThrow()
    await insertManifest(db, { imageId: id, body: manifest })
    for (const list of insertLists(blobs))
      await db
        .insertInto('image_blobs')
        .values(
          list.map((blob) => ({
            repository_id: repositoryId,
            digest: blob.digest,
            image_id: id,
            media_type: blob.mediaType,
          })),
        )
        .execute()
    for (const [mediaType, named] of Map.groupBy(blobs, (blob) => blob.mediaType))
      for (const digests of paddedLists(named.map((blob) => blob.digest)))
        await db
          .updateTable('repository_blobs')
          .set((eb) => ({
            image_count: eb('image_count', '+', 1),
            media_type: eb.fn.coalesce('media_type', eb.val(mediaType)),
            unused_since: null,
          }))
          .where('repository_id', '=', repositoryId)
          .where('digest', 'in', digests)
          .execute()
    for (const list of insertLists(children))
      await db
        .insertInto('image_children')
        .values(list.map((child) => ({ repository_id: repositoryId, child_digest: child, parent_digest: digest })))
        .execute()
    await countImages(db, { repositoryId, change: 1 })
    return { ...image, id }
  }

  async putTag(repositoryId: number, tag: Tag, imageId: number, at: Date): Promise<void> {
    const { db } = this.#session
    const { rows } = await findTag(db, { repositoryId, tag })
    const previous = rows[0]?.image_id
    await setTag(db, { repositoryId, tag, imageId, at: at.getTime() })
    if (previous === imageId) return
    if (previous !== undefined) await countTagDown(db, { imageId: previous })
    await countTagUp(db, { imageId })
  }

  async deleteTag(repositoryId: number, tag: Tag): Promise<void> {
    const { db } = this.#session
    const removed = await db
      .deleteFrom('tags')
      .where('repository_id', '=', repositoryId)
      .where('name', '=', tag)
      .returning('image_id')
      .execute()
    for (const { image_id } of removed) await countTagDown(db, { imageId: image_id })
  }

  async delete(imageId: number, at: Date): Promise<void> {
    const { db } = this.#session
    const image = await db
      .selectFrom('images')
      .select(['repository_id', 'digest'])
      .where('id', '=', imageId)
      .executeTakeFirst()
    if (image === undefined) return
    await db
      .updateTable('repository_blobs')
      .set((eb) => ({
        image_count: eb('image_count', '-', 1),
        unused_since: eb.case().when('image_count', '=', 1).then(at.getTime()).end(),
      }))
      .where('repository_id', '=', image.repository_id)
      .where('digest', 'in', (eb) => eb.selectFrom('image_blobs').select('digest').where('image_id', '=', imageId))
      .execute()
    await db.deleteFrom('tags').where('image_id', '=', imageId).execute()
    await db.deleteFrom('image_manifests').where('image_id', '=', imageId).execute()
    await db.deleteFrom('image_blobs').where('image_id', '=', imageId).execute()
    await db
      .deleteFrom('image_children')
      .where('repository_id', '=', image.repository_id)
      .where('parent_digest', '=', image.digest)
      .execute()
    await db.deleteFrom('images').where('id', '=', imageId).execute()
    await countImages(db, { repositoryId: image.repository_id, change: -1 })
  }

  async recordPulls(pulls: ReadonlyMap<number, Date>): Promise<void> {
    for (const [imageId, at] of pulls) await recordPull(this.#session.db, { imageId, at: at.getTime() })
  }
}

function toValues(image: Omit<Image, 'id'>): Insertable<ImagesTable> {
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
  }
}
