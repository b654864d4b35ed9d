import { type ErrorDetails, RegistryError } from './registry-error.ts'

export function malformedPolicyDocument(message: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('policy-malformed', message, {}, options)
}

/** `percent`: of what session policies and tags may take together. */
export function packedPolicyTooLarge(percent: number): RegistryError {
  return new RegistryError(
    'packed-policy-too-large',
    `Serialized token too large for session: the session policies and tags take ${percent}% of the allowed packed size`,
  )
}

export function invalidIdentityToken(message: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('identity-token-invalid', message, {}, options)
}

/** The web identity token was good once. `issuedAt` and `expiredAt`: what AWS repeats. */
export function identityTokenExpired(nowSeconds: number, expiredSeconds: number): RegistryError {
  return new RegistryError(
    'identity-token-expired',
    `Token expired: current date/time ${nowSeconds} must be before the expiration date/time ${expiredSeconds}`,
  )
}

export function identityClaimRejected(message: string): RegistryError {
  return new RegistryError('identity-claim-rejected', message)
}

/** The identity provider's keys cannot be had; `reason` names no address but the provider's own. */
export function identityProviderUnreachable(reason: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('identity-provider-unreachable', reason, {}, options)
}

/** AWS says the same whether the role is missing or does not trust the caller. */
export function assumeRoleDenied(
  callerArn: string,
  action: string,
  roleArn: string,
  details: ErrorDetails = {},
): RegistryError {
  const message = `User: ${callerArn} is not authorized to perform: ${action} on resource: ${roleArn}`
  return new RegistryError('access-denied', message, details)
}

export function assumeRoleWithWebIdentityDenied(): RegistryError {
  return new RegistryError('access-denied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')
}

/** In the Query protocol's words: `reason` follows the value's name. */
export function validationError(message: string): RegistryError {
  return new RegistryError('invalid-parameter', message)
}

export function authorizationMessageInvalid(): RegistryError {
  return new RegistryError('authorization-message-invalid', 'The specified message is invalid')
}
