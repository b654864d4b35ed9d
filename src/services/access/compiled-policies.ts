import type { NamedPolicy } from '../../domain/iam/evaluate.ts'
import { parseIdentityPolicy, parseResourcePolicy, parseTrustPolicy } from '../../domain/iam/iam-policies.ts'
import { parseRegistryPolicy, parseRepositoryPolicy, type RegistryPolicyScope } from '../../domain/iam/parse.ts'
import type { Policy } from '../../domain/iam/policy.ts'
import { denyAll, UNREADABLE_KEPT_ACTIONS } from '../../domain/iam/unreadable.ts'
import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { MetadataStore } from '../../stores/metadata.ts'

/** A policy as it is kept, with what people call it: an ARN, or the name of an inline policy. */
export interface PolicyText {
  readonly name: string
  readonly text: string
}

/** What an identity may do, as the texts that say so. */
export interface IdentityPolicyTexts {
  readonly policies: readonly PolicyText[]
  readonly boundary?: PolicyText | undefined
}

/** The policies of the user or role behind a principal; `undefined`: nobody of that name is known, so nothing is allowed. */
export type IdentityPoliciesOf = (principal: Principal) => Promise<IdentityPolicyTexts | undefined>

/** What holds in a whole registry. */
export interface CompiledRegistryPolicies {
  readonly policy: NamedPolicy | undefined
  /** How far it reaches. */
  readonly scope: RegistryPolicyScope
  /** False: no repository of the registry has a policy, and none needs to be looked for. */
  readonly hasRepositoryPolicies: boolean
}

/** What an identity may do. */
export interface CompiledIdentity {
  readonly policies: readonly NamedPolicy[]
  readonly boundary: NamedPolicy | undefined
}

/** To be awaited; often there already. */
type Awaitable<T> = T | Promise<T>

const REMEMBERED_MAX = 10_000
const NOBODY: IdentityPolicyTexts = { policies: [] }

const PARSERS = { identity: parseIdentityPolicy, resource: parseResourcePolicy, trust: parseTrustPolicy } as const

/**
 * Policies, each read and compiled once for every version of it: what was compiled is forgotten as soon as any policy has
 * changed, and asking whether one has costs nothing. A stored policy that cannot be read denies everything, and is reported.
 */
export class CompiledPolicies {
  readonly #metadata: MetadataStore
  readonly #identityPoliciesOf: IdentityPoliciesOf
  readonly #report: (error: Error) => void
  readonly #registries = new Map<string, CompiledRegistryPolicies>()
  readonly #repositories = new Map<string, { readonly policy: NamedPolicy | undefined }>()
  readonly #identities = new Map<string, CompiledIdentity>()
  /** By text, which is all there is to these. */
  readonly #texts = new Map<string, Policy>()
  #revision = -1

  constructor(metadata: MetadataStore, identityPoliciesOf: IdentityPoliciesOf, report: (error: Error) => void) {
    this.#metadata = metadata
    this.#identityPoliciesOf = identityPoliciesOf
    this.#report = report
  }

  ofRegistry(registry: Registry): Awaitable<CompiledRegistryPolicies> {
    return this.#remembered(this.#registries, registryKey(registry), async () => {
      const { text, scope, hasRepositoryPolicies } = await this.#metadata.view.policies.ofRegistry(registry)
      // Stored under any scope; how far it reaches is decided when it is used.
      const parse = (given: string) => parseRegistryPolicy(given, registry, 'V2')
      const policy = text === undefined ? undefined : this.#compiled({ name: 'registry policy', text }, parse)
      return { policy, scope: scope === 'V1' ? 'V1' : 'V2', hasRepositoryPolicies }
    })
  }

  async ofRepository(ref: RepositoryRef): Promise<NamedPolicy | undefined> {
    const key = `${registryKey(ref.registry)}/${ref.name}`
    const { policy } = await this.#remembered(this.#repositories, key, async () => {
      const text = await this.#metadata.view.policies.ofRepository(ref)
      if (text === undefined) return { policy: undefined }
      const name = `repository policy of ${ref.name}`
      const parse = (given: string) => parseRepositoryPolicy(given, isPublic(ref.registry))
      return { policy: this.#compiled({ name, text }, parse, UNREADABLE_KEPT_ACTIONS) }
    })
    return policy
  }

  ofIdentity(principal: Principal): Awaitable<CompiledIdentity> {
    // Whoever has the name today may be another than yesterday: the id tells them apart.
    const key = `${principal.identityArn} ${principal.userId.split(':', 1)[0]}`
    return this.#remembered(this.#identities, key, async () => {
      const { policies, boundary } = (await this.#identityPoliciesOf(principal)) ?? NOBODY
      return {
        policies: policies.map((policy) => this.#compiled(policy, parseIdentityPolicy)),
        boundary: boundary && this.#compiled(boundary, parseIdentityPolicy),
      }
    })
  }

  /** The same for a text that comes with the request: the policy of a session, a key or a role. */
  ofText(text: string, kind: keyof typeof PARSERS, name: string): NamedPolicy {
    const key = `${kind} ${text}`
    let policy = this.#texts.get(key)
    if (policy === undefined) {
      policy = this.#compiled({ name, text }, PARSERS[kind]).policy
      if (this.#texts.size >= REMEMBERED_MAX) this.#texts.clear()
      this.#texts.set(key, policy)
    }
    return { name, policy }
  }

  /** A text was checked before it was stored: one that cannot be read now is our fault, and lets nobody in. */
  #compiled({ name, text }: PolicyText, parse: (text: string) => Policy, kept?: ReadonlySet<string>): NamedPolicy {
    try {
      return { name, policy: parse(text) }
    } catch (cause) {
      this.#report(new Error(`The stored policy '${name}' cannot be read and denies everything`, { cause }))
      return { name, policy: denyAll(kept) }
    }
  }

  /** What is known is answered at once: most requests ask for nothing else, and a promise costs as much as their decision. */
  #remembered<T>(remembered: Map<string, T>, key: string, load: () => Promise<T>): Awaitable<T> {
    const revision = this.#metadata.policyRevision
    if (revision !== this.#revision) this.#forget(revision)
    return remembered.get(key) ?? this.#remember(remembered, key, revision, load)
  }

  async #remember<T>(remembered: Map<string, T>, key: string, revision: number, load: () => Promise<T>): Promise<T> {
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
    this.#identities.clear()
    this.#revision = revision
  }
}

function registryKey({ registryId, region }: Registry): string {
  return `${registryId}/${region}`
}
