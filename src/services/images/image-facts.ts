import type { ImageFacts } from '../../domain/iam/facts.ts'
import type { ImageId } from '../../domain/image.ts'
import { isFailure, parseImageId, type RawImageId } from '../../domain/image-failure.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { MetadataReader } from '../../stores/metadata.ts'

/**
 * Images as conditions know them: one that was asked for by tag has this tag, one that was asked for by digest all tags
 * that it carries. What is not there has what was asked.
 */
export async function imageFactsOf(
  view: MetadataReader,
  ref: RepositoryRef,
  ids: readonly ImageId[],
): Promise<readonly ImageFacts[]> {
  const repository = await view.repositories.find(ref)
  const facts: ImageFacts[] = []
  for (const { digest, tag } of ids) {
    const reference = tag === undefined ? digest && { digest } : { tag }
    const isLooked = repository !== undefined && reference !== undefined
    const image = isLooked ? await view.images.find(repository.id, reference) : undefined
    const carried = image === undefined ? [] : await view.images.tagsOf(image.id)
    facts.push({ tags: tag === undefined ? carried : [tag], digest: digest ?? image?.digest })
  }
  return facts
}

/** Those of a batch; an id that is none fails by itself. */
export function imageFactsOfBatch(
  view: MetadataReader,
  ref: RepositoryRef,
  ids: readonly RawImageId[],
): Promise<readonly ImageFacts[]> {
  const parsed = ids.map(parseImageId).filter((id): id is ImageId => !isFailure(id))
  return imageFactsOf(view, ref, parsed)
}
