import type { RepositoryRef } from '../names.ts'
import { RegistryError } from '../registry-error.ts'

const ofRepository = ({ name, registry }: RepositoryRef) =>
  `for the repository with name '${name}' in the registry with id '${registry.registryId}'`

export function lifecyclePolicyNotFound(ref: RepositoryRef): RegistryError {
  return new RegistryError('lifecycle-policy-not-found', `Lifecycle policy does not exist ${ofRepository(ref)}`)
}

export function lifecyclePreviewNotFound(ref: RepositoryRef): RegistryError {
  return new RegistryError(
    'lifecycle-preview-not-found',
    `Lifecycle policy preview does not exist ${ofRepository(ref)}`,
  )
}

export function lifecyclePreviewInProgress(ref: RepositoryRef): RegistryError {
  return new RegistryError(
    'lifecycle-preview-in-progress',
    `Lifecycle policy preview is in progress ${ofRepository(ref)}`,
  )
}
