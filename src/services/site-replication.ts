import type { Digest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import { parseManifest, requiredBlobs, requiredChildren } from '../domain/manifest.ts'
import type { Registry, Tag } from '../domain/names.ts'
import type { Repository } from '../domain/repository.ts'
import type { BlobStore } from '../stores/blobs.ts'
import type { LinkedBlob, MetadataStore } from '../stores/metadata.ts'
import type { PendingReplication } from '../stores/replication.ts'
import { carriedTags, type EndReplication, type ReplicationRoute, TagsMoved } from './local-replication.ts'
import { getRepository } from './repositories.ts'
import type { Vaults } from './vaults.ts'

/** A manifest on its way. */
export interface SentManifest {
  readonly digest: Digest
  readonly bytes: Uint8Array
  readonly mediaType: string
}

/** Another registry, as far as copies go there. Every method throws one of the codes `upstream-…`. */
export interface ReplicationSiteClient {
  /** Whether one push sets several tags, and drops those that are immutable and taken. */
  readonly knowsReplication: boolean
  /** Nothing moves if it is there. */
  pushBlob(
    repository: string,
    digest: Digest,
    source: { readonly sizeBytes: number; read(from: number): AsyncIterable<Uint8Array> },
    signal: AbortSignal,
  ): Promise<void>
  /** Under its digest or a tag. Answers the tags that were dropped; throws unless the other side says that it has this very digest. */
  putManifest(repository: string, reference: string, manifest: SentManifest): Promise<readonly Tag[]>
}

/**
 * Copies images to registries elsewhere, over the OCI interface: layers as streams that are taken up where they broke,
 * then the manifest with its tags. What has arrived stays, so that an attempt goes on where the last one ended.
 */
export class SiteReplication implements ReplicationRoute {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #connect: (source: Registry) => Promise<ReplicationSiteClient>

  constructor(
    metadata: MetadataStore,
    blobs: BlobStore,
    vaults: Vaults,
    connect: (source: Registry) => Promise<ReplicationSiteClient>,
  ) {
    this.#metadata = metadata
    this.#blobs = blobs
    this.#vaults = vaults
    this.#connect = connect
  }

  async copy(pending: PendingReplication, end: EndReplication, signal: AbortSignal): Promise<void> {
    const { ref, image } = pending
    const source = await getRepository(this.#metadata.view, ref)
    await this.#vaults.admit(source, 'Decrypt')
    const client = await this.#connect(ref.registry)
    const manifest = await this.#prepare(client, source, image.digest, signal)
    if (manifest === undefined) return
    const tags = await carriedTags(this.#metadata.view, pending)
    const dropped = await this.#put(client, source.name, tags, manifest)
    await this.#metadata.transact(async (tx) => {
      if ((await carriedTags(tx, pending)).join() !== tags.join())
        throw new TagsMoved('Tags were moved while their image was copied.')
      await end(tx, dropped)
    })
  }

  /** Brings everything there that the manifest names; answers it, unless it is gone. */
  async #prepare(
    client: ReplicationSiteClient,
    source: Repository,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<SentManifest | undefined> {
    signal.throwIfAborted()
    const found = (await this.#metadata.view.images.resolve(source, { digest }))?.found
    if (found === undefined) return undefined
    const { mediaType } = found.image
    const bytes = await this.#vaults.openManifest(found)
    const manifest = parseManifest(bytes, mediaType)
    for (const child of requiredChildren(manifest)) {
      const prepared = await this.#prepare(client, source, child, signal)
      if (prepared !== undefined) await client.putManifest(source.name, child, prepared)
    }
    const digests = requiredBlobs(manifest).map((blob) => blob.digest)
    const held = await this.#metadata.view.blobs.findLinkedMany(source.id, digests)
    for (const blob of held.values()) {
      await this.#vaults.check(blob.vault)
      await client.pushBlob(source.name, blob.digest, this.#sourceOf(blob), signal)
    }
    return { digest, bytes, mediaType }
  }

  #sourceOf(blob: LinkedBlob) {
    const { sizeBytes } = blob
    const open = (from: number) => this.#blobs.read(blob, from === 0 ? undefined : { first: from, last: sizeBytes - 1 })
    return {
      sizeBytes,
      async *read(from: number): AsyncIterable<Uint8Array> {
        if (from >= sizeBytes) return
        const body = await open(from)
        yield* body instanceof Blob ? body.stream() : body
      },
    }
  }

  async #put(
    client: ReplicationSiteClient,
    name: string,
    tags: readonly Tag[],
    manifest: SentManifest,
  ): Promise<readonly Tag[]> {
    const { digest } = manifest
    if (client.knowsReplication) {
      const query = tags.map((tag) => `tag=${tag}`).join('&')
      return client.putManifest(name, query === '' ? digest : `${digest}?${query}`, manifest)
    }
    await client.putManifest(name, digest, manifest)
    const dropped: Tag[] = []
    for (const tag of tags)
      try {
        await client.putManifest(name, tag, manifest)
      } catch (error) {
        // The image itself was taken: what is refused is the tag.
        if (!isRegistryError(error, 'upstream-wrong')) throw error
        dropped.push(tag)
      }
    return dropped
  }
}
