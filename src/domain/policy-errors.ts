import { RegistryError } from './errors.ts'
import type { Registry, RepositoryRef } from './names.ts'

export function repositoryPolicyNotFound({ name, registry }: RepositoryRef): RegistryError {
  return new RegistryError(
    'repository-policy-not-found',
    `Repository policy does not exist for the repository with name '${name}' in the registry with id '${registry.registryId}'`,
  )
}

export function registryPolicyNotFound({ registryId }: Registry): RegistryError {
  return new RegistryError(
    'registry-policy-not-found',
    `Registry policy does not exist in the registry with id '${registryId}'`,
  )
}
