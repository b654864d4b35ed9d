import { type Digest, parseDigest, tryParseDigest } from '../../domain/digest.ts'
import { invalidParameter } from '../../domain/errors.ts'
import type { ImageId } from '../../domain/image.ts'
import type { ImageFailure, RawImageId } from '../../domain/image-failure.ts'
import {
  parseRegistryId,
  parseRepositoryName,
  parseTag,
  type Registry,
  type RepositoryRef,
} from '../../domain/names.ts'
import type { AwsCall } from '../aws/context.ts'

/** The registry that is meant: the caller's own, in the region of the call, unless another account's is named. */
export function registryOf(registryId: string | undefined, { principal, region }: AwsCall): Registry {
  return { registryId: registryId === undefined ? principal.accountId : parseRegistryId(registryId), region }
}

/** The repository that an input names. */
export function repositoryRef(
  input: { readonly registryId?: string | undefined; readonly repositoryName: string },
  call: AwsCall,
): RepositoryRef {
  return { registry: registryOf(input.registryId, call), name: parseRepositoryName(input.repositoryName) }
}

/** The members that most outputs begin with. */
export function placeOf({ registry, name }: RepositoryRef): { registryId: string; repositoryName: string } {
  return { registryId: registry.registryId, repositoryName: name }
}

/** A layer's digest in the place of `member`. Throws `invalid-parameter`. */
export function parseLayerDigest(text: string, member: string): Digest {
  const digest = tryParseDigest(text)
  if (digest === undefined) throw invalidParameter(member, `must satisfy regular expression '${DIGEST_PATTERN}'`)
  return digest
}

/** What ECR takes for a digest, although only some algorithms can be stored. */
export const DIGEST_PATTERN = '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'

/** `{imageDigest, imageTag}` on the wire, unchecked. */
export interface WireImageId {
  readonly imageDigest?: string | undefined
  readonly imageTag?: string | undefined
}

/** The id, checked. Throws `invalid-parameter`, `tag-invalid`, `digest-invalid`. */
export function parseImageId({ imageDigest, imageTag }: WireImageId): ImageId {
  return {
    digest: imageDigest === undefined ? undefined : parseDigest(imageDigest),
    tag: imageTag === undefined ? undefined : parseTag(imageTag),
  }
}

export function rawImageId({ imageDigest, imageTag }: WireImageId): RawImageId {
  return { digest: imageDigest, tag: imageTag }
}

export function wireImageId({ digest, tag }: RawImageId): { imageDigest?: string; imageTag?: string } {
  return { ...(digest === undefined ? {} : { imageDigest: digest }), ...(tag === undefined ? {} : { imageTag: tag }) }
}

/** A failure of one id of a batch. */
export function wireFailure({ imageId, code, reason }: ImageFailure) {
  return { imageId: wireImageId(imageId), failureCode: code, failureReason: reason }
}
