import { type Digest, parseDigest } from '../domain/digest.ts'
import { imageNotFound, invalidParameter } from '../domain/errors.ts'
import type { Image, ImageId, TaggedImage, TagStatus } from '../domain/image.ts'
import { parseTag, type RepositoryRef, type Tag } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { ListedImage, ListedImageKey, MetadataReader, MetadataStore } from '../stores/metadata.ts'
import type { Access } from './access.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from './paging.ts'
import type { PullTimes } from './pulls.ts'
import { getRepository } from './repositories.ts'

/** Listings of what a repository holds, each in pages whose cost does not depend on their position. */
export class ImageLists {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #pulls: PullTimes

  constructor(metadata: MetadataStore, access: Access, pulls: PullTimes) {
    this.#metadata = metadata
    this.#access = access
    this.#pulls = pulls
  }

  /** Images by digest, one each, with their tags. Throws `repository-not-found`. */
  async describe(
    principal: Principal,
    ref: RepositoryRef,
    tagStatus: TagStatus,
    paging: Paging,
  ): Promise<PageOf<TaggedImage>> {
    await this.#access.authorize(principal, 'ecr:DescribeImages', ref)
    const after = digestAfter(paging)
    await this.#pulls.flush()
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.list(id, tagStatus, { after, limit: paging.limit + 1 })
      return pageOf(rows, paging.limit, ({ digest }) => digest)
    })
  }

  /** The images asked for, each once, in the order asked. Throws `image-not-found` for the first that is missing. */
  async describeMany(
    principal: Principal,
    ref: RepositoryRef,
    imageIds: readonly ImageId[],
  ): Promise<readonly TaggedImage[]> {
    await this.#access.authorize(principal, 'ecr:DescribeImages', ref)
    await this.#pulls.flush()
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const digests = new Set<Digest>()
      for (const imageId of imageIds) digests.add((await getByImageId(view, id, imageId, ref)).digest)
      const found = new Map((await view.images.findMany(id, [...digests])).map((image) => [image.digest, image]))
      return [...digests].flatMap((digest) => found.get(digest) ?? [])
    })
  }

  /** One row for each tag, then one for each untagged image. Throws `repository-not-found`. */
  async listIds(
    principal: Principal,
    ref: RepositoryRef,
    tagStatus: TagStatus,
    paging: Paging,
  ): Promise<PageOf<ListedImage>> {
    await this.#access.authorize(principal, 'ecr:ListImages', ref)
    const after = listedAfter(paging)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.listIds(id, tagStatus, { after, limit: paging.limit + 1 })
      return pageOf(rows, paging.limit, ({ tag, digest }) => (tag === undefined ? `d${digest}` : `t${tag}`))
    })
  }

  /** Tags in ascending order behind `after`, and whether more follow. Throws `repository-not-found`. */
  async listTags(
    principal: Principal,
    ref: RepositoryRef,
    after: Tag | undefined,
    limit: number,
  ): Promise<{ readonly tags: readonly Tag[]; readonly hasMore: boolean }> {
    await this.#access.authorize(principal, 'ecr:ListImages', ref)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.listTags(id, { after, limit: limit + 1 })
      return { tags: rows.slice(0, limit), hasMore: rows.length > limit }
    })
  }

  /** Images whose subject is `subject`; none for a subject nobody knows. Throws `repository-not-found`. */
  async listReferrers(
    principal: Principal,
    ref: RepositoryRef,
    subject: Digest,
    filter: { readonly artifactType?: string | undefined },
    paging: Paging,
  ): Promise<PageOf<Image>> {
    await this.#access.authorize(principal, 'ecr:BatchGetImage', ref)
    const after = digestAfter(paging)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.listReferrers(id, subject, filter, { after, limit: paging.limit + 1 })
      return pageOf(rows, paging.limit, ({ digest }) => digest)
    })
  }
}

/** Both halves must agree when both are given. Throws `image-not-found`. */
async function getByImageId(
  view: MetadataReader,
  repositoryId: number,
  imageId: ImageId,
  ref: RepositoryRef,
): Promise<Image> {
  const { digest, tag } = imageId
  const reference = tag === undefined ? digest && { digest } : { tag }
  if (reference === undefined)
    throw invalidParameter('imageIds', 'Invalid request parameters: both tag and digest cannot be null')
  const image = await view.images.find(repositoryId, reference)
  if (image === undefined || (digest !== undefined && image.digest !== digest)) throw imageNotFound(imageId, ref)
  return image
}

function digestAfter(paging: Paging): Digest | undefined {
  const after = pageAfter(paging)
  return after === undefined ? undefined : fromToken(() => parseDigest(after))
}

function listedAfter(paging: Paging): ListedImageKey | undefined {
  const after = pageAfter(paging)
  if (after === undefined) return undefined
  const key = after.slice(1)
  return fromToken(() => (after.startsWith('t') ? { tag: parseTag(key) } : { untagged: parseDigest(key) }))
}

/** A token may be well-formed and yet not be ours: one error for both. */
function fromToken<T>(parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw invalidParameter('nextToken', 'Invalid pagination token', { cause })
  }
}
