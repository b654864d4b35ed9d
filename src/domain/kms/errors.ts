import { type ErrorCode, isRegistryError, RegistryError } from '../registry-error.ts'
import type { KeyState } from './key.ts'

export function keyNotFound(arn: string): RegistryError {
  return new RegistryError('key-not-found', `Key '${arn}' does not exist`)
}

export function keyIdInvalid(text: string): RegistryError {
  return new RegistryError('key-not-found', `Invalid keyId '${text}'`)
}

export function aliasNotFound(arn: string): RegistryError {
  return new RegistryError('key-not-found', `Alias ${arn} is not found.`)
}

export function grantNotFound(): RegistryError {
  return new RegistryError('key-not-found', 'The grant does not exist.')
}

export function arnInvalid(text: string): RegistryError {
  return new RegistryError('key-arn-invalid', `Invalid arn ${text.slice(0, 200)}`)
}

export function keyDisabled(arn: string): RegistryError {
  return new RegistryError('key-disabled', `${arn} is disabled.`)
}

export function keyStateInvalid(arn: string, state: KeyState | 'not pending deletion'): RegistryError {
  const is = state === 'PendingDeletion' ? 'pending deletion' : state.toLowerCase()
  return new RegistryError('key-state-invalid', `${arn} is ${is}.`)
}

/** Says nothing of why: whether key, context or bytes are wrong is nobody's business. */
export function ciphertextInvalid(): RegistryError {
  return new RegistryError('ciphertext-invalid', 'The ciphertext cannot be decrypted.')
}

export function ciphertextKeyUnknown(): RegistryError {
  return new RegistryError(
    'access-denied',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.',
  )
}

export function keyIncorrect(): RegistryError {
  return new RegistryError(
    'key-incorrect',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  )
}

export function keyUsageInvalid(arn: string, algorithm: string): RegistryError {
  return new RegistryError('key-usage-invalid', `${arn} cannot be used with the algorithm ${algorithm}.`)
}

export function aliasExists(arn: string): RegistryError {
  return new RegistryError('key-alias-exists', `An alias with the name ${arn} already exists`)
}

export function aliasNameInvalid(message: string): RegistryError {
  return new RegistryError('key-alias-invalid', message)
}

export function markerInvalid(): RegistryError {
  return new RegistryError('key-marker-invalid', 'The marker is not one of this listing.')
}

export function grantIdInvalid(): RegistryError {
  return new RegistryError('key-grant-id-invalid', 'The grant id is not one of this key.')
}

export function grantTokenInvalid(): RegistryError {
  return new RegistryError('key-grant-token-invalid', 'The grant token is invalid.')
}

export function keyPolicyMalformed(message: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('key-policy-malformed', message, {}, options)
}

export function keyUnsupported(message: string): RegistryError {
  return new RegistryError('key-unsupported', message)
}

export function keyTagInvalid(message: string): RegistryError {
  return new RegistryError('key-tag-invalid', message)
}

/** All checks were passed, and nothing was done, as asked. */
export function dryRunSucceeded(): RegistryError {
  return new RegistryError('dry-run-succeeded', 'The request would have succeeded, but the DryRun option is set.')
}

/** What KMS calls the errors that ECR passes on. */
const KMS_NAMES: Partial<Record<ErrorCode, string>> = {
  'access-denied': 'AccessDeniedException',
  'key-arn-invalid': 'InvalidArnException',
  'key-disabled': 'DisabledException',
  'key-not-found': 'NotFoundException',
  'key-state-invalid': 'KMSInvalidStateException',
  'limit-exceeded': 'LimitExceededException',
}

/** An operation of ECR cannot use the key of its repository, for the reason that KMS gave. Whatever else was thrown passes unchanged. */
export function asKmsFailure(thrown: unknown): unknown {
  const kmsError = isRegistryError(thrown) ? KMS_NAMES[thrown.code] : undefined
  if (!isRegistryError(thrown) || kmsError === undefined) return thrown
  return new RegistryError(
    'kms-key-unusable',
    `The KMS key of the repository cannot be used (${kmsError}): ${thrown.message}`,
    { kmsError },
    { cause: thrown },
  )
}
