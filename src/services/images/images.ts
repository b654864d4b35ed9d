import { createHash } from 'node:crypto'
import { imageArchived } from '../../domain/archive-errors.ts'
import { type Digest, digestAlgorithm, parseDigest } from '../../domain/digest.ts'
import {
  imageDigestMismatch,
  imageLimitExceeded,
  imageNotFound,
  imageTagLimitExceeded,
  layersNotFound,
  manifestInvalid,
  referencedImagesNotFound,
  repositoryNotFound,
  tagImmutable,
} from '../../domain/errors.ts'
import type { Image, ImageReference, KeptManifest, NewImage, StoredManifest } from '../../domain/image.ts'
import { isActiveAt } from '../../domain/image-status.ts'
import {
  contentSizeBytes,
  type Manifest,
  parseManifest,
  referrerArtifactType,
  requiredBlobs,
  requiredChildren,
} from '../../domain/manifest.ts'
import { isTagImmutable } from '../../domain/mutability.ts'
import type { Registry, RepositoryRef, Tag } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { Repository } from '../../domain/repository.ts'
import { PLAIN, type Vault } from '../../domain/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { AdvisoryPushes } from '../advisories/advisory-pushes.ts'
import type { Vaults } from '../encryption/vaults.ts'
import type { PushReplication } from '../replication/push-replication.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { PushScanning } from '../scanning/push-scanning.ts'
import type { PushSigning } from '../signing/push-signing.ts'
import type { Admission } from './admission.ts'
import { tellPush, tellReplicated, tellRestored } from './image-events.ts'
import { imageFactsOf } from './image-facts.ts'
import { restoreFamily } from './image-family.ts'
import type { PullTimes } from './pulls.ts'

/** A manifest as it arrives, by PutImage or by `PUT manifests/…`. */
export interface ManifestPush {
  readonly manifest: Uint8Array
  readonly mediaType?: string | undefined
  /** The tags it is to carry; none for a push by digest. */
  readonly tags: readonly Tag[]
  /** What the pusher takes its digest to be; also chooses the algorithm (sha256 otherwise). */
  readonly digest?: Digest | undefined
}

export interface PushedImage {
  readonly image: Image
  /** False: the repository held this image under these tags before, and nothing has changed. */
  readonly isChanged: boolean
  /** Tags without which an image from another registry came, since they are immutable and taken. */
  readonly droppedTags: readonly Tag[]
}

/** What pushes and pulls go through. */
export interface ImageParts {
  readonly metadata: MetadataStore
  readonly vaults: Vaults
  readonly access: Access
  readonly clock: Clock
  readonly pulls: PullTimes
  readonly admission: Admission
}

/** What follows a push: the first three in its transaction, the last once it is committed. */
export interface PushFollowers {
  readonly signing: PushSigning
  readonly scanning: PushScanning
  readonly replication: PushReplication
  readonly onPush?: (ref: RepositoryRef) => void
  /** Where a push of advisories is their import. */
  readonly advisories?: AdvisoryPushes
}

export interface ImageRules {
  readonly quotas: Quotas
  /** Of public repositories; the same when absent. */
  readonly publicQuotas?: Quotas
  /** Whether an image may be pushed before (or without) what it refers to: OCI's option, which ECR does not take. */
  readonly isSparseAccepted?: boolean
  /** Whether an image without layers is refused, as ECR does. */
  readonly areLayersWanted?: boolean
}

/** Images: pushed and pulled. Both interfaces meet here, so both follow the same rules. */
export class Images {
  readonly #metadata: MetadataStore
  readonly #vaults: Vaults
  readonly #access: Access
  readonly #clock: Clock
  readonly #quotas: Quotas
  readonly #publicQuotas: Quotas
  readonly #pulls: PullTimes
  readonly #admission: Admission
  readonly #signing: PushSigning
  readonly #scanning: PushScanning
  readonly #replication: PushReplication
  readonly #isSparseAccepted: boolean
  readonly #areLayersWanted: boolean
  readonly #onPush: (ref: RepositoryRef) => void
  readonly #advisories: AdvisoryPushes | undefined

