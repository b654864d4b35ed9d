import type { Image as WireImage } from '@aws-sdk/client-ecr'
import type { RepositoryRef } from '../../domain/names.ts'
import type { BatchedImage } from '../../services/images/image-batches.ts'
import { placeOf, wireImageId } from './references.ts'

/** Keeps a byte order mark: the digest is over every byte of the manifest. */
const text = new TextDecoder('utf-8', { ignoreBOM: true })

/** ECR's Image, with the tag it was asked by. */
export function imageOutput(ref: RepositoryRef, { image, manifest, tag }: BatchedImage): WireImage {
  return {
    ...placeOf(ref),
    imageId: wireImageId({ digest: image.digest, tag }),
    imageManifest: text.decode(manifest),
    imageManifestMediaType: image.mediaType,
  }
}
