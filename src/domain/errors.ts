import { RegistryError } from './registry-error.ts'

export { type ErrorCode, type ErrorDetails, isRegistryError, RegistryError } from './registry-error.ts'

/** Where something is: what sentences need of a repository. */
export interface Place {
  readonly name: string
  readonly registry: { readonly registryId: string }
}

export const inRepository = ({ name, registry }: Place) =>
  `the repository with name '${name}' in the registry with id '${registry.registryId}'`

/** ECR prints the halves of an image id that were not given as `null`. */
export function printImageId(id: { readonly digest?: string | undefined; readonly tag?: string | undefined }): string {
  return `{imageDigest:'${id.digest ?? 'null'}', imageTag:'${id.tag ?? 'null'}'}`
}

// ── parameters ──

/** A member breaks a constraint; `reason` as ECR words it, such as `Invalid ARN`. `value`: as services repeat it that do; ECR does not. */
export function invalidParameter(
  member: string,
  reason: string,
  options?: ErrorOptions,
  value?: string,
): RegistryError {
  return new RegistryError(
    'invalid-parameter',
    `Invalid parameter at '${member}' failed to satisfy constraint: '${reason}'`,
    { member, reason, ...(value === undefined ? {} : { value }) },
    options,
  )
}

/** Something about the parameters together is wrong, said in a whole sentence. */
export function invalidParameters(message: string): RegistryError {
  return new RegistryError('invalid-parameter', message)
}

export function repositoryNameInvalid(pattern: string): RegistryError {
  const reason = `must satisfy regular expression '${pattern}'`
  return new RegistryError(
    'repository-name-invalid',
    `Invalid parameter at 'repositoryName' failed to satisfy constraint: '${reason}'`,
  )
}

export function tagInvalid(): RegistryError {
  return new RegistryError(
    'tag-invalid',
    "Invalid parameter at 'imageTag' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,299}''",
  )
}

export function digestInvalid(text: string): RegistryError {
  return new RegistryError(
    'digest-invalid',
    "Invalid parameter at 'imageDigest' failed to satisfy constraint: 'must satisfy regular expression '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+''",
    { digest: text.slice(0, 160) },
  )
}

export function pageInvalid(member: string, reason: string): RegistryError {
  return new RegistryError(
    'page-invalid',
    `Invalid parameter at '${member}' failed to satisfy constraint: '${reason}'`,
    { member },
  )
}

export function invalidTagParameter(message: string): RegistryError {
  return new RegistryError('invalid-tag-parameter', message)
}

export function tooManyTags(limit: number): RegistryError {
  return new RegistryError('too-many-tags', `The number of tags on a repository cannot exceed ${limit}.`)
}

export function limitExceeded(limit: number, things: string): RegistryError {
  return new RegistryError('limit-exceeded', `The limit of ${limit} ${things} has been exceeded`)
}

/** The image would be one too many in the repository. */
export function imageLimitExceeded(limit: number, { name, registry }: Place): RegistryError {
  return new RegistryError(
    'limit-exceeded',
    `The repository with name '${name}' in registry with id '${registry.registryId}' already has the maximum allowed number of images which is '${limit}'`,
  )
}

/** The tag would be one too many of an image. */
export function imageTagLimitExceeded(tag: string, limit: number, { name, registry }: Place): RegistryError {
  return new RegistryError(
    'limit-exceeded',
    `Adding tag '${tag}' to an image in the repository with name '${name}' in registry with id '${registry.registryId}' exceeds the maximum allowed number of tags per image which is '${limit}'`,
  )
}

export function throttled(cause?: unknown): RegistryError {
  return new RegistryError('throttled', 'Rate exceeded', {}, cause === undefined ? {} : { cause })
}

// ── repositories ──

export function repositoryNotFound({ name, registry }: Place): RegistryError {
  return new RegistryError(
    'repository-not-found',
    `The repository with name '${name}' does not exist in the registry with id '${registry.registryId}'`,
    { repositoryName: name },
  )
}

export function repositoryExists({ name, registry }: Place): RegistryError {
  return new RegistryError(
    'repository-exists',
    `The repository with name '${name}' already exists in the registry with id '${registry.registryId}'`,
  )
}

export function repositoryNotEmpty({ name, registry }: Place): RegistryError {
  return new RegistryError(
    'repository-not-empty',
    `The repository with name '${name}' in registry with id '${registry.registryId}' cannot be deleted because it still contains images`,
  )
}

// ── images ──

export function imageNotFound(
  id: { readonly digest?: string | undefined; readonly tag?: string | undefined },
  { name, registry }: Place,
): RegistryError {
  return new RegistryError(
    'image-not-found',
    `The image with imageId ${printImageId(id)} does not exist within the repository with name '${name}' in the registry with id '${registry.registryId}'`,
  )
}

