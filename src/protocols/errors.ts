import { type ErrorCode, isRegistryError, type RegistryError } from '../domain/errors.ts'

interface OciWire {
  readonly status: number
  readonly code: string
  readonly text?: string
}

/**
 * How one error looks on each wire. `oci: null`: cannot arise there. A text replaces the error's own message. `ecr`: what
 * ECR answers on `/v2/` where OCI wants something else.
 */
interface Wire {
  readonly oci: OciWire | null
  readonly ecr?: OciWire
  readonly aws: { readonly status: number; readonly code: string }
}

const IPE = 'InvalidParameterException'

const aws = (code: string, status = 400) => ({ status, code })
const oci = (status: number, code: string, text?: string) =>
  text === undefined ? { status, code } : { status, code, text }

/**
 * The only place where codes meet the wire. ECR answers 400 to everything that is the caller's fault, and 405
 * UNSUPPORTED to parameter problems on `/v2/`; names of AWS errors exist in the models or are common to all services.
 */
const WIRE = {
  'access-denied': { oci: oci(403, 'DENIED'), aws: aws('AccessDeniedException') },
  'alarm-data-invalid': { oci: null, aws: aws('InvalidFormatFault') },
  'alarm-limit-exceeded': { oci: null, aws: aws('LimitExceededFault') },
  'alarm-not-found': { oci: null, aws: aws('ResourceNotFound', 404) },
  // These two, and what an analysis says of a layer, end in the reason of a scan that failed; no request waits for one.
  'analysis-crashed': { oci: null, aws: aws('UnsupportedImageTypeException') },
  'analysis-timed-out': { oci: null, aws: aws('UnsupportedImageTypeException') },
  'audit-max-results-invalid': { oci: null, aws: aws('InvalidMaxResultsException') },
  'audit-next-token-invalid': { oci: null, aws: aws('InvalidNextTokenException') },
  'audit-time-range-invalid': { oci: null, aws: aws('InvalidTimeRangeException') },
  'authentication-missing': { oci: null, aws: aws('MissingAuthenticationTokenException') },
  'authorization-message-invalid': { oci: null, aws: aws('InvalidAuthorizationMessageException') },
  'blob-not-found': { oci: oci(404, 'BLOB_UNKNOWN'), aws: aws('LayersNotFoundException') },
  'ciphertext-invalid': { oci: null, aws: aws('InvalidCiphertextException') },
  'delete-conflict': { oci: null, aws: aws('DeleteConflict', 409) },
  'digest-invalid': { oci: oci(400, 'DIGEST_INVALID'), aws: aws(IPE) },
  'dry-run-succeeded': { oci: null, aws: aws('DryRunOperationException') },
  'entity-exists': { oci: null, aws: aws('EntityAlreadyExists', 409) },
  'entity-not-found': { oci: null, aws: aws('NoSuchEntity', 404) },
  'entity-unmodifiable': { oci: null, aws: aws('UnmodifiableEntity') },
  'event-input-invalid': { oci: null, aws: aws('ValidationException') },
  'event-limit-exceeded': { oci: null, aws: aws('LimitExceededException') },
  'event-pattern-invalid': { oci: null, aws: aws('InvalidEventPatternException') },
  'event-rule-not-found': { oci: null, aws: aws('ResourceNotFoundException') },
  'exclusion-exists': { oci: null, aws: aws('ExclusionAlreadyExistsException') },
  'exclusion-not-found': { oci: null, aws: aws('ExclusionNotFoundException') },
  'identity-claim-rejected': { oci: null, aws: aws('IDPRejectedClaim', 403) },
  'identity-provider-unreachable': { oci: null, aws: aws('IDPCommunicationError') },
  'identity-token-expired': { oci: null, aws: aws('ExpiredTokenException') },
  'identity-token-invalid': { oci: null, aws: aws('InvalidIdentityToken') },
  // To a pull it is not there; the text says why.
  'image-archived': { oci: oci(404, 'MANIFEST_UNKNOWN'), aws: aws('ImageArchivedException') },
  'image-digest-mismatch': { oci: oci(400, 'DIGEST_INVALID'), aws: aws('ImageDigestDoesNotMatchException') },
  'image-exists': { oci: null, aws: aws('ImageAlreadyExistsException') },
  'image-not-found': {
    oci: oci(404, 'MANIFEST_UNKNOWN', 'Requested image not found'),
    aws: aws('ImageNotFoundException'),
  },
  'image-referenced': { oci: oci(405, 'UNSUPPORTED'), aws: aws(IPE) },
  'image-type-unsupported': { oci: null, aws: aws('UnsupportedImageTypeException') },
  'input-invalid': { oci: null, aws: aws('InvalidInput') },
  'invalid-parameter': { oci: oci(405, 'UNSUPPORTED'), aws: aws(IPE) },
  'invalid-tag-parameter': { oci: null, aws: aws('InvalidTagParameterException') },
  'key-alias-exists': { oci: null, aws: aws('AlreadyExistsException') },
  'key-alias-invalid': { oci: null, aws: aws('InvalidAliasNameException') },
  'key-arn-invalid': { oci: null, aws: aws('InvalidArnException') },
  'key-disabled': { oci: null, aws: aws('DisabledException') },
  'key-grant-id-invalid': { oci: null, aws: aws('InvalidGrantIdException') },
  'key-grant-token-invalid': { oci: null, aws: aws('InvalidGrantTokenException') },
  'key-incorrect': { oci: null, aws: aws('IncorrectKeyException') },
  'key-marker-invalid': { oci: null, aws: aws('InvalidMarkerException') },
  'key-not-found': { oci: null, aws: aws('NotFoundException') },
  'key-policy-malformed': { oci: null, aws: aws('MalformedPolicyDocumentException') },
  'key-state-invalid': { oci: null, aws: aws('KMSInvalidStateException') },
  'key-tag-invalid': { oci: null, aws: aws('TagException') },
  'key-unsupported': { oci: null, aws: aws('UnsupportedOperationException') },
  'key-usage-invalid': { oci: null, aws: aws('InvalidKeyUsageException') },
  // A key that is disabled or gone; what the repository holds cannot be had without it.
  'kms-key-unusable': { oci: oci(403, 'DENIED'), aws: aws('KmsException') },
  'layer-digest-mismatch': {
    oci: oci(400, 'DIGEST_INVALID'),
    ecr: oci(400, 'BLOB_UPLOAD_INVALID'),
    aws: aws('InvalidLayerException'),
  },
  'layer-exists': { oci: null, aws: aws('LayerAlreadyExistsException') },
  'layer-inaccessible': { oci: oci(404, 'BLOB_UNKNOWN'), aws: aws('LayerInaccessibleException') },
  'layer-not-found': { oci: oci(404, 'BLOB_UNKNOWN'), aws: aws('LayersNotFoundException') },
  'layer-part-too-small': { oci: oci(400, 'BLOB_UPLOAD_INVALID'), aws: aws('LayerPartTooSmallException') },
  'layer-too-large': { oci: null, aws: aws('UnsupportedImageTypeException') },
  'layer-type-unsupported': { oci: null, aws: aws('UnsupportedImageTypeException') },
  'layer-unreadable': { oci: null, aws: aws('UnsupportedImageTypeException') },
  // The code ECR really sends; OCI would say MANIFEST_BLOB_UNKNOWN.
  'layers-not-found': { oci: oci(404, 'BLOB_UPLOAD_UNKNOWN'), aws: aws('LayersNotFoundException') },
  'lifecycle-policy-not-found': { oci: null, aws: aws('LifecyclePolicyNotFoundException') },
  'lifecycle-preview-in-progress': { oci: null, aws: aws('LifecyclePolicyPreviewInProgressException') },
  'lifecycle-preview-not-found': { oci: null, aws: aws('LifecyclePolicyPreviewNotFoundException') },
  'limit-exceeded': { oci: oci(429, 'TOOMANYREQUESTS'), aws: aws('LimitExceededException') },
  'manifest-invalid': { oci: oci(400, 'MANIFEST_INVALID'), ecr: oci(405, 'UNSUPPORTED'), aws: aws(IPE) },
  'manifest-too-large': { oci: oci(413, 'SIZE_INVALID'), aws: aws(IPE) },
  'metric-parameter-invalid': { oci: null, aws: aws('InvalidParameterValueException') },
  'metric-parameters-conflict': { oci: null, aws: aws('InvalidParameterCombinationException') },
  'metric-resource-not-found': { oci: null, aws: aws('ResourceNotFoundException', 404) },
  'metric-token-invalid': { oci: null, aws: aws('InvalidNextToken') },
  'packed-policy-too-large': { oci: null, aws: aws('PackedPolicyTooLarge') },
  'page-invalid': { oci: oci(405, 'UNSUPPORTED'), aws: aws(IPE) },
  'policy-malformed': { oci: null, aws: aws('MalformedPolicyDocument') },
  'policy-not-attachable': { oci: null, aws: aws('PolicyNotAttachable') },
  'pull-through-rule-exists': { oci: null, aws: aws('PullThroughCacheRuleAlreadyExistsException') },
  'pull-through-rule-invalid': { oci: null, aws: aws('ValidationException') },
  'pull-through-rule-not-found': { oci: null, aws: aws('PullThroughCacheRuleNotFoundException') },
  'quota-exceeded': { oci: null, aws: aws('LimitExceeded', 409) },
  'range-not-satisfiable': { oci: oci(416, 'BLOB_UNKNOWN'), aws: aws(IPE) },
  'referenced-images-not-found': {
    oci: oci(404, 'MANIFEST_BLOB_UNKNOWN'),
    aws: aws('ReferencedImagesNotFoundException'),
  },
  'registry-not-found': { oci: oci(404, 'NAME_UNKNOWN'), aws: aws('RegistryNotFoundException') },
  'registry-policy-not-found': { oci: null, aws: aws('RegistryPolicyNotFoundException') },
  'repository-exists': { oci: null, aws: aws('RepositoryAlreadyExistsException') },
  'repository-name-invalid': { oci: oci(400, 'NAME_INVALID'), aws: aws(IPE) },
  'repository-not-empty': { oci: null, aws: aws('RepositoryNotEmptyException') },
  'repository-policy-not-found': { oci: null, aws: aws('RepositoryPolicyNotFoundException') },
  'repository-not-found': { oci: oci(404, 'NAME_UNKNOWN'), aws: aws('RepositoryNotFoundException') },
  'request-malformed': { oci: oci(400, 'UNSUPPORTED'), aws: aws('SerializationException') },
  'request-too-large': { oci: oci(413, 'SIZE_INVALID'), aws: aws('RequestEntityTooLargeException', 413) },
  'route-unknown': { oci: oci(404, 'UNSUPPORTED'), aws: aws('UnknownOperationException', 404) },
  'scan-not-found': { oci: null, aws: aws('ScanNotFoundException') },
  'scan-refused': { oci: null, aws: aws('ValidationException') },
  'secret-decryption-failed': { oci: null, aws: aws('DecryptionFailure') },
  'secret-encryption-failed': { oci: null, aws: aws('EncryptionFailure') },
  'secret-exists': { oci: null, aws: aws('ResourceExistsException') },
  'secret-not-found': { oci: null, aws: aws('ResourceNotFoundException') },
  'secret-parameter-invalid': { oci: null, aws: aws(IPE) },
  'secret-request-invalid': { oci: null, aws: aws('InvalidRequestException') },
  'secret-token-invalid': { oci: null, aws: aws('InvalidNextTokenException') },
  'security-token-expired': { oci: null, aws: aws('ExpiredTokenException') },
  'security-token-invalid': { oci: null, aws: aws('UnrecognizedClientException') },
  'signature-expired': { oci: null, aws: aws('InvalidSignatureException') },
  'signature-incomplete': { oci: null, aws: aws('IncompleteSignatureException') },
  'signature-mismatch': { oci: null, aws: aws('InvalidSignatureException') },
  'signing-configuration-not-found': { oci: null, aws: aws('SigningConfigurationNotFoundException') },
  'storage-class-refused': { oci: null, aws: aws('ImageStorageClassUpdateNotSupportedException') },
  'storage-full': { oci: oci(507, 'DENIED'), aws: aws('LimitExceededException') },
  'tag-immutable': { oci: oci(400, 'TAG_INVALID'), aws: aws('ImageTagAlreadyExistsException') },
  'tag-invalid': { oci: oci(400, 'TAG_INVALID'), aws: aws(IPE) },
  'template-exists': { oci: null, aws: aws('TemplateAlreadyExistsException') },
  'template-not-found': { oci: null, aws: aws('TemplateNotFoundException') },
  throttled: { oci: oci(429, 'TOOMANYREQUESTS'), aws: aws('ThrottlingException') },
  'token-expired': { oci: oci(403, 'DENIED'), aws: aws('ExpiredTokenException') },
  'token-invalid': { oci: oci(400, 'DENIED'), aws: aws('UnrecognizedClientException') },
  'too-many-tags': { oci: null, aws: aws('TooManyTagsException') },
  unauthenticated: { oci: oci(401, 'UNAUTHORIZED'), aws: aws('UnrecognizedClientException') },
  'unknown-operation': { oci: null, aws: aws('UnknownOperationException') },
  unsupported: { oci: oci(405, 'UNSUPPORTED'), aws: aws(IPE) },
  'unsupported-command': { oci: null, aws: aws('UnsupportedCommandException') },
  'unsupported-operation': { oci: null, aws: aws('UnsupportedOperationException') },
  'upload-busy': { oci: oci(409, 'BLOB_UPLOAD_INVALID'), aws: aws('InvalidLayerPartException') },
  'upload-empty': { oci: oci(400, 'BLOB_UPLOAD_INVALID'), aws: aws('EmptyUploadException') },
  'upload-not-found': { oci: oci(404, 'BLOB_UPLOAD_UNKNOWN'), aws: aws('UploadNotFoundException') },
  'upload-range-invalid': { oci: oci(416, 'BLOB_UPLOAD_INVALID'), aws: aws('InvalidLayerPartException') },
  'upstream-denied': { oci: oci(403, 'DENIED'), aws: aws('UnableToGetUpstreamImageException') },
  'upstream-layer-unavailable': { oci: oci(404, 'BLOB_UNKNOWN'), aws: aws('UnableToGetUpstreamLayerException') },
  'upstream-not-found': { oci: oci(404, 'MANIFEST_UNKNOWN'), aws: aws('UnableToGetUpstreamImageException') },
  'upstream-rate-limited': { oci: oci(429, 'TOOMANYREQUESTS'), aws: aws('UnableToGetUpstreamImageException') },
  'upstream-referrers-unavailable': {
    oci: oci(403, 'DENIED'),
    aws: aws('UnableToListUpstreamImageReferrersException'),
  },
  'upstream-secret-inaccessible': { oci: null, aws: aws('UnableToAccessSecretException') },
  'upstream-secret-not-found': { oci: null, aws: aws('SecretNotFoundException') },
  'upstream-secret-unreadable': { oci: null, aws: aws('UnableToDecryptSecretValueException') },
  // The failure of somebody else: clients try again later, as they do with any 5xx.
  'upstream-unavailable': { oci: oci(503, 'UNKNOWN'), aws: aws('UnableToGetUpstreamImageException') },
  'upstream-unsupported': { oci: null, aws: aws('UnsupportedUpstreamRegistryException') },
  'upstream-wrong': { oci: oci(502, 'UNKNOWN'), aws: aws('UnableToGetUpstreamImageException') },
} as const satisfies Record<ErrorCode, Wire>

