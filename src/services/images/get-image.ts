import { imageNotFound, invalidParameter } from '../../domain/errors.ts'
import type { Image, ImageId } from '../../domain/image.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { MetadataReader } from '../../stores/metadata.ts'

/** The image of the repository that a caller named as `member`; both halves must agree when both are given. Throws `image-not-found`. */
export async function getImage(
  view: MetadataReader,
  repositoryId: number,
  imageId: ImageId,
  ref: RepositoryRef,
  member: string,
): Promise<Image> {
  const { digest, tag } = imageId
  const reference = tag === undefined ? digest && { digest } : { tag }
  if (reference === undefined)
    throw invalidParameter(member, 'Invalid request parameters: both tag and digest cannot be null')
  const image = await view.images.find(repositoryId, reference)
  if (image === undefined || (digest !== undefined && image.digest !== digest)) throw imageNotFound(imageId, ref)
  return image
}
