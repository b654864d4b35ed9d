import { accountRootArn } from '../../domain/arn.ts'
import { type Digest, digestAlgorithm } from '../../domain/digest.ts'
import { layerDigestMismatch } from '../../domain/errors.ts'
import { parseManifest, requiredBlobs, requiredChildren } from '../../domain/manifest.ts'
import type { Registry, RepositoryRef, Tag } from '../../domain/names.ts'
import { from, NOWHERE, type Principal, rootPrincipal } from '../../domain/principal.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Vault } from '../../domain/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import { RunningHash } from '../../lib/hash-stream.ts'
import type { BlobStore } from '../../stores/blobs.ts'
import type { LinkedBlob, MetadataReader, MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { PendingReplication } from '../../stores/replication.ts'
import type { PendingDeletion } from '../../stores/replication-deletions.ts'
import type { Access } from '../access/access.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { claimBlob } from '../images/blob-claims.ts'
import type { Images } from '../images/images.ts'
import type { PushTargets } from '../repositories/push-targets.ts'
import { getRepository } from '../repositories/repositories.ts'
import { stillGone } from './deletion-replication.ts'
import type { ReplicaDeletion } from './replica-deletion.ts'

/** How an image gets to another registry. */
export interface ReplicationRoute {
  /**
   * Copies the image with all that it lists, and the tags that it still carries. `steps.end` says that it is done, by which
   * tags it had to come without; it is called at most once, and undoes what it can by throwing. Not called: the image is
   * gone. Throws what keeps it from being copied.
   */
  copy(pending: PendingReplication, steps: CopySteps, signal: AbortSignal): Promise<void>
  /** Deletes there what is still gone here and came from here; `end` says that it is done. Throws what keeps it from being deleted. */
  remove(deletion: PendingDeletion, steps: RemovalSteps, signal: AbortSignal): Promise<void>
}

interface Steps {
  /** To be called before anything is changed that no transaction can undo. Throws when another process does this by now. */
  prove(): Promise<void>
}

export interface CopySteps extends Steps {
  end(tx: MetadataWriter, droppedTags: readonly Tag[]): Promise<void>
}

export interface RemovalSteps extends Steps {
  end(tx: MetadataWriter): Promise<void>
}

/** The tags were moved while the image was copied: it is to be copied again. */
export class TagsMoved extends Error {
  override readonly name = 'TagsMoved'
}

/** One image on its way, and the two ends of it. */
interface Journey {
  readonly principal: Principal
  readonly source: Repository
  readonly target: RepositoryRef
  readonly signal: AbortSignal
}

/** What copies inside the installation are made of. */
export interface LocalReplicationParts {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly vaults: Vaults
  readonly access: Access
  readonly pushTargets: PushTargets
  readonly images: Images
  readonly replicas: ReplicaDeletion
  readonly clock: Clock
}

/**
 * Copies images between the registries of this installation, as a push by the source's account that needs no more than to
 * replicate images. No byte moves unless the two repositories are encrypted differently.
 */
export class LocalReplication implements ReplicationRoute {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #access: Access
  readonly #pushTargets: PushTargets
  readonly #images: Images
  readonly #replicas: ReplicaDeletion
  readonly #clock: Clock

  constructor(parts: LocalReplicationParts) {
    this.#metadata = parts.metadata
    this.#blobs = parts.blobs
    this.#vaults = parts.vaults
    this.#access = parts.access
    this.#pushTargets = parts.pushTargets
    this.#images = parts.images
    this.#replicas = parts.replicas
    this.#clock = parts.clock
  }

  async copy(pending: PendingReplication, { end }: CopySteps, signal: AbortSignal): Promise<void> {
    const { ref, image, destination } = pending
    const principal = replicator(ref.registry)
    const target = { registry: destination, name: ref.name }
    await this.#access.authorize(principal, 'ecr:ReplicateImage', target)
    await this.#pushTargets.ensure(principal, target)
    const source = await getRepository(this.#metadata.view, ref)
    await this.#vaults.admit(source, 'Decrypt')
    await this.#copy({ principal, source, target, signal }, image.digest, pending, end)
  }

  async remove(deletion: PendingDeletion, { end }: RemovalSteps): Promise<void> {
    const { ref, destination, digest, tags } = deletion
    const target = { registry: destination, name: ref.name }
    await this.#replicas.delete(replicator(ref.registry), target, ref.registry, { digest, tags }, async (tx) => {
      await end(tx)
      return stillGone(tx, deletion)
    })
  }

  /** An index after what it lists. `root`: for the image itself, not for what it lists. */
  async #copy(journey: Journey, digest: Digest, root?: PendingReplication, end?: CopySteps['end']): Promise<void> {
    const { principal, source, target, signal } = journey
    signal.throwIfAborted()
    const found = (await this.#metadata.view.images.resolve(source, { digest }))?.found
    // Gone meanwhile; or an index that was accepted before what it lists.
    if (found === undefined) return
    const bytes = await this.#vaults.openManifest(found)
    const manifest = parseManifest(bytes, found.image.mediaType)
    for (const child of requiredChildren(manifest)) await this.#copyMissing(journey, child)
    await this.#copyBlobs(
      journey,
      requiredBlobs(manifest).map((blob) => blob.digest),
    )
    const tags = root === undefined ? [] : await carriedTags(this.#metadata.view, root)
    const push = { manifest: bytes, mediaType: found.image.mediaType, tags, digest }
    await this.#images.push(principal, target, push, async (tx, { droppedTags }) => {
      if (root === undefined) return
      const now = await carriedTags(tx, root)
      if (now.join() !== tags.join()) throw new TagsMoved('Tags were moved while their image was copied.')
      await end?.(tx, droppedTags)
    })
  }

  async #copyMissing(journey: Journey, digest: Digest): Promise<void> {
    const there = await this.#metadata.view.images.resolve(journey.target, { digest })
    if (there?.found?.image.status !== 'ACTIVE') await this.#copy(journey, digest)
  }

  async #copyBlobs(journey: Journey, digests: readonly Digest[]): Promise<void> {
    const { source, target, signal } = journey
    const { view } = this.#metadata
    const repository = await getRepository(view, target)
    const there = await view.blobs.findLinkedMany(repository.id, digests)
    const missing = digests.filter((digest) => !there.has(digest))
    if (missing.length === 0) return
    const held = await view.blobs.findLinkedMany(source.id, missing)
    const vault = this.#vaults.vaultOf(repository)
    const isShared = ({ vault: other }: LinkedBlob) => other === vault
    const blobs = [...held.values()]
    await this.#metadata.transact(async (tx) => {
      if ((await getRepository(tx, target)).id !== repository.id) return
      for (const blob of blobs.filter(isShared)) {
        // Looked at again: what was there may have gone.
        const still = await tx.blobs.findLinked(source.id, blob.digest)
        if (still !== undefined && isShared(still))
          await tx.blobs.link(repository.id, still, still.sizeBytes, this.#clock.now())
      }
    })
    for (const blob of blobs) {
      signal.throwIfAborted()
      if (!isShared(blob)) await this.#reencrypt(blob, repository, vault, signal)
    }
  }

  /** The same content in another vault; at most once, whoever asks for it. */
  async #reencrypt(blob: LinkedBlob, repository: Repository, vault: Vault, signal: AbortSignal): Promise<void> {
    await this.#vaults.admit(repository, 'GenerateDataKey')
    await this.#vaults.check(blob.vault)
    await this.#vaults.check(vault)
    const address = { vault, digest: blob.digest }
    await claimBlob(this.#metadata, address, this.#clock)
    if ((await this.#blobs.find(address)) === undefined) await this.#copyBytes(blob, vault, signal)
    await this.#metadata.transact(async (tx) => {
      if ((await getRepository(tx, repository)).id !== repository.id) return
      await tx.blobs.link(repository.id, address, blob.sizeBytes, this.#clock.now())
    })
  }

  async #copyBytes(blob: LinkedBlob, vault: Vault, signal: AbortSignal): Promise<void> {
    const body = await this.#blobs.read(blob)
    const hash = new RunningHash(digestAlgorithm(blob.digest))
    const key = await this.#blobs.startUpload(vault)
    try {
      const chunks = until(signal, body instanceof Blob ? body.stream() : body)
      await this.#blobs.append(key, 0, hash.through(chunks))
      if (hash.digest() !== blob.digest) throw layerDigestMismatch(blob.digest, hash.digest())
      await this.#blobs.commit(key, blob.digest)
    } catch (thrown) {
      await this.#blobs.abort(key)
      throw thrown
    }
  }
}

/** The account whose images are copied, as the destination's policies name it. */
function replicator(source: Registry): Principal {
  const principal = rootPrincipal(source.registryId, accountRootArn(source), '')
  return from(principal, { ...NOWHERE, replicatedFrom: source })
}

/** Those of the tags that were asked for which still lead to the image. */
export async function carriedTags(
  view: Pick<MetadataReader, 'images'>,
  { image, tags }: PendingReplication,
): Promise<readonly Tag[]> {
  const carried: Tag[] = []
  for (const tag of tags) if ((await view.images.find(image.repositoryId, { tag }))?.id === image.id) carried.push(tag)
  return carried
}

async function* until(signal: AbortSignal, chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  for await (const chunk of chunks) {
    signal.throwIfAborted()
    yield chunk
  }
}
