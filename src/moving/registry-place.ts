import type { RegistryClient } from '../clients/registry.ts'
import { type Digest, digestAlgorithm, tryParseDigest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { companionTags, isCompanionTag } from './companions.ts'
import type { BlobWanted, ImageSource, ImageTarget, ManifestBytes, Root } from './places.ts'

/** What a registry is asked for beside OCI's own interface. */
export interface RegistryExtras {
  /** Every image of a repository; absent: its tags are all that can be listed. */
  readonly images?: (repository: string) => AsyncIterable<{ readonly tag?: string; readonly digest: Digest }>
  /** Makes a repository that is not there; absent: pushes have to. */
  readonly create?: (repository: string) => Promise<void>
  /** Which tags are wanted; then nothing without a tag is. */
  readonly wantsTag?: ((tag: string) => boolean) | undefined
}

const MOUNTS_MAX = 10_000

/** A registry, to copy from and to. */
export class RegistryPlace implements ImageSource, ImageTarget {
  readonly #client: RegistryClient
  readonly #extras: RegistryExtras
  /** In which repository a blob was put or found during this run. */
  readonly #holders = new Map<Digest, string>()
  readonly #underWay = new Map<string, Promise<boolean>>()
  /** Tags that were listed and not wanted, of the repository at hand. */
  readonly #companions = new Set<string>()

  constructor(client: RegistryClient, extras: RegistryExtras = {}) {
    this.#client = client
    this.#extras = extras
  }

  async *roots(repository: string): AsyncGenerator<Root, void, void> {
    const { images, wantsTag } = this.#extras
    this.#companions.clear()
    for await (const tag of this.#tags(repository))
      if (wantsTag?.(tag) ?? true) yield { tag }
      else if (isCompanionTag(tag)) this.#companions.add(tag)
    if (images === undefined || wantsTag !== undefined) return
    for await (const { tag, digest } of images(repository)) if (tag === undefined) yield { digest }
  }

  async digestOf(repository: string, tag: string): Promise<Digest> {
    const { digest } = await this.#client.headManifest(repository, tag)
    return digest ?? (await this.#client.getManifest(repository, tag)).digest
  }

  manifest(repository: string, digest: Digest): Promise<ManifestBytes> {
    return this.#client.getManifest(repository, digest)
  }

  async referrers(repository: string, digest: Digest): Promise<readonly Digest[]> {
    const descriptors = await this.#client.listReferrers(repository, digest)
    return descriptors.flatMap((one) => tryParseDigest(String(one.digest)) ?? [])
  }

  async *companions(_repository: string, digests: readonly Digest[]): AsyncGenerator<Root, void, void> {
    for (const tag of digests.flatMap(companionTags)) if (this.#companions.has(tag)) yield { tag }
  }

  /** The same without having listed the tags: each is asked for. */
  async *companionsByName(repository: string, digests: readonly Digest[]): AsyncGenerator<Root, void, void> {
    for (const tag of digests.flatMap(companionTags))
      if ((await this.#find(repository, tag)) !== undefined) yield { tag }
  }

  async *blob(repository: string, { digest, sizeBytes }: BlobWanted, from: number, hash: RunningHash) {
    yield* (await this.#client.openBlob(repository, digest, { from, hash, sizeBytes })).bytes()
  }

  async prepare(repository: string): Promise<void> {
    await this.#extras.create?.(repository)
  }

  /** A registry has everything that a manifest names before it takes it. */
  async whole(repository: string, digest: Digest): Promise<readonly Digest[] | undefined> {
    return (await this.#find(repository, digest)) === undefined ? undefined : [digest]
  }

  named(repository: string, tag: string): Promise<Digest | undefined> {
    return this.#find(repository, tag)
  }

  async hasBlob(repository: string, { digest }: BlobWanted): Promise<boolean> {
    return (await this.#client.findBlob(repository, digest)) !== undefined
  }

  /** Two images may want the same blob at the same time: it is brought once. */
  async putBlob(
    repository: string,
    wanted: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<boolean> {
    const name = `${repository}@${wanted.digest}`
    const underWay = this.#underWay.get(name)
    if (underWay !== undefined) {
      await underWay
      return false
    }
    const bringing = this.#bring(repository, wanted, read)
    this.#underWay.set(name, bringing)
    return await bringing.finally(() => this.#underWay.delete(name))
  }

  async #bring(
    repository: string,
    { digest, sizeBytes }: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<boolean> {
    const source = {
      sizeBytes,
      read: (from: number) => behind(read(0, new RunningHash(digestAlgorithm(digest))), from),
    }
    const holder = this.#holders.get(digest)
    const mountFrom = holder === repository ? undefined : holder
    const how = await this.#client.pushBlob(repository, digest, source, { mountFrom })
    if (this.#holders.size >= MOUNTS_MAX) this.#holders.clear()
    this.#holders.set(digest, repository)
    return how === 'uploaded'
  }

  async putManifest(repository: string, { digest, bytes, mediaType }: ManifestBytes & { readonly mediaType: string }) {
    await this.#client.putManifest(repository, digest, bytes, mediaType)
  }

  async name(
    repository: string,
    { bytes, mediaType }: ManifestBytes & { readonly mediaType: string },
    tag: string | undefined,
  ): Promise<void> {
    if (tag !== undefined) await this.#client.putManifest(repository, tag, bytes, mediaType)
  }

  async #find(repository: string, reference: string): Promise<Digest | undefined> {
    try {
      const { digest } = await this.#client.headManifest(repository, reference)
      return digest ?? (await this.#client.getManifest(repository, reference)).digest
    } catch (error) {
      if (isRegistryError(error, 'upstream-not-found')) return undefined
      throw error
    }
  }

  async *#tags(repository: string): AsyncGenerator<string, void, void> {
    let next: string | undefined
    do {
      const page = await this.#client.listTags(repository, next)
      yield* page.tags
      next = page.next
    } while (next !== undefined)
  }
}

/** What comes behind the first bytes. They are read again: what is sent anew is compared with the digest as a whole. */
async function* behind(body: AsyncIterable<Uint8Array>, from: number): AsyncGenerator<Uint8Array, void, void> {
  let skip = from
  for await (const chunk of body) {
    const rest = chunk.subarray(Math.min(skip, chunk.byteLength))
    skip -= chunk.byteLength - rest.byteLength
    if (rest.byteLength > 0) yield rest
  }
}
