import type { Registry, RepositoryRef } from '../domain/names.ts'
import type { Repository } from '../domain/repository.ts'

/** What a registry's policies are, as far as every request in it has to know. */
export interface RegistryPolicies {
  /** The text of the registry's own policy. */
  readonly text: string | undefined
  /** The account setting REGISTRY_POLICY_SCOPE, where it was made. */
  readonly scope: string | undefined
  /** False: no repository of this registry has a policy. */
  readonly hasRepositoryPolicies: boolean
}

/** The policies that say who may reach a registry and its repositories, as the texts that were given. */
export interface PolicyReader {
  ofRegistry(registry: Registry): Promise<RegistryPolicies>
  /** The policy of a repository, which need not exist. */
  ofRepository(ref: RepositoryRef): Promise<string | undefined>
}

/** Every change counts up `MetadataStore.policyRevision` when it is committed. */
export interface PolicyWriter extends PolicyReader {
  putOfRepository(repository: Repository, text: string): Promise<void>
  /** Answers the text that was removed. */
  deleteOfRepository(repositoryId: number): Promise<string | undefined>
  putOfRegistry(registry: Registry, text: string): Promise<void>
  /** Answers the text that was removed. */
  deleteOfRegistry(registry: Registry): Promise<string | undefined>
}
