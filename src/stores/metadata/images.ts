import type { Digest } from '../../domain/digest.ts'
import type { Image, ImageReference, NewImage, TaggedImage, TagStatus } from '../../domain/image.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import type { ImageWriter, ListedImage, ListedImageKey, Page, Resolved } from '../metadata.ts'
import { findImages, listImageIds, listImages, listReferrers, listTags } from './image-lists.ts'
import { deleteImage, insertImage } from './image-records.ts'
import { resolveByDigest, resolveByTag } from './image-resolve.ts'
import { imageColumns, toImage } from './image-rows.ts'
import { deleteTag, putTag } from './image-tags.ts'
import { paddedLists } from './parameter-lists.ts'
import { prepared } from './prepared.ts'
import { refValues } from './repositories.ts'
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

  insert(image: NewImage): Promise<Image> {
    return insertImage(this.#session.db, image)
  }

  putTag(repositoryId: number, tag: Tag, imageId: number, at: Date): Promise<void> {
    return putTag(this.#session.db, { repositoryId, tag, imageId, at: at.getTime() })
  }

  deleteTag(repositoryId: number, tag: Tag): Promise<void> {
    return deleteTag(this.#session.db, { repositoryId, tag })
  }

  delete(imageId: number, at: Date): Promise<void> {
    return deleteImage(this.#session.db, imageId, at.getTime())
  }

  async recordPulls(pulls: ReadonlyMap<number, Date>): Promise<void> {
    for (const [imageId, at] of pulls) await recordPull(this.#session.db, { imageId, at: at.getTime() })
  }
}
