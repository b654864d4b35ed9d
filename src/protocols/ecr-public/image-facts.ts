import type { TagDetail } from '../../stores/public-registries.ts'

/** What ECR Public tells of an image wherever it tells of one (ReferencedImageDetail). */
export function imageFacts({ digest, sizeBytes, pushedAt, mediaType, artifactMediaType }: TagDetail['image']) {
  return {
    imageDigest: digest,
    imageSizeInBytes: sizeBytes,
    imagePushedAt: pushedAt,
    imageManifestMediaType: mediaType,
    artifactMediaType,
  }
}
