import { isRegistryError, RegistryError } from '../registry-error.ts'

export function secretNotFound(what = 'secret'): RegistryError {
  return new RegistryError('secret-not-found', `Secrets Manager can't find the specified ${what}.`)
}

export function secretValueNotFound(what: string): RegistryError {
  return new RegistryError('secret-not-found', `Secrets Manager can't find the specified secret value for ${what}`)
}

export function secretExists(name: string): RegistryError {
  return new RegistryError('secret-exists', `The operation failed because the secret ${name} already exists.`)
}

export function secretVersionExists(versionId: string): RegistryError {
  return new RegistryError(
    'secret-exists',
    `You can't use ClientRequestToken ${versionId} because that value is already in use for a version of the secret.`,
  )
}

export function secretDeleted(): RegistryError {
  return new RegistryError(
    'secret-request-invalid',
    "You can't perform this operation on the secret because it was marked for deletion.",
  )
}

export function secretRequestInvalid(message: string): RegistryError {
  return new RegistryError('secret-request-invalid', message)
}

export function secretParameterInvalid(message: string): RegistryError {
  return new RegistryError('secret-parameter-invalid', message)
}

export function secretTokenInvalid(): RegistryError {
  return new RegistryError('secret-token-invalid', 'The NextToken value is invalid.')
}

/** Secrets Manager tells by an exception of its own that KMS does not let it. */
export function asSecretFailure(thrown: unknown, isEncryption: boolean): unknown {
  if (!isRegistryError(thrown)) return thrown
  const isOfKey = thrown.code.startsWith('key-') || thrown.code === 'ciphertext-invalid'
  if (!isOfKey) return thrown
  const code = isEncryption ? 'secret-encryption-failed' : 'secret-decryption-failed'
  return new RegistryError(
    code,
    `Secrets Manager can't ${isEncryption ? 'encrypt' : 'decrypt'} the secret value: ${thrown.message}`,
    {},
    { cause: thrown },
  )
}
