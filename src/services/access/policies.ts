import { invalidParameter } from '../../domain/errors.ts'
import { namedIdentities } from '../../domain/iam/named-identities.ts'
import { parseRegistryPolicy, parseRepositoryPolicy } from '../../domain/iam/parse.ts'
import type { Policy } from '../../domain/iam/policy.ts'
import type { Registry, RepositoryRef } from '../../domain/names.ts'
import { registryPolicyNotFound, repositoryPolicyNotFound } from '../../domain/policy-errors.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { Access } from './access.ts'

/** The policies of repositories and registries: checked, kept as the text that was given, shown and removed. `Access` enforces them. */
export class Policies {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #namesTheKnownOnly: boolean

  /** `namesTheKnownOnly`: refuses a policy that names a user or a role which is not there, as ECR does. */
  constructor(metadata: MetadataStore, access: Access, namesTheKnownOnly = false) {
    this.#metadata = metadata
    this.#access = access
    this.#namesTheKnownOnly = namesTheKnownOnly
  }

  /**
   * Acts on every request that begins after it has answered. Throws `repository-not-found`, and `invalid-parameter` for
   * a text that is no policy, or (unless forced) one under which the caller could not set another.
   */
  async setOfRepository(principal: Principal, ref: RepositoryRef, text: string, isForced: boolean): Promise<void> {
    const action = 'ecr:SetRepositoryPolicy'
    await this.#access.authorize(principal, action, ref)
    const policy = parseRepositoryPolicy(text, isPublic(ref.registry))
    const isLockOut = !isForced && !(await this.#access.wouldPermit(principal, action, ref, policy))
    if (isLockOut)
      throw invalidParameter(
        'PolicyText',
        'The policy would keep the caller from setting another one; set force to true if that is what is wanted',
      )
    await this.#metadata.transact(async (tx) => {
      const repository = await getRepository(tx, ref)
      await this.#checkNames(tx, policy)
      await tx.policies.putOfRepository(repository, text)
    })
  }

  /** Throws `repository-not-found`, `repository-policy-not-found`. */
  async getOfRepository(principal: Principal, ref: RepositoryRef): Promise<string> {
    await this.#access.authorize(principal, 'ecr:GetRepositoryPolicy', ref)
    return this.#metadata.read(async (view) => {
      await getRepository(view, ref)
      const text = await view.policies.ofRepository(ref)
      if (text === undefined) throw repositoryPolicyNotFound(ref)
      return text
    })
  }

  /** Answers what was removed. Throws as `getOfRepository`. */
  async deleteOfRepository(principal: Principal, ref: RepositoryRef): Promise<string> {
    await this.#access.authorize(principal, 'ecr:DeleteRepositoryPolicy', ref)
    return this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      const text = await tx.policies.deleteOfRepository(id)
      if (text === undefined) throw repositoryPolicyNotFound(ref)
      return text
    })
  }

  /** Acts on every request that begins after it has answered. Throws `invalid-parameter` for a text that is no policy. */
  async putOfRegistry(principal: Principal, registry: Registry, text: string): Promise<void> {
    await this.#access.authorize(principal, 'ecr:PutRegistryPolicy', registry)
    await this.#metadata.transact(async (tx) => {
      const { scope } = await tx.policies.ofRegistry(registry)
      await this.#checkNames(tx, parseRegistryPolicy(text, registry, scope === 'V1' ? 'V1' : 'V2'))
      await tx.policies.putOfRegistry(registry, text)
    })
  }

  /** Throws `registry-policy-not-found`. */
  async getOfRegistry(principal: Principal, registry: Registry): Promise<string> {
    await this.#access.authorize(principal, 'ecr:GetRegistryPolicy', registry)
    const { text } = await this.#metadata.view.policies.ofRegistry(registry)
    if (text === undefined) throw registryPolicyNotFound(registry)
    return text
  }

  /** Answers what was removed. Throws `registry-policy-not-found`. */
  async deleteOfRegistry(principal: Principal, registry: Registry): Promise<string> {
    await this.#access.authorize(principal, 'ecr:DeleteRegistryPolicy', registry)
    const text = await this.#metadata.transact((tx) => tx.policies.deleteOfRegistry(registry))
    if (text === undefined) throw registryPolicyNotFound(registry)
    return text
  }

  async #checkNames({ iam }: Pick<MetadataReader, 'iam'>, policy: Policy): Promise<void> {
    if (!this.#namesTheKnownOnly) return
    for (const { kind, accountId, path, name } of namedIdentities(policy)) {
      const found = await iam.find(kind, accountId, name)
      if (found?.name !== name || (path !== undefined && found.path !== path))
        throw invalidParameter('PolicyText', 'Principal not found')
    }
  }
}
