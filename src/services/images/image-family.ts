import type { Image, ImageStatus } from '../../domain/image.ts'
import type { MetadataReader, MetadataWriter } from '../../stores/metadata.ts'

// What is archived and restored together: an index with the images it lists, and a subject with all that refers to it.

const REFERRERS_STEP = 100

/**
 * Archives the image and what goes along with it, and answers all that went. An image that a living index lists stays
 * until that index goes; whether that holds for `image` itself is for the caller to see.
 */
export async function archiveFamily(tx: MetadataWriter, image: Image, at: Date): Promise<readonly Image[]> {
  const archived: Image[] = []
  await visitFamily(tx, image, async (member) => {
    const { repositoryId, digest } = member
    if (member.status === 'ARCHIVED') return false
    if (member !== image && (await tx.images.livingParentsOf(repositoryId, digest, 1)).length > 0) return false
    await tx.images.setStatus(member.id, 'ARCHIVED', at)
    // A restored image is scanned as if it were new.
    await tx.scans.forget(member.id)
    await tx.packageIndex.put(member.id, [])
    archived.push(member)
    return true
  })
  return archived
}

/**
 * Brings the image and all that went along with it back, at once (`ACTIVE`) or from `at` on (`ACTIVATING`); answers those
 * whose status has changed.
 */
export async function restoreFamily(
  tx: MetadataWriter,
  image: Image,
  status: Exclude<ImageStatus, 'ARCHIVED'>,
  at: Date,
): Promise<readonly Image[]> {
  const restored: Image[] = []
  await visitFamily(tx, image, async (member) => {
    const isToChange = member.status === 'ARCHIVED' || (member.status === 'ACTIVATING' && status === 'ACTIVE')
    if (isToChange) {
      await tx.images.setStatus(member.id, status, at)
      restored.push(member)
    }
    return isToChange || member === image
  })
  return restored
}

/** Visits the image, what it lists, and what refers to it; goes on from those for which `visit` answers true. */
async function visitFamily(
  tx: MetadataReader,
  image: Image,
  visit: (member: Image) => Promise<boolean>,
): Promise<void> {
  const waiting = [image]
  const visited = new Set<number>()
  for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) {
    if (visited.has(member.id) || !(await visit(member))) continue
    visited.add(member.id)
    waiting.push(...(await tx.images.childrenOf(member.repositoryId, member.digest)))
    waiting.push(...(await referrersOf(tx, member)))
  }
}

/** Every image that refers to this one. */
export async function referrersOf(tx: MetadataReader, { repositoryId, digest }: Image): Promise<readonly Image[]> {
  const referrers: Image[] = []
  let page: readonly Image[]
  do {
    const after = referrers.at(-1)?.digest
    page = await tx.images.listReferrers(repositoryId, digest, {}, { after, limit: REFERRERS_STEP })
    referrers.push(...page)
  } while (page.length === REFERRERS_STEP)
  return referrers
}