  constructor(parts: ImageParts, followers: PushFollowers, rules: ImageRules) {
    this.#metadata = parts.metadata
    this.#vaults = parts.vaults
    this.#access = parts.access
    this.#clock = parts.clock
    this.#pulls = parts.pulls
    this.#admission = parts.admission
    this.#signing = followers.signing
    this.#scanning = followers.scanning
    this.#replication = followers.replication
    this.#onPush = followers.onPush ?? (() => undefined)
    this.#advisories = followers.advisories
    this.#quotas = rules.quotas
    this.#publicQuotas = rules.publicQuotas ?? rules.quotas
    this.#isSparseAccepted = rules.isSparseAccepted ?? false
    this.#areLayersWanted = rules.areLayersWanted ?? false
  }

  /**
   * Stores the image and moves its tags, in one transaction; durable once answered. The order of checks is ECR's: the
   * document, its digest, the blobs it needs, the manifests it lists, the tags, the quotas. Throws `manifest-invalid`,
   * `image-digest-mismatch`, `layers-not-found`, `referenced-images-not-found`, `tag-immutable`, `limit-exceeded`,
   * `kms-key-unusable`. What is archived of the image and of what it lists is restored at once. `alongside` runs in the same transaction.
   * An image that comes from another registry is not refused for an immutable tag, but comes without it; it goes no further, and is not signed.
   */
  async push(
    principal: Principal,
    ref: RepositoryRef,
    push: ManifestPush,
    alongside: (tx: MetadataWriter, pushed: PushedImage) => Promise<void> = async () => undefined,
  ): Promise<PushedImage> {
    const images = async () => [{ tags: push.tags, digest: digestOf(push.manifest, push.digest) }]
    await this.#access.authorize(principal, 'ecr:PutImage', ref, { images })
    return this.#store(principal, ref, push, alongside)
  }

  /** Stores what the registry brings here by itself, for whoever was let ask for it: nobody's push, so nobody signs it. Throws as `push`. */
  async import(
    ref: RepositoryRef,
    push: ManifestPush,
    alongside: (tx: MetadataWriter, image: Image) => Promise<void>,
  ): Promise<PushedImage> {
    return this.#store(undefined, ref, push, (tx, { image }) => alongside(tx, image))
  }

