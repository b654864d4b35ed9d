import { type Digest, parseDigest } from '../../domain/digest.ts'
import { invalidParameter, isRegistryError } from '../../domain/errors.ts'
import type { Image, ImageFilter, ImageId, KeptManifest, ReferrerFilter, TaggedImage } from '../../domain/image.ts'
import { parseManifest } from '../../domain/manifest.ts'
import { parseTag, type RepositoryRef, type Tag } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ListedImage, ListedImageKey, MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { Activations } from './activations.ts'
import { getImage } from './get-image.ts'
import { imageFactsOf } from './image-facts.ts'
import type { PullTimes } from './pulls.ts'

/** Listings of what a repository holds, each in pages whose cost does not depend on their position. */
export class ImageLists {
  readonly #metadata: MetadataStore
  readonly #vaults: Vaults
  readonly #access: Access
  readonly #pulls: PullTimes
  readonly #activations: Activations

  constructor(metadata: MetadataStore, vaults: Vaults, access: Access, pulls: PullTimes, activations: Activations) {
    this.#metadata = metadata
    this.#vaults = vaults
    this.#access = access
    this.#pulls = pulls
    this.#activations = activations
  }

  /** Images by digest, one each, with their tags. Throws `repository-not-found`. */
  async describe(
    principal: Principal,
    ref: RepositoryRef,
    filter: ImageFilter,
    paging: Paging,
  ): Promise<PageOf<TaggedImage>> {
    await this.#access.authorize(principal, 'ecr:DescribeImages', ref)
    const after = digestAfter(paging)
    await this.#pulls.flush()
    await this.#activations.settle()
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.list(id, filter, { after, limit: paging.limit + 1 })
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
    await this.#activations.settle()
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const digests = new Set<Digest>()
      for (const imageId of imageIds) digests.add((await getImage(view, id, imageId, ref, 'imageIds')).digest)
      const found = new Map((await view.images.findMany(id, [...digests])).map((image) => [image.digest, image]))
      return [...digests].flatMap((digest) => found.get(digest) ?? [])
    })
  }

  /** One row for each tag, then one for each untagged image. Throws `repository-not-found`. */
  async listIds(
    principal: Principal,
    ref: RepositoryRef,
    filter: ImageFilter,
    paging: Paging,
  ): Promise<PageOf<ListedImage>> {
    await this.#access.authorize(principal, 'ecr:ListImages', ref)
    const after = listedAfter(paging)
    await this.#activations.settle()
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.listIds(id, filter, { after, limit: paging.limit + 1 })
      return pageOf(rows, paging.limit, ({ tag, digest }) => (tag === undefined ? `d${digest}` : `t${tag}`))
    })
  }

  /** Tags of active images in ascending order behind `after`, and whether more follow. Throws `repository-not-found`. */
  async listTags(
    principal: Principal,
    ref: RepositoryRef,
    after: Tag | undefined,
    limit: number,
  ): Promise<{ readonly tags: readonly Tag[]; readonly hasMore: boolean }> {
    await this.#access.authorize(principal, 'ecr:ListImages', ref)
    await this.#activations.settle()
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.listTags(id, { after, limit: limit + 1 })
      return { tags: rows.slice(0, limit), hasMore: rows.length > limit }
    })
  }

  /**
   * Images whose subject is `subject`; none for a subject nobody knows. Without `isEnough` one page; with it, page after
   * page, each read by itself, until it is content with what there is. Throws `repository-not-found`.
   */
  async listReferrers(
    principal: Principal,
    ref: RepositoryRef,
    subject: Digest,
    filter: ReferrerFilter,
    paging: Paging,
    isEnough: (images: readonly Image[]) => boolean = () => true,
  ): Promise<PageOf<Image>> {
    const images = () => imageFactsOf(this.#metadata.view, ref, [{ digest: subject }])
    await this.#access.authorize(principal, 'ecr:BatchGetImage', ref, { images })
    const items: Image[] = []
    let { token } = paging
    do {
      const page = await this.#referrersPage(ref, subject, filter, { ...paging, token })
      items.push(...page.items)
      token = page.nextToken
    } while (token !== undefined && !isEnough(items))
    return { items, nextToken: token }
  }

  async #referrersPage(
    ref: RepositoryRef,
    subject: Digest,
    filter: ReferrerFilter,
    paging: Paging,
  ): Promise<PageOf<Image>> {
    const after = digestAfter(paging)
    await this.#activations.settle()
    const { page, sealed } = await this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.images.listReferrers(id, subject, filter, { after, limit: paging.limit + 1 })
      const page = pageOf(rows, paging.limit, ({ digest }) => digest)
      return { page, sealed: await view.images.listSealed(page.items) }
    })
    if (sealed.length === 0) return page
    const annotations = new Map<number, Image['annotations']>()
    for (const kept of sealed) annotations.set(kept.image.id, await this.#annotationsOf(kept))
    return {
      ...page,
      items: page.items.map((image) => ({ ...image, annotations: image.annotations ?? annotations.get(image.id) })),
    }
  }

  /** Those of a sealed manifest; none while its key cannot be used, since a list shows what is there. */
  async #annotationsOf(kept: KeptManifest): Promise<Image['annotations']> {
    try {
      return parseManifest(await this.#vaults.openManifest(kept), kept.image.mediaType).annotations
    } catch (thrown) {
      if (isRegistryError(thrown, 'kms-key-unusable')) return undefined
      throw thrown
    }
  }
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
