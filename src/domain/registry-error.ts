/**
 * What can go wrong, as one closed list. A code is Ecru's own; what it looks like on a wire is decided in
 * `protocols/errors.ts` alone. Sentences are ECR's, where ECR's are known.
 */
export type ErrorCode =
  | 'access-denied'
  | 'analysis-crashed'
  | 'analysis-timed-out'
  | 'audit-max-results-invalid'
  | 'audit-next-token-invalid'
  | 'audit-time-range-invalid'
  | 'authentication-missing'
  | 'authorization-message-invalid'
  | 'blob-not-found'
  | 'ciphertext-invalid'
  | 'delete-conflict'
  | 'digest-invalid'
  | 'dry-run-succeeded'
  | 'entity-exists'
  | 'entity-not-found'
  | 'entity-unmodifiable'
  | 'exclusion-exists'
  | 'exclusion-not-found'
  | 'identity-claim-rejected'
  | 'identity-provider-unreachable'
  | 'identity-token-expired'
  | 'identity-token-invalid'
  | 'image-archived'
  | 'image-digest-mismatch'
  | 'image-exists'
  | 'image-not-found'
  | 'image-referenced'
  | 'input-invalid'
  | 'invalid-parameter'
  | 'invalid-tag-parameter'
  | 'key-alias-exists'
  | 'key-alias-invalid'
  | 'key-arn-invalid'
  | 'key-disabled'
  | 'key-grant-id-invalid'
  | 'key-grant-token-invalid'
  | 'key-incorrect'
  | 'key-marker-invalid'
  | 'key-not-found'
  | 'key-policy-malformed'
  | 'key-state-invalid'
  | 'key-tag-invalid'
  | 'key-unsupported'
  | 'key-usage-invalid'
  | 'kms-key-unusable'
  | 'layer-digest-mismatch'
  | 'layer-exists'
  | 'layer-inaccessible'
  | 'layer-not-found'
  | 'layer-part-too-small'
  | 'layer-too-large'
  | 'layer-type-unsupported'
  | 'layer-unreadable'
  | 'layers-not-found'
  | 'lifecycle-policy-not-found'
  | 'lifecycle-preview-in-progress'
  | 'lifecycle-preview-not-found'
  | 'limit-exceeded'
  | 'manifest-invalid'
  | 'manifest-too-large'
  | 'packed-policy-too-large'
  | 'page-invalid'
  | 'policy-malformed'
  | 'policy-not-attachable'
  | 'range-not-satisfiable'
  | 'quota-exceeded'
  | 'referenced-images-not-found'
  | 'registry-not-found'
  | 'registry-policy-not-found'
  | 'repository-exists'
  | 'repository-name-invalid'
  | 'repository-not-empty'
  | 'repository-not-found'
  | 'repository-policy-not-found'
  | 'request-malformed'
  | 'request-too-large'
  | 'route-unknown'
  | 'scan-not-found'
  | 'security-token-expired'
  | 'security-token-invalid'
  | 'signature-expired'
  | 'signature-incomplete'
  | 'signature-mismatch'
  | 'signing-configuration-not-found'
  | 'storage-class-refused'
  | 'storage-full'
  | 'tag-immutable'
  | 'tag-invalid'
  | 'template-exists'
  | 'template-not-found'
  | 'throttled'
  | 'token-expired'
  | 'token-invalid'
  | 'too-many-tags'
  | 'unauthenticated'
  | 'unknown-operation'
  | 'unsupported'
  | 'unsupported-command'
  | 'unsupported-operation'
  | 'upload-busy'
  | 'upload-empty'
  | 'upload-not-found'
  | 'upload-range-invalid'

/** Facts that some wires repeat beside the message, such as `lastValidByteReceived`. */
export type ErrorDetails = Readonly<Record<string, string | number | undefined>>

/** The one error class. `code` is for programs, `message` for the person who caused it. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
  readonly code: ErrorCode
  readonly details: ErrorDetails

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.details = details
  }
}

/** Whether a thrown thing is a RegistryError (of one of the codes, when some are given). */
export function isRegistryError(thrown: unknown, ...codes: readonly ErrorCode[]): thrown is RegistryError {
  return thrown instanceof RegistryError && (codes.length === 0 || codes.includes(thrown.code))
}
