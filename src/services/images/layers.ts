import { layerArchived } from '../../domain/archive-errors.ts'
import { type Digest, tryParseDigest } from '../../domain/digest.ts'
import {
  blobNotFound,
  isRegistryError,
  layerInaccessible,
  layerLocked,
  layerNotFound,
  repositoryNotFound,
  tokenInvalid,
  unsupported,
} from '../../domain/errors.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import { type Circumstances, from, NOWHERE, type Principal } from '../../domain/principal.ts'
import type { Repository } from '../../domain/repository.ts'
import { isSameEncryption, kmsKeyOf, PLAIN } from '../../domain/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import type { BlobBody, BlobStore, ByteRange } from '../../stores/blobs.ts'
import type { LinkedBlob, MetadataReader, MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { findSetting } from '../account-settings.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { Activations } from './activations.ts'
import type { Admission } from './admission.ts'
import type { DownloadTickets } from './download-urls.ts'

/** Whether a repository can use a layer, for one digest a caller asked about. */
export interface LayerAvailability {
  readonly digest: string
  /** `ARCHIVED`: only archived images need it. Absent: the text is no digest. */
  readonly state?: 'AVAILABLE' | 'UNAVAILABLE' | 'ARCHIVED' | undefined
  readonly sizeBytes?: number | undefined
  readonly mediaType?: string | undefined
}

/** What layers are reached through. */
export interface LayerParts {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly vaults: Vaults
  readonly access: Access
  readonly tickets: DownloadTickets
  readonly activations: Activations
  readonly admission: Admission
  readonly clock: Clock
}

export interface LayerRules {
  /** Whether mounts follow OCI's rules, and not ECR's. */
  readonly isMountOpen: boolean
}

/** Layers (and configs) as repositories see them: a blob is read only through a repository that links it. */
export class Layers {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #access: Access
  readonly #tickets: DownloadTickets
  readonly #activations: Activations
  readonly #admission: Admission
  readonly #clock: Clock
  /** Whether mounts follow OCI's rules, and not ECR's. */
  readonly #isMountOpen: boolean

  constructor(parts: LayerParts, { isMountOpen }: LayerRules) {
    this.#metadata = parts.metadata
    this.#blobs = parts.blobs
    this.#vaults = parts.vaults
    this.#access = parts.access
    this.#tickets = parts.tickets
    this.#activations = parts.activations
    this.#admission = parts.admission
    this.#clock = parts.clock
    this.#isMountOpen = isMountOpen
  }

  /**
   * The question before a push, so a layer that only archived images need is there too. Throws `repository-not-found`,
   * `blob-not-found`.
   */
  async stat(principal: Principal, ref: RepositoryRef, digest: Digest): Promise<LinkedBlob> {
    await this.#access.authorize(principal, 'ecr:BatchCheckLayerAvailability', ref)
    const found = await this.#metadata.view.blobs.resolve(ref, digest)
    if (found === undefined) throw repositoryNotFound(ref)
    const whole = await this.#whole(found.blob === undefined ? [] : [found.blob])
    const [blob] = await this.#promise(found.repository.id, whole)
    if (blob === undefined) throw blobNotFound(digest, ref)
    return blob
  }

  /** Size first, so that the caller can choose a range; then the bytes. Throws `repository-not-found`, `blob-not-found`, `layer-inaccessible` (archived). */
  async open(
    principal: Principal,
    ref: RepositoryRef,
    digest: Digest,
  ): Promise<{ readonly blob: LinkedBlob; read(range?: ByteRange): Promise<BlobBody> }> {
    await this.#access.authorize(principal, 'ecr:GetDownloadUrlForLayer', ref)
    return this.#readable(ref, await this.#pullable(principal, ref, digest))
  }

  /** The same for whoever holds a ticket of `ticketFor`, as long as who asked for it may still read the layer, from where the request comes. Throws `token-invalid`, `token-expired`, `blob-not-found`, `layer-inaccessible`. */
  async openByTicket(
    ticket: string,
    digest: Digest,
    circumstances: Circumstances = NOWHERE,
  ): Promise<{ readonly blob: LinkedBlob; read(range?: ByteRange): Promise<BlobBody> }> {
    const { principal: asker, ref, digest: ticketDigest } = await this.#tickets.verify(ticket)
    const principal = from(asker, circumstances)
    if (ticketDigest !== digest) throw blobNotFound(digest, ref)
    if (!(await this.#access.permits(principal, 'ecr:GetDownloadUrlForLayer', ref))) throw tokenInvalid()
    return this.#readable(ref, await this.#pullable(principal, ref, digest))
  }

  /** A ticket for a download URL. Throws `layer-not-found`, `layer-inaccessible` (no image needs it, only archived ones do, or its key cannot be used). */
  async ticketFor(principal: Principal, ref: RepositoryRef, digest: Digest): Promise<string> {
    await this.#access.authorize(principal, 'ecr:GetDownloadUrlForLayer', ref)
    const { repository, blob } = await this.#findReadable(ref, digest)
    if (blob === undefined) throw layerNotFound(digest, ref)
    await this.#admission.admitLayer(principal, repository, digest)
    if (blob.imageCount === 0) throw layerInaccessible(digest, ref)
    await this.#admit(ref, blob).catch((thrown: unknown) => {
      throw isRegistryError(thrown, 'kms-key-unusable') ? layerLocked(digest, ref, thrown.message) : thrown
    })
    return this.#tickets.issue({ principal, ref, digest })
  }

  /** One answer for each digest, in the order asked. Throws `repository-not-found`. */
  async availability(
    principal: Principal,
    ref: RepositoryRef,
    digests: readonly string[],
  ): Promise<readonly LayerAvailability[]> {
    await this.#access.authorize(principal, 'ecr:BatchCheckLayerAvailability', ref)
    await this.#activations.settle()
    const parsed = digests.map(tryParseDigest)
    const asked = [...new Set(parsed.filter((digest) => digest !== undefined))]
    const { id, linked } = await this.#metadata.read(async (view) => {
      const repository = await getRepository(view, ref)
      return { id: repository.id, linked: await view.blobs.findLinkedMany(repository.id, asked) }
    })
    const whole = await this.#whole([...linked.values()])
    const promised = new Map((await this.#promise(id, whole)).map((blob) => [blob.digest, blob]))
    return digests.map((text, index) => {
      const digest = parsed[index]
      if (digest === undefined) return { digest: text }
      const blob = promised.get(digest)
      if (blob === undefined) return { digest, state: 'UNAVAILABLE' }
      const state = isArchived(blob) ? 'ARCHIVED' : 'AVAILABLE'
      return { digest, state, sizeBytes: blob.sizeBytes, mediaType: blob.mediaType }
    })
  }

  /**
   * Makes a blob of another repository (of any of the registry's, when none is named) this one's too, without moving
   * bytes. False when that cannot be: the client then uploads it. Throws `repository-not-found` for the target only, and `throttled`.
   * An account that has put BLOB_MOUNTING has decided; where it has not, OCI's rules allow a mount, and ECR's do not.
   */
  async mount(
    principal: Principal,
    target: RepositoryRef,
    digest: Digest,
    source: RepositoryRef | undefined,
  ): Promise<boolean> {
    // Who may not push is refused by the upload that he is left with, which is then counted as the call.
    if (!(await this.#access.permits(principal, 'ecr:InitiateLayerUpload', target))) return false
    await this.#activations.settle()
    const found = await this.#metadata.read((view) => this.#mountable(view, target, digest, source))
    if (found === undefined || (await this.#whole([found.blob])).length === 0) return false
    // Whether a repository holds a layer is nobody's business who may not read it there.
    if (!(await this.#access.permits(principal, 'ecr:GetDownloadUrlForLayer', found.holder))) return false
    // Nor is it taken elsewhere when it may not be pulled here.
    if ((await this.#admission.layerRefusal(principal, found.holder, digest)) !== undefined) return false
    await this.#access.authorize(principal, 'ecr:InitiateLayerUpload', target)
    return this.#metadata.transact(async (tx) => {
      // Looked at again: what was there may have gone.
      const { blob } = (await this.#mountable(tx, target, digest, found.holder)) ?? {}
      if (blob === undefined) return false
      await tx.blobs.link((await getRepository(tx, target)).id, blob, blob.sizeBytes, this.#clock.now())
      return true
    })
  }

  /** Takes a layer out of the repository. Throws `blob-not-found`, and `unsupported` while an image needs it. */
  async delete(principal: Principal, ref: RepositoryRef, digest: Digest): Promise<void> {
    await this.#access.authorize(principal, 'ecr:BatchDeleteImage', ref)
    await this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      const blob = await tx.blobs.findLinked(id, digest)
      if (blob === undefined) throw blobNotFound(digest, ref)
      if (blob.imageCount > 0)
        throw unsupported(`The layer with digest '${digest}' cannot be deleted: ${blob.imageCount} images need it`)
      await tx.blobs.unlink(id, digest, this.#clock.now())
    })
  }

  /**
   * Those of the blobs that lie in the store as long as they should be. Records outlive bytes that a disk or a hand has lost: a
   * client that is told so brings them again.
   */
  async #whole(blobs: readonly LinkedBlob[]): Promise<readonly LinkedBlob[]> {
    const found = await Promise.all(blobs.map((blob) => this.#blobs.find(blob)))
    return blobs.filter(({ sizeBytes }, index) => found[index]?.sizeBytes === sizeBytes)
  }

  /**
   * Those of the blobs that a client may be told are there. Who hears that does not upload again, so the grace period of
   * one that no image needs yet starts anew; one that a sweep has taken meanwhile is not there.
   */
  async #promise(repositoryId: number, blobs: readonly LinkedBlob[]): Promise<readonly LinkedBlob[]> {
    if (blobs.every(({ imageCount }) => imageCount > 0)) return blobs
    const work = async (tx: MetadataWriter) => {
      const kept: LinkedBlob[] = []
      for (const blob of blobs) if (blob.imageCount > 0 || (await this.#keep(tx, repositoryId, blob))) kept.push(blob)
      return kept
    }
    return this.#metadata.transact(work, { durability: 'relaxed' })
  }

  async #keep(tx: MetadataWriter, repositoryId: number, { digest }: LinkedBlob): Promise<boolean> {
    const blob = await tx.blobs.findLinked(repositoryId, digest)
    if (blob === undefined) return false
    await tx.blobs.link(repositoryId, blob, blob.sizeBytes, this.#clock.now())
    return true
  }

  /** What the target may take over, whoever asks, and from where. Throws `repository-not-found` for the target only. */
  async #mountable(
    view: MetadataReader,
    target: RepositoryRef,
    digest: Digest,
    source: RepositoryRef | undefined,
  ): Promise<{ readonly holder: Repository; readonly blob: LinkedBlob } | undefined> {
    const { encryption } = await getRepository(view, target)
    const setting = await findSetting(view, target.registry, 'BLOB_MOUNTING')
    if (setting === 'DISABLED' || (setting === undefined && !this.#isMountOpen)) return undefined
    // ECR mounts from where it is told only, and what a pushed image of that repository needs.
    if (source === undefined && !this.#isMountOpen) return undefined
    const found =
      source === undefined
        ? await view.blobs.findHolder(target.registry, digest, encryption)
        : await view.blobs.resolve(source, digest)
    if (found?.blob === undefined || isArchived(found.blob)) return undefined
    const { repository: holder, blob } = found
    if (!this.#isMountOpen && blob.imageCount === 0) return undefined
    // What one key encrypts is not to be read by another.
    return isSameEncryption(holder.encryption, encryption) ? { holder, blob } : undefined
  }

  async #pullable(principal: Principal, ref: RepositoryRef, digest: Digest): Promise<LinkedBlob> {
    const { repository, blob } = await this.#findReadable(ref, digest)
    if (blob === undefined) throw blobNotFound(digest, ref)
    await this.#admission.admitLayer(principal, repository, digest)
    // What was cut off would look like a whole answer.
    if ((await this.#whole([blob])).length === 0) throw blobNotFound(digest, ref)
    return blob
  }

  /** Throws `layer-inaccessible` for an archived layer; one that has just been restored is not. */
  async #findReadable(
    ref: RepositoryRef,
    digest: Digest,
  ): Promise<{ readonly repository: Repository; readonly blob: LinkedBlob | undefined }> {
    const found = await this.#metadata.view.blobs.resolve(ref, digest)
    if (found === undefined) throw repositoryNotFound(ref)
    const { repository, blob } = found
    if (blob === undefined || !isArchived(blob)) return found
    await this.#activations.settle()
    const settled = await this.#metadata.view.blobs.findLinked(repository.id, digest)
    if (settled !== undefined && isArchived(settled)) throw layerArchived(digest, ref)
    return { repository, blob: settled }
  }

  /** Throws `kms-key-unusable` when what encrypts the layer is not this repository's to read now. */
  async #admit(ref: RepositoryRef, { vault }: LinkedBlob): Promise<void> {
    if (kmsKeyOf(vault) !== undefined)
      await this.#vaults.admit(await getRepository(this.#metadata.view, ref), 'Decrypt')
    await this.#vaults.check(vault)
  }

  async #readable(ref: RepositoryRef, blob: LinkedBlob) {
    if (blob.vault !== PLAIN) await this.#admit(ref, blob)
    return { blob, read: (range?: ByteRange) => this.#blobs.read(blob, range) }
  }
}

/** Images need it, and all of them are archived. */
function isArchived({ imageCount, archivedImageCount }: LinkedBlob): boolean {
  return imageCount > 0 && archivedImageCount === imageCount
}
