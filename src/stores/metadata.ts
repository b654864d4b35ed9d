import type { Digest } from '../domain/digest.ts'
import type {
  Image,
  ImageFilter,
  ImageReference,
  ImageStatus,
  KeptManifest,
  NewImage,
  ReferrerFilter,
  TaggedImage,
} from '../domain/image.ts'
import type { Registry, RepositoryName, RepositoryRef, Tag } from '../domain/names.ts'
import type { Encryption, NewRepository, Repository, ResourceTag, TagMutability } from '../domain/repository.ts'
import type { Upload } from '../domain/upload.ts'
import type { BlobAddress } from '../domain/vault.ts'
import type { AccountReader, AccountWriter } from './accounts.ts'
import type { AdmissionReader, AdmissionWriter } from './admission.ts'
import type { AdvisoryPushReader, AdvisoryPushWriter } from './advisory-pushes.ts'
import type { AuditHeadReader, AuditHeadWriter } from './audit.ts'
import type { CreationTemplateReader, CreationTemplateWriter } from './creation-templates.ts'
import type { CredentialReader, CredentialWriter } from './credentials.ts'
import type { EventRuleReader, EventRuleWriter } from './event-rules.ts'
import type { FigureReader } from './figures.ts'
import type { IamReader, IamWriter } from './iam.ts'
import type { ImageOriginReader, ImageOriginWriter } from './image-origins.ts'
import type { InventoryReader, InventoryWriter } from './inventories.ts'
import type { KeyReader, KeyWriter } from './keys.ts'
import type { LeaseWriter } from './leases.ts'
import type { LifecycleReader, LifecycleWriter } from './lifecycle.ts'
import type { ManagedSecretReader, ManagedSecretWriter } from './managed-secrets.ts'
import type { AlarmReader, AlarmWriter, MetricReader, MetricWriter } from './metrics.ts'
import type { OutboxReader, OutboxWriter } from './outbox.ts'
import type { PackageIndexReader, PackageIndexWriter, SuppressionReader, SuppressionWriter } from './package-index.ts'
import type { Page } from './page.ts'
import type { PolicyReader, PolicyWriter } from './policies.ts'
import type { PublicRegistryReader, PublicRegistryWriter } from './public-registries.ts'
import type { PullThroughReader, PullThroughWriter } from './pull-through.ts'
import type { ReplicationReader, ReplicationWriter } from './replication.ts'
import type { ReplicationDeletionReader, ReplicationDeletionWriter } from './replication-deletions.ts'
import type { ReplicationUploadReader, ReplicationUploadWriter } from './replication-uploads.ts'
import type { ResetWriter } from './resets.ts'
import type { RobotTokenReader, RobotTokenWriter } from './robot-tokens.ts'
import type { ScanReader, ScanWriter } from './scans.ts'
import type { SessionReader, SessionWriter } from './sessions.ts'
import type { SigningReader, SigningWriter } from './signing.ts'
import type { TokenKeyReader, TokenKeyWriter } from './token-keys.ts'

export type { AccessKey, CredentialReader, CredentialWriter } from './credentials.ts'
export type { Page } from './page.ts'

export interface RepositoryReader {
  find(ref: RepositoryRef): Promise<Repository | undefined>
  /** In ascending order of name. */
  list(registry: Registry, page: Page<RepositoryName>): Promise<readonly Repository[]>
  count(registry: Registry): Promise<number>
  /** In ascending order of key. */
  listResourceTags(repositoryId: number): Promise<readonly ResourceTag[]>
}

export interface RepositoryWriter extends RepositoryReader {
  /** Throws `repository-exists`. */
  insert(repository: NewRepository): Promise<Repository>
  setMutability(repositoryId: number, mutability: TagMutability): Promise<void>
  setScanning(repositoryId: number, isScannedOnPush: boolean): Promise<void>
  /**
   * Takes the repository out of sight at once, whatever it holds, and frees its name. Its content is purged in steps
   * by `purgeDeleted`, so that a large repository does not hold up others.
   */
  delete(repositoryId: number): Promise<void>
  /** Adds and overwrites. */
  putResourceTags(repositoryId: number, tags: readonly ResourceTag[]): Promise<void>
  /** Unknown keys are fine. */
  deleteResourceTags(repositoryId: number, keys: readonly string[]): Promise<void>
  /**
   * Removes up to `limit` images, blob links, uploads and in the end records of deleted repositories; answers how many,
   * 0 when nothing is left. A blob that has no link left then counts as dead since it was last claimed or linked.
   */
  purgeDeleted(limit: number): Promise<number>
}

