import type { Registry } from './names.ts'
import { RegistryError } from './registry-error.ts'

interface TemplatePlace {
  readonly prefix: string
  readonly registry: Registry
}

export function templateExists({ prefix, registry }: TemplatePlace): RegistryError {
  return new RegistryError(
    'template-exists',
    `A repository creation template with prefix '${prefix}' already exists in the registry with id '${registry.registryId}'`,
  )
}

export function templateNotFound({ prefix, registry }: TemplatePlace): RegistryError {
  return new RegistryError(
    'template-not-found',
    `A repository creation template with prefix '${prefix}' does not exist in the registry with id '${registry.registryId}'`,
  )
}

/** A template gives tags, which ECR sets in the name of a role only. */
export function templateRoleMissing({ prefix }: TemplatePlace): RegistryError {
  return new RegistryError(
    'access-denied',
    `The repository cannot be created: the repository creation template with prefix '${prefix}' has resource tags or a KMS key, for which it needs a customRoleArn`,
  )
}