  async #store(
    principal: Principal | undefined,
    ref: RepositoryRef,
    push: ManifestPush,
    alongside: (tx: MetadataWriter, pushed: PushedImage) => Promise<void>,
  ): Promise<PushedImage> {
    const manifest = parseManifest(push.manifest, push.mediaType)
    const digest = digestOf(push.manifest, push.digest)
    if (push.digest !== undefined && push.digest !== digest) throw imageDigestMismatch(push.digest, digest)
    if (this.#areLayersWanted && manifest.kind === 'image' && manifest.layers.length === 0)
      throw manifestInvalid('Image has to have at least 1 layer')
    const { vault, sealed } = await this.#seal(ref, digest, push.manifest)
    const replicatedFrom = principal?.circumstances.replicatedFrom
    const verdict = principal && !replicatedFrom ? await this.#advisories?.judge(principal, ref) : undefined
    const { isToBeSigned, isToBeScanned, isToBeReplicated, isToBeImported, ...pushed } = await this.#metadata.transact(
      async (tx) => {
        const repository = await getRepository(tx, ref)
        // Deleted meanwhile, and another one made under its name.
        if (this.#vaults.vaultOf(repository) !== vault) throw repositoryNotFound(ref)
        const known = await tx.images.find(repository.id, { digest })
        const bytes = { manifest: sealed, vault, manifestSizeBytes: push.manifest.byteLength }
        const image = known ?? (await this.#describe(tx, repository, manifest, digest, bytes))
        const droppedTags: Tag[] = []
        const drop = replicatedFrom && ((tag: Tag) => droppedTags.push(tag))
        const newTags = await this.#movableTags(tx, repository, push.tags, known, drop)
        const stored = known ?? (await tx.images.insert(image as NewImage))
        await noteOrigin(tx, stored, known, replicatedFrom)
        const now = this.#clock.now()
        const isArchived = !isActiveAt(stored, now)
        // The images that a living index lists are active: only a new or restored one may find archived ones.
        const restored =
          isArchived || (known === undefined && manifest.kind === 'index')
            ? await restoreFamily(tx, stored, 'ACTIVE', now)
            : []
        await tellRestored(tx, ref, restored, now)
        for (const tag of newTags) await tx.images.putTag(repository.id, tag, stored.id, now)
        const isChanged = known === undefined || isArchived || newTags.length > 0
        if (isChanged) await tellPush(tx, ref, stored, isArchived ? push.tags : newTags, now)
        const change = { repository, image: stored, manifest, tags: push.tags }
        const pushed = { image: stored, isChanged, droppedTags }
        // What another registry or this one itself brings is nobody's push here.
        const isPush = principal !== undefined && replicatedFrom === undefined
        const isToBeSigned = isPush && isChanged && (await this.#signing.request(tx, principal, change))
        const isToBeScanned = isChanged && (await this.#scanning.request(tx, change, restored))
        const isToBeImported =
          verdict !== undefined &&
          isChanged &&
          (await this.#advisories?.request(tx, stored, manifest, verdict)) === true
        const isToBeReplicated = isPush && (await this.#replication.request(tx, repository, push.tags, pushed))
        if (replicatedFrom !== undefined && isChanged)
          await tellReplicated(tx, ref, replicatedFrom, pushed, push.tags, now)
        await alongside(tx, pushed)
        return { ...pushed, isToBeSigned, isToBeScanned, isToBeReplicated, isToBeImported }
      },
    )
    if (isToBeSigned) this.#signing.announce()
    if (isToBeScanned) this.#scanning.announce()
    if (pushed.isChanged) this.#onPush(ref)
    if (isToBeReplicated) this.#replication.announce()
    if (isToBeImported) this.#advisories?.announce()
    return pushed
  }

  /**
   * What a pull needs, by tag or digest; counts as a pull, unless the client turns out to hold the image already. Throws
   * `repository-not-found`, `image-not-found`, `image-archived`, `kms-key-unusable`, and `access-denied` when a rule of
   * admission refuses it.
   */
  async pull(
    principal: Principal,
    ref: RepositoryRef,
    reference: ImageReference,
    isHeld: (image: Image) => boolean = () => false,
  ): Promise<StoredManifest> {
    const { repository, kept } = await this.#find(principal, ref, reference)
    await this.#vaults.admit(repository, 'Decrypt')
    const manifest = await this.#vaults.openManifest(kept)
    await this.#admission.admit(principal, repository, kept.image, manifest)
    if (!isHeld(kept.image)) this.#pulls.record(kept.image, principal, ref, tagOf(reference))
    return { image: kept.image, manifest }
  }

  /** Its record alone: does not count as a pull, and needs no key. */
  async stat(principal: Principal, ref: RepositoryRef, reference: ImageReference): Promise<Image> {
    return (await this.#find(principal, ref, reference)).kept.image
  }

  async #find(
    principal: Principal,
    ref: RepositoryRef,
    reference: ImageReference,
  ): Promise<{ readonly repository: Repository; readonly kept: KeptManifest }> {
    const images = () => imageFactsOf(this.#metadata.view, ref, [reference])
    await this.#access.authorize(principal, 'ecr:BatchGetImage', ref, { images })
    const resolved = await this.#metadata.view.images.resolve(ref, reference)
    if (resolved === undefined) throw repositoryNotFound(ref)
    const { repository, found } = resolved
    if (found === undefined) throw imageNotFound(reference, ref)
    const { status } = found.image
    if (status !== 'ACTIVE' && !isActiveAt(found.image, this.#clock.now())) throw imageArchived(reference, status, ref)
    return { repository, kept: found }
  }

  /** The bytes as the repository keeps them. Before the transaction: KMS has its own. */
  async #seal(
    ref: RepositoryRef,
    digest: Digest,
    manifest: Uint8Array,
  ): Promise<{ readonly vault: Vault; readonly sealed: Uint8Array }> {
    const repository = await getRepository(this.#metadata.view, ref)
    await this.#vaults.admit(repository, 'GenerateDataKey')
    const vault = this.#vaults.vaultOf(repository)
    return { vault, sealed: await this.#vaults.sealManifest(vault, digest, manifest) }
  }

  /** The record of a new image, after all it refers to was found here (unless sparse images are accepted). */
  async #describe(
    tx: MetadataWriter,
    repository: Repository,
    manifest: Manifest,
    digest: Digest,
    bytes: Pick<NewImage, 'manifest' | 'vault' | 'manifestSizeBytes'>,
  ): Promise<NewImage> {
    const limit = this.#quotasIn(repository).imagesPerRepository
    const blobs = requiredBlobs(manifest)
    const blobDigests = blobs.map((blob) => blob.digest)
    const linked = await tx.blobs.findLinkedMany(repository.id, blobDigests)
    const missing = blobDigests.filter((blob) => !linked.has(blob))
    if (missing.length > 0 && !this.#isSparseAccepted) throw layersNotFound(missing, repository)
    const children = requiredChildren(manifest)
    const childSizes = await tx.images.sizesOf(repository.id, children)
    const missingChildren = children.filter((child) => !childSizes.has(child))
    if (missingChildren.length > 0 && !this.#isSparseAccepted)
      throw referencedImagesNotFound(missingChildren, repository)
    if ((await tx.images.count(repository.id)) >= limit) throw imageLimitExceeded(limit, repository)
    return {
      repositoryId: repository.id,
      digest,
      mediaType: manifest.mediaType,
      artifactMediaType: manifest.config?.mediaType,
      artifactType: referrerArtifactType(manifest),
      // The copy that listings read would lie there in clear.
      annotations: bytes.vault === PLAIN ? manifest.annotations : undefined,
      subject: manifest.subject,
      sizeBytes: manifest.kind === 'index' ? Math.max(0, ...childSizes.values()) : contentSizeBytes(manifest),
      pushedAt: this.#clock.now(),
      ...bytes,
      blobs,
      children,
    }
  }

  /** The tags among `tags` that do not point at the image yet. Throws `tag-immutable` (unless such tags may be dropped), `limit-exceeded`. */
  async #movableTags(
    tx: MetadataWriter,
    repository: Repository,
    tags: readonly Tag[],
    known: Image | undefined,
    drop?: (tag: Tag) => void,
  ): Promise<readonly Tag[]> {
    const movable: Tag[] = []
    for (const tag of new Set(tags)) {
      const current = await tx.images.find(repository.id, { tag })
      const isCarried = current !== undefined && current.id === known?.id
      // ECR refuses an immutable tag even to the image that carries it (observed), but an archived one is to come back.
      const isRestoration = isCarried && !isActiveAt(current, this.#clock.now())
      if (current !== undefined && !isRestoration && isTagImmutable(repository.mutability, tag)) {
        if (drop === undefined) throw tagImmutable(tag, repository)
        if (!isCarried) drop(tag)
      } else if (!isCarried) movable.push(tag)
    }
    const limit = this.#quotasIn(repository).tagsPerImage
    const carried = known === undefined || movable.length === 0 ? 0 : await tx.images.countTags(known.id)
    const beyond = movable[Math.max(0, limit - carried)]
    if (beyond !== undefined) throw imageTagLimitExceeded(beyond, limit, repository)
    return movable
  }

  #quotasIn({ registry }: Repository): Quotas {
    return isPublic(registry) ? this.#publicQuotas : this.#quotas
  }
}

/** Whose image it is: that of the registries which have brought it, until somebody pushes it here. */
async function noteOrigin(
  tx: MetadataWriter,
  image: Image,
  known: Image | undefined,
  replicatedFrom: Registry | undefined,
): Promise<void> {
  if (replicatedFrom === undefined) {
    if (known !== undefined) await tx.imageOrigins.clear(known.id)
  } else if (known === undefined || (await tx.imageOrigins.list(known.id)).length > 0)
    await tx.imageOrigins.add(image.id, replicatedFrom)
}

function tagOf(reference: ImageReference): Tag | undefined {
  return 'tag' in reference ? reference.tag : undefined
}

function digestOf(bytes: Uint8Array, expected: Digest | undefined): Digest {
  const algorithm = expected === undefined ? 'sha256' : digestAlgorithm(expected)
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`)
}