/** One row of ListImages: one for each tag, and one for an image without any. */
export interface ListedImage {
  readonly digest: Digest
  readonly tag?: Tag | undefined
}

/** Where a page of ListImages goes on: behind a tag, or (tags come first) behind an untagged digest. */
export type ListedImageKey = { readonly tag: Tag } | { readonly untagged: Digest | undefined }

/** What a pull finds by one look: the repository, and in it the image. */
export interface Resolved {
  readonly repository: Repository
  readonly found: KeptManifest | undefined
}

export interface ImageReader {
  find(repositoryId: number, reference: ImageReference): Promise<Image | undefined>
  /** Repository, image and manifest in a single query: the path of every pull. `undefined`: no such repository. */
  resolve(ref: RepositoryRef, reference: ImageReference): Promise<Resolved | undefined>
  findMany(repositoryId: number, digests: readonly Digest[]): Promise<readonly TaggedImage[]>
  /** The manifests among those of some images that are sealed. */
  listSealed(images: readonly Image[]): Promise<readonly KeptManifest[]>
  /** The tags of one image in ascending order. */
  tagsOf(imageId: number): Promise<readonly Tag[]>
  /** In ascending order of digest. The cost of a page does not depend on its position. */
  list(repositoryId: number, filter: ImageFilter, page: Page<Digest>): Promise<readonly TaggedImage[]>
  /** Tags in ascending order (by code point), then untagged digests in ascending order. */
  listIds(repositoryId: number, filter: ImageFilter, page: Page<ListedImageKey>): Promise<readonly ListedImage[]>
  /** The tags of active images, in ascending order by code point. `after` need not exist. */
  listTags(repositoryId: number, page: Page<Tag>): Promise<readonly Tag[]>
  /** Images whose subject is this digest, in ascending order of digest. */
  listReferrers(
    repositoryId: number,
    subject: Digest,
    filter: ReferrerFilter,
    page: Page<Digest>,
  ): Promise<readonly Image[]>
  /** The digests of the indexes of this repository that list `child`, ascending; at most `limit`. */
  parentsOf(repositoryId: number, child: Digest, limit: number): Promise<readonly Digest[]>
  /** The same, without those that are archived: as long as one of these lists an image, it must stay. */
  livingParentsOf(repositoryId: number, child: Digest, limit: number): Promise<readonly Digest[]>
  /** The images of this repository that the index `parent` lists, in ascending order of digest. */
  childrenOf(repositoryId: number, parent: Digest): Promise<readonly Image[]>
  /** Images whose restoration has ended at `at`, the earliest first, and where they are. */
  listActivationsDue(
    at: Date,
    limit: number,
  ): Promise<readonly { readonly repository: Repository; readonly image: Image }[]>
  /** Whether the time of any restoration, in any repository, has come. */
  isActivationDue(at: Date): Promise<boolean>
  /** Sizes of the images among `digests` that this repository holds. */
  sizesOf(repositoryId: number, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, number>>
  /** Counts all images of the repository, cheaply (a counter kept by the writers). */
  count(repositoryId: number): Promise<number>
  /** The images of this repository that need a blob, in ascending order of key. */
  listNeeding(repositoryId: number, blob: Digest, page: Page<number>): Promise<readonly Image[]>
  /** How many tags the image carries. */
  countTags(imageId: number): Promise<number>
}

export interface ImageWriter extends ImageReader {
  /**
   * Records the image, its manifest, what it refers to, and counts the references on the repository's blob links.
   * The caller has checked in this transaction that the digest is new here and that all it refers to is there.
   */
  insert(image: NewImage): Promise<Image>
  /** Sets or moves the tag. */
  putTag(repositoryId: number, tag: Tag, imageId: number, at: Date): Promise<void>
  /** Removes the tag; the image stays. Absent is fine. */
  deleteTag(repositoryId: number, tag: Tag): Promise<void>
  /** Removes image, tags and references, and counts the references down; a blob link that falls to none starts its grace period at `at`. */
  delete(imageId: number, at: Date): Promise<void>
  /**
   * Changes the status of the image and of its tags. `at` is when it was archived or restored, or when the restoration
   * that begins now will have ended.
   */
  setStatus(imageId: number, status: ImageStatus, at: Date): Promise<void>
  /** Makes images active whose restoration has ended at `at`, up to `limit`, and answers how many. */
  activateDue(at: Date, limit: number): Promise<number>
  recordPulls(pulls: ReadonlyMap<number, Date>): Promise<void>
}

/** A blob on record. */
export interface StoredBlob extends BlobAddress {
  readonly sizeBytes: number
}

/** A blob as one repository sees it. */
export interface LinkedBlob extends BlobAddress {
  readonly sizeBytes: number
  /** How many images of this repository need it. */
  readonly imageCount: number
  /** How many of those are not active. */
  readonly archivedImageCount: number
  /** By which an image names it; absent until one does. */
  readonly mediaType?: string | undefined
}

export interface BlobReader {
  findLinked(repositoryId: number, digest: Digest): Promise<LinkedBlob | undefined>
  /** Repository and link in a single query: the path of every layer pull. `undefined`: no such repository. */
  resolve(
    ref: RepositoryRef,
    digest: Digest,
  ): Promise<{ readonly repository: Repository; readonly blob: LinkedBlob | undefined } | undefined>
  findLinkedMany(repositoryId: number, digests: readonly Digest[]): Promise<ReadonlyMap<Digest, LinkedBlob>>
  /** Any repository of this registry and this encryption that holds the blob, for anonymous mounts; `undefined` when none does. */
  findHolder(
    registry: Registry,
    digest: Digest,
    encryption: Encryption,
  ): Promise<{ readonly repository: Repository; readonly blob: LinkedBlob } | undefined>
  /** Links that no image has needed since `before`. */
  listUnusedLinks(before: Date, limit: number): Promise<readonly { repositoryId: number; digest: Digest }[]>
  /** Blobs that no repository links: claimed or freed before `before`, or marked by a sweep that did not end. */
  listDead(before: Date, limit: number): Promise<readonly StoredBlob[]>
  /** Every recorded blob in ascending order of digest, then of vault. */
  list(page: Page<BlobAddress>): Promise<readonly (StoredBlob & { readonly linkCount: number })[]>
  exists(address: BlobAddress): Promise<boolean>
  /** What a sweep could free: links that no image has needed since `before`, blobs that are dead or have only such links. */
  freeable(
    before: Date,
  ): Promise<{ readonly linkCount: number; readonly blobCount: number; readonly sizeBytes: number }>
  /** Blobs and bytes on record. */
  totals(): Promise<{ readonly blobCount: number; readonly sizeBytes: number }>
}

/**
 * The life of a blob's record: claimed (bytes are about to arrive; safe from the sweep for the grace period) → linked by
 * repositories → dead (no link) → marked by the sweep → forgotten. Bytes are written only under a claim and deleted only
 * under a mark, and the two exclude each other, so that a sweep never takes bytes that a push is about to name.
 */
export interface BlobWriter extends BlobReader {
  /** Claims the address for arriving bytes. False while a sweep has marked it: try again shortly. */
  claim(address: BlobAddress, at: Date): Promise<boolean>
  /**
   * Links the blob to the repository and records its size. False when its content was linked already (the grace period
   * starts anew), be it in another vault: the link then leads to this one. Throws `blob-not-found` when neither a claim nor a link protects the blob any more: claim and send it again.
   */
  link(repositoryId: number, address: BlobAddress, sizeBytes: number, at: Date): Promise<boolean>
  /** Removes the link if no image of the repository needs it. True when a link was removed. */
  unlink(repositoryId: number, digest: Digest, at: Date): Promise<boolean>
  /** The same, if it has been unused since `before`; a blob that has no link left then counts as dead since then. */
  unlinkUnused(repositoryId: number, digest: Digest, before: Date): Promise<boolean>
  /** Records bytes that no record knows, dead since `storedAt`. False when there is a record. */
  adopt(address: BlobAddress, sizeBytes: number, storedAt: Date): Promise<boolean>
  /** Marks a blob for deletion if it is still dead since `before` (or marked already). */
  mark(address: BlobAddress, before: Date): Promise<boolean>
  /** Forgets a marked blob, after its bytes are gone. */
  forget(address: BlobAddress): Promise<void>
  /**
   * Drops all links of a blob whose bytes are lost or bad, and marks it, so that its bytes can be set aside before it is
   * forgotten; images that need it stay and say so when pulled. False, and nothing done, when it was claimed after
   * `before`: a push is bringing good bytes.
   */
  lose(address: BlobAddress, before: Date): Promise<boolean>
}

export interface UploadReader {
  find(repositoryId: number, uploadId: string): Promise<Upload | undefined>
  /** Uploads untouched since `before`. */
  listStale(before: Date, limit: number): Promise<readonly Upload[]>
  countStale(before: Date): Promise<number>
  hasKey(key: string): Promise<boolean>
}

export interface UploadWriter extends UploadReader {
  insert(upload: Upload): Promise<void>
  touch(uploadId: string, at: Date, lastPartBytes: number | undefined): Promise<void>
  /** False when it was gone already. */
  delete(uploadId: string): Promise<boolean>
}

export interface MetadataReader {
  readonly auditHeads: AuditHeadReader
  readonly accounts: AccountReader
  readonly alarms: AlarmReader
  readonly figures: FigureReader
  readonly metrics: MetricReader
  readonly admission: AdmissionReader
  readonly advisoryPushes: AdvisoryPushReader
  readonly repositories: RepositoryReader
  readonly images: ImageReader
  readonly blobs: BlobReader
  readonly uploads: UploadReader
  readonly credentials: CredentialReader
  readonly eventRules: EventRuleReader
  readonly iam: IamReader
  readonly keys: KeyReader
  readonly lifecycle: LifecycleReader
  readonly managedSecrets: ManagedSecretReader
  readonly outbox: OutboxReader
  readonly policies: PolicyReader
  readonly creationTemplates: CreationTemplateReader
  readonly scans: ScanReader
  readonly replications: ReplicationReader
  readonly replicationDeletions: ReplicationDeletionReader
  readonly replicationUploads: ReplicationUploadReader
  readonly imageOrigins: ImageOriginReader
  readonly signings: SigningReader
  readonly inventories: InventoryReader
  readonly packageIndex: PackageIndexReader
  readonly suppressions: SuppressionReader
  readonly publicRegistries: PublicRegistryReader
  readonly pullThrough: PullThroughReader
  readonly robotTokens: RobotTokenReader
  readonly sessions: SessionReader
  readonly tokenKeys: TokenKeyReader
}

export interface MetadataWriter {
  readonly auditHeads: AuditHeadWriter
  readonly accounts: AccountWriter
  readonly alarms: AlarmWriter
  readonly figures: FigureReader
  readonly metrics: MetricWriter
  readonly admission: AdmissionWriter
  readonly advisoryPushes: AdvisoryPushWriter
  readonly repositories: RepositoryWriter
  readonly images: ImageWriter
  readonly blobs: BlobWriter
  readonly uploads: UploadWriter
  readonly credentials: CredentialWriter
  readonly eventRules: EventRuleWriter
  readonly iam: IamWriter
  readonly keys: KeyWriter
  readonly leases: LeaseWriter
  readonly lifecycle: LifecycleWriter
  readonly managedSecrets: ManagedSecretWriter
  readonly outbox: OutboxWriter
  readonly policies: PolicyWriter
  readonly creationTemplates: CreationTemplateWriter
  readonly replications: ReplicationWriter
  readonly replicationDeletions: ReplicationDeletionWriter
  readonly replicationUploads: ReplicationUploadWriter
  readonly imageOrigins: ImageOriginWriter
  readonly resets: ResetWriter
  readonly scans: ScanWriter
  readonly signings: SigningWriter
  readonly inventories: InventoryWriter
  readonly packageIndex: PackageIndexWriter
  readonly suppressions: SuppressionWriter
  readonly publicRegistries: PublicRegistryWriter
  readonly pullThrough: PullThroughWriter
  readonly robotTokens: RobotTokenWriter
  readonly sessions: SessionWriter
  readonly tokenKeys: TokenKeyWriter
}

export interface TransactOptions {
  /**
   * `durable` (the default): the promise resolves when the change would survive a power loss.
   * `relaxed`: it resolves when the change would survive the process; for records that nobody was promised, such as the
   * beginning of an upload or the time of a pull.
   */
  readonly durability?: 'durable' | 'relaxed'
}

/**
 * Who holds what. A reader sees one consistent state; writers exclude each other, and what they check inside their
 * transaction still holds when it commits. A thrown error undoes the transaction and passes on.
 */
export interface MetadataStore {
  /** Single looks, each consistent in itself. */
  readonly view: MetadataReader
  /**
   * Another number after every change of who may do what (a policy, its scope, a repository that is gone): what was read
   * after one look at it holds for as long as it stays. Costs nothing to ask.
   */
  readonly policyRevision: number
  /** Several looks at one and the same state. */
  read<T>(work: (view: MetadataReader) => Promise<T>): Promise<T>
  /** All or nothing. Throws `storage-full` when the disk has no room. */
  transact<T>(work: (tx: MetadataWriter) => Promise<T>, options?: TransactOptions): Promise<T>
  /** Calls `listener` after every commit that has appended to the outbox, before it may have reached the disk. */
  watchOutbox(listener: () => void): void
  /**
   * Writes the records as they are at one moment to a file, which must not be there. Readers and writers go on meanwhile.
   * Throws when the store keeps nothing.
   */
  copyTo(file: string): Promise<void>
  checkReady(): Promise<void>
  /** Waits for running transactions. */
  close(): Promise<void>
}