/** The image is there, and no scan of it is. ECR names the digest also of an image that was asked for by its tag. */
export function scanNotFound(
  id: { readonly digest?: string | undefined; readonly tag?: string | undefined },
  place: Place,
): RegistryError {
  return new RegistryError(
    'scan-not-found',
    `Image scan does not exist for the image with '${printImageId(id)}' in ${inRepository(place)}`,
  )
}

export function imageExists(digest: string, tag: string | undefined, { name, registry }: Place): RegistryError {
  return new RegistryError(
    'image-exists',
    `Image with digest '${digest}' and tag '${tag ?? 'null'}' already exists in the repository with name '${name}' in registry with id '${registry.registryId}'`,
  )
}

export function tagImmutable(tag: string, { name }: Place): RegistryError {
  return new RegistryError(
    'tag-immutable',
    `The image tag '${tag}' already exists in the '${name}' repository and cannot be overwritten because the tag is immutable.`,
  )
}

export function imageDigestMismatch(given: string, calculated: string): RegistryError {
  return new RegistryError(
    'image-digest-mismatch',
    `Image digest '${given}' does not match the calculated digest '${calculated}'`,
  )
}

/** The manifest is none, or not one that a registry may keep; `reason` completes the sentence of ECR's IPE. */
export function manifestInvalid(reason: string): RegistryError {
  return new RegistryError(
    'manifest-invalid',
    `Invalid parameter at 'ImageManifest' failed to satisfy constraint: '${reason}'`,
  )
}

export function manifestTooLarge(limitBytes: number): RegistryError {
  return new RegistryError(
    'manifest-too-large',
    `Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Member must have length less than or equal to ${limitBytes}'`,
  )
}

export function layersNotFound(digests: readonly string[], { name, registry }: Place): RegistryError {
  return new RegistryError(
    'layers-not-found',
    `Layers with digests '[${digests.join(', ')}]' required for pushing image into repository with name '${name}' in the registry with id '${registry.registryId}' do not exist`,
  )
}

export function referencedImagesNotFound(digests: readonly string[], { name, registry }: Place): RegistryError {
  return new RegistryError(
    'referenced-images-not-found',
    `Images with digests '[${digests.join(', ')}]' required for pushing image into repository with name '${name}' in the registry with id '${registry.registryId}' do not exist`,
  )
}

export function imageReferenced(parents: readonly string[]): RegistryError {
  return new RegistryError('image-referenced', `Requested image referenced by manifest list: [${parents.join(', ')}]`)
}

// ── layers and uploads ──

/** The layer is there, and the key that encrypts it cannot be used; `why` is KMS's sentence. */
export function layerLocked(digest: string, place: Place, why: string): RegistryError {
  return new RegistryError(
    'layer-inaccessible',
    `The layer with digest '${digest}' in ${inRepository(place)} cannot be decrypted: ${why}`,
  )
}

/** A blob asked for by the OCI interface is not in the repository. */
export function blobNotFound(digest: string, place?: Place): RegistryError {
  const where = place === undefined ? '' : ` in ${inRepository(place)}`
  return new RegistryError('blob-not-found', `The layer with digest '${digest}' does not exist${where}`)
}

/** The same, in the words of GetDownloadUrlForLayer. */
export function layerNotFound(digest: string, { name, registry }: Place): RegistryError {
  return new RegistryError(
    'layer-not-found',
    `The layer with digest '${digest}' does not exist within the repository with name '${name}' in the registry with id '${registry.registryId}'`,
  )
}

export function layerInaccessible(digest: string, place: Place): RegistryError {
  return new RegistryError(
    'layer-inaccessible',
    `The layer with digest '${digest}' in ${inRepository(place)} is not associated with an image`,
  )
}

export function layerExists(digest: string, place: Place): RegistryError {
  return new RegistryError('layer-exists', `Layer already exists in ${inRepository(place)} with digest '${digest}'`)
}

/** In ECR's words, which name neither digest. */
export function layerDigestMismatch(given: string, calculated: string): RegistryError {
  return new RegistryError(
    'layer-digest-mismatch',
    'None of the provided layer digests match the calculated layer digest',
    { given, calculated },
  )
}

export function layerPartTooSmall(): RegistryError {
  return new RegistryError('layer-part-too-small', 'All layer parts except the last part should be at least 5MB')
}

export function uploadNotFound(uploadId: string, place?: Place): RegistryError {
  const where = place === undefined ? '' : ` in ${inRepository(place)}`
  return new RegistryError('upload-not-found', `The layer upload with id '${uploadId}' does not exist${where}`)
}

