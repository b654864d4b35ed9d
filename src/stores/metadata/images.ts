import type { Digest } from '../../domain/digest.ts'
import type {
  Image,
  ImageFilter,
  ImageReference,
  ImageStatus,
  KeptManifest,
  NewImage,
  ReferrerFilter,
  TaggedImage,
} from '../../domain/image.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import { PLAIN, type Vault } from '../../domain/vault.ts'
import type { ImageWriter, ListedImage, ListedImageKey, Page, Resolved } from '../metadata.ts'
import { childrenOf, livingParentsOf, parentsOf } from './image-family.ts'
import { findImages, listImageIds, listImages, listTags } from './image-lists.ts'
import { deleteImage, insertImage } from './image-records.ts'
import { listReferrers } from './image-referrers.ts'
import { resolveByDigest, resolveByTag } from './image-resolve.ts'
import { imageColumns, toImage } from './image-rows.ts'
import { activateDue, isActivationDue, listActivationsDue, setImageStatus } from './image-status.ts'
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

const needing = prepared((db, p: { repositoryId: number; digest: string; after: number; limit: number }) =>
  db
    .selectFrom('image_blobs as n')
    .innerJoin('images', 'images.id', 'n.image_id')
    .select(imageColumns.map((column) => `images.${column}` as const))
    .where('n.repository_id', '=', p.repositoryId)
    .where('n.digest', '=', p.digest)
    .where('n.image_id', '>', p.after)
    .orderBy('n.image_id')
    .limit(p.limit),
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

  async listSealed(images: readonly Image[]): Promise<readonly KeptManifest[]> {
    const sealed: KeptManifest[] = []
    const byId = new Map(images.map((image) => [image.id, image]))
    for (const ids of paddedLists([...byId.keys()])) {
      const rows = await this.#session.db
        .selectFrom('image_manifests')
        .select(['image_id', 'body', 'vault'])
        .where('image_id', 'in', ids)
        .where('vault', '!=', PLAIN)
        .execute()
      for (const { image_id, body, vault } of rows) {
        const image = byId.get(image_id)
        if (image !== undefined) sealed.push({ image, body, vault: vault as Vault })
      }
    }
    return sealed
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

  list(repositoryId: number, filter: ImageFilter, page: Page<Digest>): Promise<readonly TaggedImage[]> {
    return this.#session.atOnce((db) => listImages(db, repositoryId, filter, page))
  }

  listIds(repositoryId: number, filter: ImageFilter, page: Page<ListedImageKey>): Promise<readonly ListedImage[]> {
    return this.#session.atOnce((db) => listImageIds(db, repositoryId, filter, page))
  }

  listTags(repositoryId: number, page: Page<Tag>): Promise<readonly Tag[]> {
    return listTags(this.#session.db, repositoryId, page)
  }

  listReferrers(
    repositoryId: number,
    subject: Digest,
    filter: ReferrerFilter,
    page: Page<Digest>,
  ): Promise<readonly Image[]> {
    return listReferrers(this.#session.db, repositoryId, subject, filter, page)
  }

  parentsOf(repositoryId: number, child: Digest, limit: number): Promise<readonly Digest[]> {
    return parentsOf(this.#session.db, repositoryId, child, limit)
  }

  livingParentsOf(repositoryId: number, child: Digest, limit: number): Promise<readonly Digest[]> {
    return livingParentsOf(this.#session.db, repositoryId, child, limit)
  }

  childrenOf(repositoryId: number, parent: Digest): Promise<readonly Image[]> {
    return childrenOf(this.#session.db, repositoryId, parent)
  }

  isActivationDue(at: Date): Promise<boolean> {
    return isActivationDue(this.#session.db, at.getTime())
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

  async listNeeding(
    repositoryId: number,
    digest: Digest,
    { after = 0, limit }: Page<number>,
  ): Promise<readonly Image[]> {
    const { rows } = await needing(this.#session.db, { repositoryId, digest, after, limit })
    return rows.map(toImage)
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

  setStatus(imageId: number, status: ImageStatus, at: Date): Promise<void> {
    return setImageStatus(this.#session.db, imageId, status, at.getTime())
  }

  listActivationsDue(at: Date, limit: number) {
    return listActivationsDue(this.#session.db, at.getTime(), limit)
  }

  activateDue(at: Date, limit: number): Promise<number> {
    return activateDue(this.#session.db, at.getTime(), limit)
  }

  async recordPulls(pulls: ReadonlyMap<number, Date>): Promise<void> {
    for (const [imageId, at] of pulls) await recordPull(this.#session.db, { imageId, at: at.getTime() })
  }
}
