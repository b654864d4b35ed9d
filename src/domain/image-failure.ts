import { type Digest, tryParseDigest } from './digest.ts'
import type { ImageId } from './image.ts'
import { isTag } from './names.ts'

/** ECR's words for why one image of a batch could not be had. */
export type ImageFailureCode =
  | 'ImageInaccessible'
  | 'ImageNotFound'
  | 'ImageReferencedByManifestList'
  | 'ImageTagDoesNotMatchDigest'
  | 'InvalidImageDigest'
  | 'InvalidImageTag'
  | 'KmsError'
  | 'MissingDigestAndTag'
  | 'UpstreamAccessDenied'
  | 'UpstreamTooManyRequests'
  | 'UpstreamUnavailable'

/** An image id as a batch names it: unchecked, since a bad one fails alone and not the batch. */
export interface RawImageId {
  readonly digest?: string | undefined
  readonly tag?: string | undefined
}

/** One failure of a batch. */
export interface ImageFailure {
  readonly imageId: RawImageId
  readonly code: ImageFailureCode
  readonly reason: string
}

export function imageFailure(
  imageId: RawImageId,
  code: ImageFailureCode,
  parents: readonly Digest[] = [],
): ImageFailure {
  return { imageId, code, reason: reasonOf(code, parents) }
}

/** The id, checked, or why it is none. */
export function parseImageId(raw: RawImageId): ImageId | ImageFailure {
  if (raw.digest === undefined && raw.tag === undefined) return imageFailure({}, 'MissingDigestAndTag')
  const digest = raw.digest === undefined ? undefined : tryParseDigest(raw.digest)
  // A digest of a form that ECR accepts, but of no algorithm that is stored here, is simply not found.
  if (raw.digest !== undefined && digest === undefined)
    return imageFailure(raw, DIGEST_FORM.test(raw.digest) ? 'ImageNotFound' : 'InvalidImageDigest')
  if (raw.tag !== undefined && !isTag(raw.tag)) return imageFailure(raw, 'InvalidImageTag')
  return { digest, tag: raw.tag }
}

export function isFailure(result: ImageId | ImageFailure): result is ImageFailure {
  return 'code' in result
}

const DIGEST_FORM = /^[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+$/

function reasonOf(code: ImageFailureCode, parents: readonly Digest[]): string {
  switch (code) {
    case 'ImageInaccessible':
      return 'Requested image is archived and cannot be used until it is restored'
    case 'ImageNotFound':
      return 'Requested image not found'
    case 'ImageReferencedByManifestList':
      return `Requested image referenced by manifest list: [${parents.join(', ')}]`
    case 'ImageTagDoesNotMatchDigest':
      return 'Requested image tag does not match the image digest'
    case 'InvalidImageDigest':
      return "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'"
    case 'InvalidImageTag':
      return "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]*'"
    case 'KmsError':
      return 'Requested image is encrypted with a KMS key that cannot be used'
    case 'MissingDigestAndTag':
      return 'Invalid request parameters: both tag and digest cannot be null'
    case 'UpstreamAccessDenied':
      return 'The upstream registry denies access to the requested image'
    case 'UpstreamTooManyRequests':
      return 'The upstream registry limits how often it is asked'
    case 'UpstreamUnavailable':
      return 'The upstream registry is not available'
  }
}