/** The codes of `WIRE`, for the test that holds them against the models and the OCI specification. */
export const wireTable: Readonly<Record<ErrorCode, Wire>> = WIRE

/** An error as a wire shows it. `isBug`: the cause belongs in the log, not in the answer. */
export interface WireError {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly isBug: boolean
  /** The domain error behind it, for its details; absent for bugs. */
  readonly error?: RegistryError
}

const INTERNAL_MESSAGE = 'The registry failed to process this request. Its log has the details under the request id.'

/** The header by which a refused caller gets what DecodeAuthorizationMessage reads; AWS's sentences stay as they are. */
const AUTHORIZATION_MESSAGE = 'x-ecru-authorization-message'

/** What a refusal says beside its text, on every wire. */
export function refusalHeaders(error: RegistryError | undefined): Readonly<Record<string, string>> {
  const message = error?.code === 'access-denied' ? error.details.authorizationMessage : undefined
  return typeof message === 'string' ? { [AUTHORIZATION_MESSAGE]: message } : {}
}

/**
 * What an OCI client sees; with fidelity `aws` as ECR has it. Anything that is not a RegistryError, or cannot arise on this
 * wire, is a bug of ours: 500.
 */
export function ociErrorOf(thrown: unknown, fidelity: 'oci' | 'aws' = 'oci'): WireError {
  const wires = isRegistryError(thrown) ? wireTable[thrown.code] : undefined
  const wire = (fidelity === 'aws' ? wires?.ecr : undefined) ?? wires?.oci ?? null
  if (!isRegistryError(thrown) || wire === null)
    return { status: 500, code: 'UNKNOWN', message: INTERNAL_MESSAGE, isBug: true }
  const { status, code, text } = wire
  return { status, code, message: text ?? thrown.message, isBug: false, error: thrown }
}

/** What an AWS client sees. */
export function awsErrorOf(thrown: unknown): WireError {
  if (!isRegistryError(thrown)) return { status: 500, code: 'ServerException', message: INTERNAL_MESSAGE, isBug: true }
  const { status, code } = wireTable[thrown.code].aws
  return { status, code, message: thrown.message, isBug: false, error: thrown }
}
