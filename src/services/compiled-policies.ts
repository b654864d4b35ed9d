import { parseRegistryPolicy, parseRepositoryPolicy, type RegistryPolicyScope } from '../domain/iam/parse.ts'
import type { Policy } from '../domain/iam/policy.ts'
import type { Registry, RepositoryRef } from '../domain/names.ts'
import { isPublic } from '../domain/public-registry.ts'
import type { MetadataStore } from '../stores/metadata.ts'

/** What holds in a whole registry. */
export interface CompiledRegistryPolicies {
  readonly policy: Policy | undefined
  /** How far it reaches. */
  readonly scope: RegistryPolicyScope
  /** False: no repository of the registry has a policy, and none needs to be looked for. */
  readonly hasRepositoryPolicies: boolean
}

const REMEMBERED_MAX = 10_000

/**
 * Policies, each read and compiled once for every version of it: what was compiled is forgotten as soon as any policy has
 * changed, and asking whether one has costs nothing. Throws when a stored policy cannot be read: never is that an allowance.
 */
export class CompiledPolicies {
  readonly #metadata: MetadataStore
  readonly #registries = new Map<string, CompiledRegistryPolicies>()
  readonly #repositories = new Map<string, { readonly policy: Policy | undefined }>()
  #revision = -1

  constructor(metadata: MetadataStore) {
    this.#metadata = metadata
  }

  async ofRegistry(registry: Registry): Promise<CompiledRegistryPolicies> {
    return this.#remember(this.#registries, registryKey(registry), async () => {
      const { text, scope, hasRepositoryPolicies } = await this.#metadata.view.policies.ofRegistry(registry)
      // Stored under any scope; how far it reaches is decided when it is used.
      const policy = text === undefined ? undefined : compiled(() => parseRegistryPolicy(text, registry, 'V2'))
      return { policy, scope: scope === 'V1' ? 'V1' : 'V2', hasRepositoryPolicies }
    })
  }

  async ofRepository(ref: RepositoryRef): Promise<Policy | undefined> {
    const { policy } = await this.#remember(
      this.#repositories,
      `${registryKey(ref.registry)}/${ref.name}`,
      async () => {
        const text = await this.#metadata.view.policies.ofRepository(ref)
        return {
          policy: text === undefined ? undefined : compiled(() => parseRepositoryPolicy(text, isPublic(ref.registry))),
        }
      },
    )
    return policy
  }

  async #remember<T>(remembered: Map<string, T>, key: string, load: () => Promise<T>): Promise<T> {
    const revision = this.#metadata.policyRevision
    if (revision !== this.#revision) this.#forget(revision)
    const known = remembered.get(key)
    if (known !== undefined) return known
    const loaded = await load()
    // What was loaded while a policy changed may be the old one.
    if (this.#metadata.policyRevision === revision && this.#revision === revision) {
      if (remembered.size >= REMEMBERED_MAX) remembered.clear()
      remembered.set(key, loaded)
    }
    return loaded
  }

  #forget(revision: number): void {
    this.#registries.clear()
    this.#repositories.clear()
    this.#revision = revision
  }
}

function registryKey({ registryId, region }: Registry): string {
  return `${registryId}/${region}`
}

/** A text was checked before it was stored: one that cannot be read now is our fault, not the caller's. */
function compiled(parse: () => Policy): Policy {
  try {
    return parse()
  } catch (cause) {
    throw new Error('A stored policy cannot be read', { cause })
  }
}
