import type { Digest } from '../../domain/digest.ts'
import { imageAction, type RegistryEvent, replicationAction, repositoryAction } from '../../domain/events.ts'
import type { Image } from '../../domain/image.ts'
import type { Registry, RepositoryRef, Tag } from '../../domain/names.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'

// What is told of repositories and images, in the transaction that changes them. Public registries tell nothing, as ECR's.

/** One event for each tag that now leads to the image, or one for an image that came without any. */
export async function tellPush(
  tx: MetadataWriter,
  ref: RepositoryRef,
  image: Image,
  tags: readonly Tag[],
  at: Date,
): Promise<void> {
  await tellOfTags(tx, ref, image, 'PUSH', tags, at)
}

/** The image is gone with its tags; or, of an image that stays, these tags are. */
export async function tellDeletion(
  tx: MetadataWriter,
  ref: RepositoryRef,
  image: Image,
  tags: readonly Tag[],
  at: Date,
): Promise<void> {
  await tellOfTags(tx, ref, image, 'DELETE', tags, at)
}

/** An image came from another registry: one event for each of its tags. One that had to come without a tag has failed for that one. */
export async function tellReplicated(
  tx: MetadataWriter,
  ref: RepositoryRef,
  source: Registry,
  { image, droppedTags }: { readonly image: Image; readonly droppedTags: readonly Tag[] },
  tags: readonly Tag[],
  at: Date,
): Promise<void> {
  const { digest } = image
  if (tags.length === 0) await tell(tx, replicationAction(ref, source, digest, undefined, 'SUCCESS', at))
  for (const tag of tags)
    await tell(tx, replicationAction(ref, source, digest, tag, droppedTags.includes(tag) ? 'FAILED' : 'SUCCESS', at))
}

/** An image could not come from another registry. */
export async function tellNotReplicated(
  tx: MetadataWriter,
  ref: RepositoryRef,
  source: Registry,
  digest: Digest,
  tags: readonly Tag[],
  at: Date,
): Promise<void> {
  for (const tag of tags.length === 0 ? [undefined] : tags)
    await tell(tx, replicationAction(ref, source, digest, tag, 'FAILED', at))
}

/** The images went to the archive. */
export async function tellArchived(
  tx: MetadataWriter,
  ref: RepositoryRef,
  images: readonly Image[],
  at: Date,
): Promise<void> {
  for (const image of images)
    await tell(tx, imageAction(ref, image, 'UPDATE_STORAGE_CLASS', at, { 'target-storage-class': 'ARCHIVE' }))
}

/** The images are back from the archive. */
export async function tellRestored(
  tx: MetadataWriter,
  ref: RepositoryRef,
  images: readonly Image[],
  at: Date,
): Promise<void> {
  const facts = { 'target-storage-class': 'STANDARD', 'last-activated-at': at.toISOString() } as const
  for (const image of images) await tell(tx, imageAction(ref, image, 'UPDATE_STORAGE_CLASS', at, facts))
}

/** The repository is made, or is gone with all it held. */
export async function tellRepository(
  tx: MetadataWriter,
  ref: RepositoryRef,
  actionType: 'CREATE' | 'DELETE',
  at: Date,
): Promise<void> {
  await tell(tx, repositoryAction(ref, actionType, at))
}

async function tellOfTags(
  tx: MetadataWriter,
  ref: RepositoryRef,
  image: Image,
  actionType: 'PUSH' | 'DELETE',
  tags: readonly Tag[],
  at: Date,
): Promise<void> {
  if (tags.length === 0) await tell(tx, imageAction(ref, image, actionType, at))
  for (const tag of tags) await tell(tx, imageAction(ref, image, actionType, at, { tag }))
}

async function tell(tx: MetadataWriter, event: RegistryEvent): Promise<void> {
  if (!isPublic(event.registry)) await tx.outbox.append(event)
}
