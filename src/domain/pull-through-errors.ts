import type { Registry } from './names.ts'
import { RegistryError } from './registry-error.ts'

interface RulePlace {
  readonly prefix: string
  readonly registry: Registry
}

export function pullThroughRuleExists({ prefix, registry }: RulePlace): RegistryError {
  return new RegistryError(
    'pull-through-rule-exists',
    `A pull through cache rule with prefix '${prefix}' already exists in the registry with id '${registry.registryId}'`,
  )
}

export function pullThroughRuleNotFound({ prefix, registry }: RulePlace): RegistryError {
  return new RegistryError(
    'pull-through-rule-not-found',
    `A pull through cache rule with prefix '${prefix}' does not exist in the registry with id '${registry.registryId}'`,
  )
}

export function upstreamUnsupported(message: string): RegistryError {
  return new RegistryError('upstream-unsupported', message)
}

/** What the parameters say together cannot be. */
export function pullThroughRuleInvalid(message: string): RegistryError {
  return new RegistryError('pull-through-rule-invalid', message)
}

export function upstreamSecretNotFound(): RegistryError {
  return new RegistryError(
    'upstream-secret-not-found',
    'The specified secret could not be found. Verify the secret name and that it is in the same account and region as the registry, and try again',
  )
}

export function upstreamSecretInaccessible(): RegistryError {
  return new RegistryError(
    'upstream-secret-inaccessible',
    'The specified secret cannot be accessed. Verify the resource permissions of the secret and try again',
  )
}

export function upstreamSecretUnreadable(): RegistryError {
  return new RegistryError(
    'upstream-secret-unreadable',
    'The value of the specified secret cannot be decrypted. Verify the permissions of its key and try again',
  )
}

/** The referrers of an image could not be asked for. */
export function upstreamReferrersUnavailable(message: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('upstream-referrers-unavailable', message, {}, options)
}

/** A layer could not be had from the upstream. */
export function upstreamLayerUnavailable(message: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('upstream-layer-unavailable', message, {}, options)
}
