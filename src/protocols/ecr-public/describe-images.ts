import type { TaggedImage } from '../../domain/image.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import { pagingOf, refusePaging } from '../ecr/pages.ts'
import { parseImageId, placeOf, repositoryRef, type WireImageId } from '../ecr/references.ts'
import { imageFacts } from './image-facts.ts'
import type { PageInput, PublicOperation, RepositoryInput } from './operation.ts'

interface Input extends RepositoryInput, PageInput {
  readonly imageIds?: readonly WireImageId[] | undefined
}

const ALL = { tagStatus: 'ANY', status: 'ANY' } as const

export const describeImages: PublicOperation<Input, object> = async (input, call) => {
  const { imageIds } = input
  const ref = repositoryRef(input, call)
  if (imageIds !== undefined) {
    refusePaging(input, 'imageIds')
    const images = await call.imageLists.describeMany(call.principal, ref, imageIds.map(parseImageId))
    return { imageDetails: images.map((image) => imageDetail(ref, image)) }
  }
  const page = await call.imageLists.describe(call.principal, ref, ALL, pagingOf(input))
  return { imageDetails: page.items.map((image) => imageDetail(ref, image)), nextToken: page.nextToken }
}

function imageDetail(ref: RepositoryRef, image: TaggedImage) {
  return { ...placeOf(ref), ...imageFacts(image), imageTags: image.tags.length === 0 ? undefined : image.tags }
}