export function uploadEmpty(uploadId: string, { name, registry }: Place): RegistryError {
  return new RegistryError(
    'upload-empty',
    `The upload with id '${uploadId}' in the repository with name '${name}' in registry with id '${registry.registryId}' cannot be completed because it does not have any parts`,
  )
}

/** The part does not begin where the upload ends. `sizeBytes` is what the upload holds. */
export function uploadRangeInvalid(firstByte: number, sizeBytes: number): RegistryError {
  return new RegistryError(
    'upload-range-invalid',
    `First byte of the layer part is ${firstByte} instead of ${sizeBytes}`,
    {
      sizeBytes,
    },
  )
}

/** The part's length is not what its range promised. */
export function uploadLengthInvalid(promisedBytes: number, receivedBytes: number, sizeBytes: number): RegistryError {
  return new RegistryError(
    'upload-range-invalid',
    `The layer part holds ${receivedBytes} bytes instead of ${promisedBytes}`,
    { sizeBytes },
  )
}

/** Somebody else is writing to this upload right now. */
export function uploadBusy(uploadId: string): RegistryError {
  return new RegistryError('upload-busy', `The layer upload with id '${uploadId}' is being written by another request`)
}

export function rangeNotSatisfiable(sizeBytes: number): RegistryError {
  return new RegistryError('range-not-satisfiable', 'The requested range is not satisfiable', { sizeBytes })
}

export function storageFull(cause?: unknown): RegistryError {
  return new RegistryError('storage-full', 'The registry has no space left to store this content', {}, { cause })
}

// ── who is asking ──

/** No credentials on `/v2/`, or some that cannot be read as such. */
export function unauthenticated(): RegistryError {
  return new RegistryError('unauthenticated', 'Not Authorized')
}

export function tokenInvalid(): RegistryError {
  return new RegistryError('token-invalid', 'Your Authorization Token is invalid.')
}

export function tokenExpired(): RegistryError {
  return new RegistryError('token-expired', 'Your authorization token has expired. Reauthenticate and try again.')
}

/** `why` follows the word `because` or starts with `with`, as in AWS's sentences. `authorizationMessage`: more of it, sealed. */
export function accessDenied(
  callerArn: string,
  action: string,
  resource: string,
  why: string,
  authorizationMessage?: string,
): RegistryError {
  return new RegistryError(
    'access-denied',
    `User: ${callerArn} is not authorized to perform: ${action} on resource: ${resource} ${why}`,
    { authorizationMessage },
  )
}

/** No signature on an AWS request. */
export function authenticationMissing(): RegistryError {
  return new RegistryError('authentication-missing', 'Missing Authentication Token')
}

export function securityTokenInvalid(): RegistryError {
  return new RegistryError('security-token-invalid', 'The security token included in the request is invalid.')
}

export function securityTokenExpired(): RegistryError {
  return new RegistryError('security-token-expired', 'The security token included in the request is expired')
}

export function signatureMismatch(): RegistryError {
  return signatureRefused(
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  )
}

/** The signature is well-formed, but not one for this request; `message` says why, as AWS does. */
export function signatureRefused(message: string): RegistryError {
  return new RegistryError('signature-mismatch', message)
}

/** The signature is too old or from the future; `message` names both times, as AWS does. */
export function signatureExpired(message: string): RegistryError {
  return new RegistryError('signature-expired', message)
}

/** The Authorization header or query lacks a part or has one of the wrong form. */
export function signatureIncomplete(message: string): RegistryError {
  return new RegistryError('signature-incomplete', message)
}

// ── the request itself ──

/** No operation of that name exists. */
export function unknownOperation(): RegistryError {
  return new RegistryError('unknown-operation', 'The requested operation is not recognized by the service.')
}

/** The operation exists in AWS, but Ecru does not perform it (yet): said by name, never pretended. */
export function unsupportedOperation(service: string, operation: string): RegistryError {
  return new RegistryError('unsupported-operation', `${service} ${operation} is not supported by this registry.`)
}

/** The wire's own grammar is broken: not JSON, not base64, a wrong type. */
export function requestMalformed(message: string): RegistryError {
  return new RegistryError('request-malformed', message)
}

export function requestTooLarge(limitBytes: number): RegistryError {
  return new RegistryError('request-too-large', `The request is larger than ${limitBytes} bytes`, { limitBytes })
}

export function routeUnknown(): RegistryError {
  return new RegistryError('route-unknown', 'There is nothing at this address')
}

/** The request is understood, and this registry does not do that. */
export function unsupported(message: string): RegistryError {
  return new RegistryError('unsupported', message)
}
