import type { Digest } from '../../domain/digest.ts'
import { isRegistryError } from '../../domain/errors.ts'
import { parseManifest, requiredBlobs, requiredChildren } from '../../domain/manifest.ts'
import type { Registry, Tag } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { BlobStore } from '../../stores/blobs.ts'
import type { LinkedBlob, MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { PendingReplication } from '../../stores/replication.ts'
import type { PendingDeletion } from '../../stores/replication-deletions.ts'
import type { ReplicationUpload } from '../../stores/replication-uploads.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { getRepository } from '../repositories/repositories.ts'
import { stillGone } from './deletion-replication.ts'
import {
  type CopySteps,
  carriedTags,
  type RemovalSteps,
  type ReplicationRoute,
  TagsMoved,
} from './local-replication.ts'

/** A manifest on its way. */
export interface SentManifest {
  readonly digest: Digest
  readonly bytes: Uint8Array
  readonly mediaType: string
}

/** Where a transfer can be taken up that an earlier attempt began. */
export interface UploadNotes {
  /** The other side's own name for the upload. */
  find(): Promise<string | undefined>
  keep(location: string): Promise<void>
  forget(): Promise<void>
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
    notes: UploadNotes,
    signal: AbortSignal,
  ): Promise<void>
  /** Under its digest or a tag. Answers the tags that were dropped; throws unless the other side says that it has this very digest. */
  putManifest(
    repository: string,
    reference: string,
    manifest: SentManifest,
    signal: AbortSignal,
  ): Promise<readonly Tag[]>
  /** A tag, or an image with its tags. Absent is fine. */
  deleteManifest(repository: string, reference: string, signal: AbortSignal): Promise<void>
}

/** Between the two ends of a copy. */
interface Way {
  readonly client: ReplicationSiteClient
  readonly source: Repository
  readonly destination: Registry
  readonly signal: AbortSignal
}

/** `signal` fires when the process ends. */
type Connect = (source: Registry, signal: AbortSignal) => Promise<ReplicationSiteClient>

/**
 * Copies images to registries elsewhere, over the OCI interface: layers as streams that are taken up where they broke,
 * then the manifest with its tags. What has arrived stays, so that an attempt goes on where the last one ended.
 */
export class SiteReplication implements ReplicationRoute {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #connect: Connect
  readonly #clock: Clock

  constructor(metadata: MetadataStore, blobs: BlobStore, vaults: Vaults, connect: Connect, clock: Clock) {
    this.#metadata = metadata
    this.#blobs = blobs
    this.#vaults = vaults
    this.#connect = connect
    this.#clock = clock
  }

  async copy(pending: PendingReplication, { prove, end }: CopySteps, signal: AbortSignal): Promise<void> {
    const { ref, image, destination } = pending
    const source = await getRepository(this.#metadata.view, ref)
    await this.#vaults.admit(source, 'Decrypt')
    const client = await this.#connect(ref.registry, signal)
    const manifest = await this.#prepare({ client, source, destination, signal }, image.digest)
    if (manifest === undefined) return
    await prove()
    const tags = await carriedTags(this.#metadata.view, pending)
    const dropped = await this.#put(client, source.name, tags, manifest, signal)
    await this.#metadata.transact(async (tx) => {
      if ((await carriedTags(tx, pending)).join() !== tags.join())
        throw new TagsMoved('Tags were moved while their image was copied.')
      await end(tx, dropped)
    })
  }

  /** ECR could not tell what came from here, so nothing is deleted there. */
  async remove(deletion: PendingDeletion, { prove, end }: RemovalSteps, signal: AbortSignal): Promise<void> {
    const { ref } = deletion
    const client = await this.#connect(ref.registry, signal)
    if (client.knowsReplication) {
      await prove()
      const { digest, tags } = await stillGone(this.#metadata.view, deletion)
      for (const tag of tags) await client.deleteManifest(ref.name, tag, signal)
      if (digest !== undefined) await client.deleteManifest(ref.name, digest, signal)
    }
    await this.#metadata.transact((tx) => end(tx))
  }

  /** Brings everything there that the manifest names; answers it, unless it is gone. */
  async #prepare(way: Way, digest: Digest): Promise<SentManifest | undefined> {
    const { client, source, destination, signal } = way
    signal.throwIfAborted()
    const found = (await this.#metadata.view.images.resolve(source, { digest }))?.found
    if (found === undefined) return undefined
    const { mediaType } = found.image
    const bytes = await this.#vaults.openManifest(found)
    const manifest = parseManifest(bytes, mediaType)
    for (const child of requiredChildren(manifest)) {
      const prepared = await this.#prepare(way, child)
      if (prepared !== undefined) await client.putManifest(source.name, child, prepared, signal)
    }
    const digests = requiredBlobs(manifest).map((blob) => blob.digest)
    const held = await this.#metadata.view.blobs.findLinkedMany(source.id, digests)
    for (const blob of held.values()) {
      await this.#vaults.check(blob.vault)
      const notes = this.#notesOf({ ref: source, destination, digest: blob.digest })
      await client.pushBlob(source.name, blob.digest, this.#sourceOf(blob), notes, signal)
    }
    return { digest, bytes, mediaType }
  }

  #notesOf(upload: ReplicationUpload): UploadNotes {
    const note = (work: (tx: MetadataWriter) => Promise<void>) =>
      this.#metadata.transact(work, { durability: 'relaxed' })
    return {
      find: () => this.#metadata.view.replicationUploads.find(upload),
      keep: (location) => note((tx) => tx.replicationUploads.put(upload, location, this.#clock.now())),
      forget: () => note((tx) => tx.replicationUploads.delete(upload)),
    }
  }

  #sourceOf(blob: LinkedBlob) {
    const { sizeBytes } = blob
    const open = (from: number) => this.#blobs.read(blob, from === 0 ? undefined : { first: from, last: sizeBytes - 1 })
    return {
      sizeBytes,
      async *read(from: number): AsyncIterable<Uint8Array> {
        if (from >= sizeBytes) return
        const body = await open(from)
        if (body instanceof Blob) yield* freed(body.stream())
        else yield* body
      },
    }
  }

  async #put(
    client: ReplicationSiteClient,
    name: string,
    tags: readonly Tag[],
    manifest: SentManifest,
    signal: AbortSignal,
  ): Promise<readonly Tag[]> {
    const { digest } = manifest
    if (client.knowsReplication) {
      const query = tags.map((tag) => `tag=${tag}`).join('&')
      return client.putManifest(name, query === '' ? digest : `${digest}?${query}`, manifest, signal)
    }
    await client.putManifest(name, digest, manifest, signal)
    const dropped: Tag[] = []
    for (const tag of tags)
      try {
        await client.putManifest(name, tag, manifest, signal)
      } catch (error) {
        // The image itself was taken: what is refused is the tag.
        if (!isRegistryError(error, 'upstream-wrong')) throw error
        dropped.push(tag)
      }
    return dropped
  }
}

/** Gives back the memory of each chunk as soon as the next is asked for: the collector would let tens of megabytes pile up. */
async function* freed(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    yield chunk
    if (chunk.buffer instanceof ArrayBuffer) chunk.buffer.transfer(0)
  }
}
