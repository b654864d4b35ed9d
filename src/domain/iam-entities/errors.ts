import { RegistryError } from '../registry-error.ts'
import type { EntityKind } from './entity.ts'

/** What IAM calls the kinds in its sentences. */
const NOUNS: Readonly<Record<EntityKind, string>> = {
  user: 'user',
  group: 'group',
  role: 'role',
  policy: 'policy',
  'oidc-provider': 'OpenIDConnect Provider',
}

export function entityNotFound(kind: EntityKind, name: string): RegistryError {
  return notFound(`The ${NOUNS[kind]} with name ${name} cannot be found.`)
}

export function policyNotFound(arn: string): RegistryError {
  return notFound(`Policy ${arn} was not found.`)
}

/** The ARN of a policy that is to be attached leads nowhere. */
export function policyNotThere(arn: string): RegistryError {
  return notFound(`Policy ${arn} does not exist or is not attachable.`)
}

export function policyVersionNotFound(arn: string, version: string): RegistryError {
  return notFound(`Policy ${arn} version ${version} does not exist or is not attachable.`)
}

export function inlinePolicyNotFound(kind: EntityKind, name: string): RegistryError {
  return notFound(`The ${NOUNS[kind]} policy with name ${name} cannot be found.`)
}

export function accessKeyNotFound(id: string): RegistryError {
  return notFound(`The Access Key with id ${id} cannot be found.`)
}

/** Users here have no passwords. */
export function loginProfileNotFound(userName: string): RegistryError {
  return notFound(`Login Profile for User ${userName} cannot be found.`)
}

export function providerNotFound(arn: string): RegistryError {
  return notFound(`OpenIDConnect Provider not found for arn ${arn}`)
}

export function notInGroup(user: string, group: string): RegistryError {
  return notFound(`The user with name ${user} is not in the group with name ${group}.`)
}

export function deletionTaskNotFound(id: string): RegistryError {
  return notFound(`Deletion task ${id} cannot be found.`)
}

function notFound(message: string): RegistryError {
  return new RegistryError('entity-not-found', message)
}

export function entityExists(kind: EntityKind, name: string): RegistryError {
  const noun = NOUNS[kind]
  const sentence =
    kind === 'policy'
      ? `A policy called ${name} already exists. Duplicate names are not allowed.`
      : kind === 'oidc-provider'
        ? `Provider with url https://${name} already exists.`
        : `${noun.charAt(0).toUpperCase()}${noun.slice(1)} with name ${name} already exists.`
  return new RegistryError('entity-exists', sentence)
}

/** Something still hangs on what is to be deleted. */
export function deleteConflict(message: string): RegistryError {
  return new RegistryError('delete-conflict', message)
}

/** `things` as IAM names a quota, such as `AccessKeysPerUser`. */
export function quotaExceeded(things: string, limit: number): RegistryError {
  return new RegistryError('quota-exceeded', `Cannot exceed quota for ${things}: ${limit}`)
}

export function tooManyVersions(limit: number): RegistryError {
  return new RegistryError(
    'quota-exceeded',
    `A managed policy can have up to ${limit} versions. Before you create a new version, you must delete an existing version.`,
  )
}

export function inlinePolicyTooLarge(kind: EntityKind, name: string, limit: number): RegistryError {
  return new RegistryError('quota-exceeded', `Maximum policy size of ${limit} bytes exceeded for ${kind} ${name}`)
}

export function invalidInput(message: string): RegistryError {
  return new RegistryError('input-invalid', message)
}

export function roleProtected(name: string): RegistryError {
  return new RegistryError(
    'entity-unmodifiable',
    `Cannot perform the operation on the protected role '${name}' - this role is only modifiable by AWS`,
  )
}

export function malformedPolicy(message: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('policy-malformed', message, {}, options)
}

/** The policy is for service-linked roles alone. */
export function policyNotAttachable(arn: string): RegistryError {
  return new RegistryError('policy-not-attachable', `Cannot attach a Service Role Policy to a Customer Role. (${arn})`)
}
