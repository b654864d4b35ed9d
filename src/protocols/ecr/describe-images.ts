import type { ImageDetail } from '@aws-sdk/client-ecr'
import { parseDigest } from '../../domain/digest.ts'
import type { ImageId, TaggedImage } from '../../domain/image.ts'
import { parseTag, type RepositoryRef } from '../../domain/names.ts'
import { showsActive, showsTagged } from './image-filter.ts'
import type { EcrOperation } from './operation.ts'
import { pagingOf, refusePaging } from './pages.ts'
import { placeOf, repositoryRef, type WireImageId } from './references.ts'

export const describeImages: EcrOperation<'DescribeImages'> = async (input, call) => {
  const { imageIds, filter = {} } = input
  const ref = repositoryRef(input, call)
  if (imageIds !== undefined) {
    refusePaging(input, 'imageIds')
    const images = await call.imageLists.describeMany(call.principal, ref, imageIds.map(imageIdOf))
    const shown = images.filter(({ tags }) => showsActive(filter) && showsTagged(filter, tags.length > 0))
    return { imageDetails: shown.map((image) => imageDetail(ref, image)) }
  }
  const page = await call.imageLists.describe(call.principal, ref, filter.tagStatus ?? 'ANY', pagingOf(input))
  if (!showsActive(filter)) return { imageDetails: [] }
  return { imageDetails: page.items.map((image) => imageDetail(ref, image)), nextToken: page.nextToken }
}

function imageIdOf({ imageDigest, imageTag }: WireImageId): ImageId {
  return {
    digest: imageDigest === undefined ? undefined : parseDigest(imageDigest),
    tag: imageTag === undefined ? undefined : parseTag(imageTag),
  }
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
    imageStatus: 'ACTIVE',
  }
}
