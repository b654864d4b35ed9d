import type { ImageDetail } from '@aws-sdk/client-ecr'
import type { TaggedImage } from '../../domain/image.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import { imageFilter, isShown } from './image-filter.ts'
import type { EcrOperation } from './operation.ts'
import { pagingOf, refusePaging } from './pages.ts'
import { parseImageId, placeOf, repositoryRef } from './references.ts'

export const describeImages: EcrOperation<'DescribeImages'> = async (input, call) => {
  const { imageIds } = input
  const filter = imageFilter(input.filter)
  const ref = repositoryRef(input, call)
  if (imageIds !== undefined) {
    refusePaging(input, 'imageIds')
    const images = await call.imageLists.describeMany(call.principal, ref, imageIds.map(parseImageId))
    const shown = images.filter((image) => isShown(image, filter))
    return { imageDetails: shown.map((image) => imageDetail(ref, image)) }
  }
  const page = await call.imageLists.describe(call.principal, ref, filter, pagingOf(input))
  return { imageDetails: page.items.map((image) => imageDetail(ref, image)), nextToken: page.nextToken }
}

function imageDetail(ref: RepositoryRef, image: TaggedImage): ImageDetail {
  return {
    ...placeOf(ref),
    imageDigest: image.digest,
    imageTags: image.tags.length === 0 ? undefined : [...image.tags],
    imageSizeInBytes: image.sizeBytes,
    imagePushedAt: image.pushedAt,
    imageManifestMediaType: image.mediaType,
    artifactMediaType: image.artifactMediaType,
    lastRecordedPullTime: image.pulledAt,
    subjectManifestDigest: image.subject,
    imageStatus: image.status,
    lastArchivedAt: image.archivedAt,
    lastActivatedAt: image.activatedAt,
  }
}
