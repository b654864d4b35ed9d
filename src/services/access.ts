import { repositoryArn } from '../domain/arn.ts'
import { accessDenied } from '../domain/errors.ts'
import {
  actionKey,
  PUBLIC_PULL_ACTION_KEYS,
  PUBLIC_REPOSITORY_ACTION_KEYS,
  publicActionKey,
  REGISTRY_POLICY_V1_ACTION_KEYS,
  REPOSITORY_ACTION_KEYS,
} from '../domain/iam/actions.ts'
import { type Decision, decide } from '../domain/iam/evaluate.ts'
import { factsOf } from '../domain/iam/facts.ts'
import type { Policy } from '../domain/iam/policy.ts'
import type { Registry, RepositoryName, RepositoryRef } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import { isPublic } from '../domain/public-registry.ts'
import type { ResourceTag } from '../domain/repository.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { CompiledPolicies } from './compiled-policies.ts'
import type { Throttle } from './throttle.ts'

/** The permissions ECR knows, named as its operations; in a public registry the permissions of ECR Public with these names. */
export type Action = `ecr:${string}` | `ecr-public:${string}`

/** Decides who may do what, by the policies of registry and repository; every service asks it before it looks at anything. */
export class Access {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #throttle: Throttle
  readonly #policies: CompiledPolicies

  constructor(metadata: MetadataStore, clock: Clock, throttle: Throttle) {
    this.#metadata = metadata
    this.#clock = clock
    this.#throttle = throttle
    this.#policies = new CompiledPolicies(metadata)
  }

  /** Counts as a call of the action. Throws `throttled`, and `access-denied` in AWS's words. */
  async authorize(principal: Principal, action: Action, resource: RepositoryRef | Registry): Promise<void> {
    this.#count(principal, action, resource)
    await this.#authorize(principal, action, resource)
  }

  /** The same for several repositories, together one call. */
  async authorizeAll(principal: Principal, action: Action, refs: readonly RepositoryRef[]): Promise<void> {
    const [first] = refs
    if (first !== undefined) this.#count(principal, action, first)
    for (const ref of refs) await this.#authorize(principal, action, ref)
  }

  /** Whoever is not named is counted by where he comes from, which is known outside. */
  #count(principal: Principal, action: Action, resource: RepositoryRef | Registry): void {
    if (principal.kind === 'anonymous') return
    const { region } = 'registry' in resource ? resource.registry : resource
    this.#throttle.count({ accountId: principal.accountId, region }, action)
  }

  async #authorize(principal: Principal, action: Action, resource: RepositoryRef | Registry): Promise<void> {
    const decision = await this.#decide(principal, action, resource)
    if (decision === 'allowed') return
    const registry = 'registry' in resource ? resource.registry : resource
    const shown = isPublic(registry) ? `ecr-public:${nameOf(action)}` : action
    const why =
      decision === 'denied'
        ? 'with an explicit deny in a resource-based policy'
        : `because no resource-based policy allows the ${shown} action`
    throw accessDenied(principal.arn, shown, resourceOf(resource, keyOf(action, registry)), why)
  }

  async permits(principal: Principal, action: Action, resource: RepositoryRef | Registry): Promise<boolean> {
    return (await this.#decide(principal, action, resource)) === 'allowed'
  }

  /** Whether it would be permitted if the repository had this policy. */
  async wouldPermit(principal: Principal, action: Action, ref: RepositoryRef, policy: Policy): Promise<boolean> {
    return (await this.#decide(principal, action, ref, policy)) === 'allowed'
  }

  /**
   * The registry itself is its owner's alone, whatever policies say: nobody can lock himself out of the registry's policy.
   * A listing of repositories asks for all of them.
   */
  async #decide(
    principal: Principal,
    action: Action,
    resource: RepositoryRef | Registry,
    replacement?: Policy,
  ): Promise<Decision> {
    const isRepository = 'registry' in resource
    const registry = isRepository ? resource.registry : resource
    const isOwner = registry.registryId === principal.accountId
    const key = keyOf(action, registry)
    // Whatever a policy says, a public repository is everybody's to pull, and nobody's to change unnamed.
    if (isPublic(registry)) {
      if (PUBLIC_PULL_ACTION_KEYS.has(key)) return 'allowed'
      if (principal.kind === 'anonymous') return 'not-allowed'
    }
    if (!isRepository && !isOfRepositories(key)) return isOwner ? 'allowed' : 'not-allowed'
    const { policy: registryPolicy, scope, hasRepositoryPolicies } = await this.#policies.ofRegistry(registry)
    const policies: Policy[] = []
    if (registryPolicy !== undefined && (scope === 'V2' || REGISTRY_POLICY_V1_ACTION_KEYS.has(key)))
      policies.push(registryPolicy)
    if (replacement !== undefined) policies.push(replacement)
    else if (isRepository && hasRepositoryPolicies) {
      const policy = await this.#policies.ofRepository(resource)
      if (policy !== undefined) policies.push(policy)
    }
    if (policies.length === 0) return isOwner ? 'allowed' : 'not-allowed'
    const readsTags = isRepository && policies.some(({ readsResourceTags }) => readsResourceTags)
    const facts = factsOf({
      principal,
      ownerAccountId: registry.registryId,
      now: this.#clock.now(),
      resourceTags: readsTags ? await this.#tagsOf(resource) : [],
    })
    const ownerAccountId = registry.registryId
    return decide({ principal, action: key, resource: resourceOf(resource, key), ownerAccountId, facts }, policies)
  }

  async #tagsOf(ref: RepositoryRef): Promise<readonly ResourceTag[]> {
    const { repositories } = this.#metadata.view
    const repository = await repositories.find(ref)
    return repository === undefined ? [] : repositories.listResourceTags(repository.id)
  }
}

/** The keys of the actions that were asked for: few, and on the way of every request. */
const KEYS = new Map<Action, string>()
const PUBLIC_KEYS = new Map<Action, string>()

function keyOf(action: Action, registry: Registry): string {
  const isOfPublic = isPublic(registry)
  const keys = isOfPublic ? PUBLIC_KEYS : KEYS
  let key = keys.get(action)
  if (key === undefined) {
    key = isOfPublic ? publicActionKey(nameOf(action)) : actionKey(nameOf(action))
    keys.set(action, key)
  }
  return key
}

function nameOf(action: Action): string {
  return action.slice(action.indexOf(':') + 1)
}

function isOfRepositories(key: string): boolean {
  return REPOSITORY_ACTION_KEYS.has(key) || PUBLIC_REPOSITORY_ACTION_KEYS.has(key)
}

/** As policies and error texts name it. */
function resourceOf(resource: RepositoryRef | Registry, key: string): string {
  if ('registry' in resource) return repositoryArn(resource)
  return isOfRepositories(key) ? repositoryArn({ registry: resource, name: '*' as RepositoryName }) : '*'
}
