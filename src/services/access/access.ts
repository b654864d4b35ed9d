import { accessDenied, type RegistryError } from '../../domain/errors.ts'
import { PUBLIC_PULL_ACTION_KEYS, REGISTRY_POLICY_V1_ACTION_KEYS } from '../../domain/iam/actions.ts'
import type { RefusedRequest } from '../../domain/iam/authorization-message.ts'
import { reasonOf } from '../../domain/iam/denial.ts'
import {
  type AccessRequest,
  type ApplicablePolicies,
  type Decision,
  decide,
  isWithin,
  type NamedPolicy,
} from '../../domain/iam/evaluate.ts'
import { type Explanation, explain } from '../../domain/iam/explain.ts'
import { factsOf, type ImageFacts } from '../../domain/iam/facts.ts'
import type { Policy } from '../../domain/iam/policy.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Throttle } from '../throttle.ts'
import {
  type AccessResource,
  type Action,
  askedBy,
  isOfRepositories,
  type NamedRequest,
  named,
  type RequestDetails,
  registryOf,
} from './access-resource.ts'
import { CompiledPolicies, type IdentityPoliciesOf } from './compiled-policies.ts'

export type { AccessResource, Action, OtherResource, RequestDetails } from './access-resource.ts'

/** `enforce`: what is denied fails. `soft`: within an account it is only reported. `off`: within an account nothing is asked. */
export type AccessMode = 'off' | 'soft' | 'enforce'

/** A request that policies do not let through. */
export interface Denial {
  readonly principal: Principal
  readonly action: string
  readonly resource: string
  readonly decision: Decision
  /** False: it was let through all the same. */
  readonly isEnforced: boolean
}

export interface AccessSettings {
  readonly mode: AccessMode
  /** Absent: whoever belongs to an account is its administrator. */
  readonly identityPoliciesOf?: IdentityPoliciesOf | undefined
  /** The organisation that all accounts here belong to. */
  readonly organizationId?: string | undefined
  onDenied?(denial: Denial): void
  /** Tells why, in a text that the refused one cannot read; absent: nobody is told. */
  sealRefusal?(refused: RefusedRequest): string
  /** Hears of every call of an action of the registry, whatever becomes of it. */
  onCall?(accountId: string, region: string, action: Action): void
  /** Takes what is wrong with what is stored. */
  report?(error: Error): void
}

const ALLOWED: Decision = { outcome: 'allowed', by: 'account' }
const NOT_ALLOWED: Decision = { outcome: 'not-allowed', by: 'resource' }

/** A decision with what it rests on. */
interface Judgement {
  readonly decision: Decision
  /** Absent: nothing had to be asked. */
  readonly policies?: ApplicablePolicies | undefined
  readonly asked?: AccessRequest | undefined
}

/** Decides who may do what; every service asks it before it looks at anything. */
export class Access {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #throttle: Throttle
  readonly #settings: AccessSettings
  readonly #policies: CompiledPolicies

  constructor(
    metadata: MetadataStore,
    clock: Clock,
    throttle: Throttle,
    settings: AccessSettings = { mode: 'enforce' },
  ) {
    this.#metadata = metadata
    this.#clock = clock
    this.#throttle = throttle
    this.#settings = settings
    const { identityPoliciesOf = async () => undefined } = settings
    this.#policies = new CompiledPolicies(metadata, identityPoliciesOf, (error) => settings.report?.(error))
  }

  /** Counts as a call of the action. Throws `throttled`, and `access-denied` in AWS's words. */
  async authorize(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails = {},
  ): Promise<void> {
    this.#count(principal, askedBy(principal, action), resource)
    await this.#authorize(principal, action, resource, details)
  }

  /** The same for several repositories, together one call. */
  async authorizeAll(principal: Principal, action: Action, refs: readonly RepositoryRef[]): Promise<void> {
    const [first] = refs
    if (first !== undefined) this.#count(principal, action, first)
    for (const ref of refs) await this.#authorize(principal, action, ref, {})
  }

  /** Whether it would be permitted; counts as no call. */
  async permits(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails = {},
  ): Promise<boolean> {
    const { request, judgement } = await this.#judgeAsked(principal, action, resource, details)
    note(principal, request, judgement.decision, true)
    return this.#isLetThrough(principal, request, judgement.decision)
  }

  /** Why it is not permitted, for those who word a refusal themselves; `undefined`: it is. Counts as no call. */
  async refusalOf(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails = {},
  ): Promise<RegistryError | undefined> {
    const { request, judgement } = await this.#judgeAsked(principal, action, resource, details)
    const { decision } = judgement
    const isLetThrough = this.#isLetThrough(principal, request, decision)
    note(principal, request, decision, decision.outcome === 'allowed' || !isLetThrough)
    return isLetThrough ? undefined : this.#refusal(principal, request, details, judgement)
  }

  /** Whether it would be permitted if the repository had this policy. */
  async wouldPermit(principal: Principal, action: Action, ref: RepositoryRef, policy: Policy): Promise<boolean> {
    const { decision } = await this.#judge(principal, named(action, ref), ref, {}, policy)
    return decision.outcome === 'allowed'
  }

  /** What is decided, and by what: for those who word a refusal themselves. Neither counts nor throws. */
  async decide(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails = {},
  ): Promise<Decision> {
    return (await this.#judgeByMode(principal, named(action, resource), resource, details)).decision
  }

  /** Whether his boundary and his session leave the caller what something else than policies gives to his role or user. */
  async leaves(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails = {},
  ): Promise<boolean> {
    const request = named(action, resource)
    const policies = await this.#applicable(principal, request, resource, undefined)
    return isWithin(this.#requestOf(principal, request, details, await this.#tagsOf(resource), undefined), policies)
  }

  /** The decision with the path to it, whatever the mode is. Neither counts nor throws. */
  async explain(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails = {},
  ): Promise<Explanation> {
    const request = named(action, resource)
    const policies = await this.#applicable(principal, request, resource, undefined)
    const [image] = (await details.images?.()) ?? []
    const asked = this.#requestOf(principal, request, details, await this.#tagsOf(resource), image)
    const { decision } = await this.#judge(principal, request, resource, details)
    return { ...explain(asked, policies), decision }
  }

  async #authorize(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails,
  ): Promise<void> {
    const refusal = await this.refusalOf(principal, action, resource, details)
    if (refusal !== undefined) throw refusal
  }

  /** In AWS's words; the details have what only those who may decode it can read. */
  #refusal(
    principal: Principal,
    request: NamedRequest,
    details: RequestDetails,
    { decision, policies, asked = this.#requestOf(principal, request, details, [], undefined) }: Judgement,
  ): RegistryError {
    const { action } = request
    const sealed = this.#settings.sealRefusal?.({ decision, request: asked, action, policies })
    return accessDenied(principal.arn, action, request.arn, reasonOf(decision, action), sealed)
  }

  /** No mode opens an account to another. */
  #isLetThrough(principal: Principal, request: NamedRequest, decision: Decision): boolean {
    if (decision.outcome === 'allowed') return true
    const isEnforced = this.#settings.mode !== 'soft' || principal.accountId !== request.ownerAccountId
    this.#settings.onDenied?.({ principal, action: request.action, resource: request.arn, decision, isEnforced })
    return !isEnforced
  }

  /** Whoever is not named is counted by where he comes from, which is known outside. */
  #count(principal: Principal, action: Action, resource: AccessResource): void {
    if (principal.kind === 'anonymous' || 'arn' in resource) return
    const { region } = registryOf(resource)
    this.#settings.onCall?.(principal.accountId, region, action)
    this.#throttle.count({ accountId: principal.accountId, region }, action)
  }

  /**
   * What is asked for in the policies' terms, and what is decided. A copy that somebody brings from another registry is no way
   * around what denies him to push; what the registry copies by itself is its own business.
   */
  async #judgeAsked(
    principal: Principal,
    action: Action,
    resource: AccessResource,
    details: RequestDetails,
  ): Promise<{ readonly request: NamedRequest; readonly judgement: Judgement }> {
    const judged = async (one: Action) => {
      const request = named(one, resource)
      return { request, judgement: await this.#judgeByMode(principal, request, resource, details) }
    }
    const asked = askedBy(principal, action)
    if (asked === action || principal.circumstances.requestId === '') return judged(asked)
    const push = await judged(action)
    return push.judgement.decision.outcome === 'denied' ? push : judged(asked)
  }

  async #judgeByMode(
    principal: Principal,
    request: NamedRequest,
    resource: AccessResource,
    details: RequestDetails,
  ): Promise<Judgement> {
    if (this.#settings.mode === 'off' && principal.accountId === request.ownerAccountId) return { decision: ALLOWED }
    return this.#judge(principal, request, resource, details)
  }

  async #judge(
    principal: Principal,
    request: NamedRequest,
    resource: AccessResource,
    details: RequestDetails,
    replacement?: Policy,
  ): Promise<Judgement> {
    // Whatever a policy says, a public repository is everybody's to pull, and nobody's to change unnamed.
    if (PUBLIC_PULL_ACTION_KEYS.has(request.key)) return { decision: ALLOWED }
    if (principal.kind === 'anonymous') return { decision: NOT_ALLOWED }
    const policies = await this.#applicable(principal, request, resource, replacement)
    const all = [...ofIdentity(policies), ...policies.resource]
    const { identity, session, isResourceClosed } = policies
    if (all.length === 0 && identity === 'everything' && session === undefined && !isResourceClosed)
      return { decision: principal.accountId === request.ownerAccountId ? ALLOWED : NOT_ALLOWED }
    const readsTags = all.some(({ policy }) => policy.readsResourceTags)
    const resourceTags = readsTags ? await this.#tagsOf(resource) : []
    const readsImages = details.images !== undefined && all.some(({ policy }) => policy.readsImages)
    const images = readsImages ? await details.images() : []
    let judgement: Judgement = { decision: NOT_ALLOWED }
    for (const image of images.length === 0 ? [undefined] : images) {
      const asked = this.#requestOf(principal, request, details, resourceTags, image)
      judgement = { decision: decide(asked, policies), policies, asked }
      if (judgement.decision.outcome !== 'allowed') break
    }
    return judgement
  }

  /** The request as the decision takes it. */
  #requestOf(
    principal: Principal,
    { key: action, arn: resource, ownerAccountId, region }: NamedRequest,
    { requestTags, tagKeys, facts: more }: RequestDetails,
    resourceTags: readonly ResourceTag[],
    image: ImageFacts | undefined,
  ): AccessRequest {
    const facts = factsOf({
      principal,
      action,
      ownerAccountId,
      now: this.#clock.now(),
      region,
      organizationId: this.#settings.organizationId,
      resourceTags,
      requestTags,
      tagKeys: tagKeys ?? requestTags?.map(({ key }) => key),
      image,
      more,
    })
    return { principal, action, resource, ownerAccountId, facts }
  }

  /** All that has a say, compiled. */
  async #applicable(
    principal: Principal,
    { key }: NamedRequest,
    resource: AccessResource,
    replacement: Policy | undefined,
  ): Promise<ApplicablePolicies> {
    const ofResource = await this.#ofResource(key, resource, replacement)
    const { session } = principal
    const narrowing = session?.policies.map((text, index) =>
      this.#policies.ofText(text, 'identity', `session policy ${index + 1}`),
    )
    // Somebody federated may do nothing but what his session says.
    const isNarrowed = narrowing !== undefined && (narrowing.length > 0 || principal.kind === 'federated-user')
    const common = {
      resource: ofResource,
      session: isNarrowed ? narrowing : undefined,
      isResourceClosed: 'arn' in resource ? resource.isClosed : undefined,
    }
    if (principal.kind === 'root' || this.#settings.identityPoliciesOf === undefined)
      return { ...common, identity: 'everything' }
    const { policies: identity, boundary } = await this.#policies.ofIdentity(principal)
    return { ...common, identity, boundary }
  }

  /**
   * The policies of the resource. The registry itself is its owner's alone, whatever policies say: nobody can lock himself
   * out of the registry's policy.
   */
  async #ofResource(
    key: string,
    resource: AccessResource,
    replacement: Policy | undefined,
  ): Promise<readonly NamedPolicy[]> {
    if ('arn' in resource) {
      const { policy } = resource
      return policy === undefined ? [] : [this.#policies.ofText(policy.text, policy.kind, policy.name)]
    }
    const isRepository = 'registry' in resource
    if (!isRepository && !isOfRepositories(key)) return []
    const registry = registryOf(resource)
    const { policy: registryPolicy, scope, hasRepositoryPolicies } = await this.#policies.ofRegistry(registry)
    const policies: NamedPolicy[] = []
    if (registryPolicy !== undefined && (scope === 'V2' || REGISTRY_POLICY_V1_ACTION_KEYS.has(key)))
      policies.push(registryPolicy)
    if (replacement !== undefined) policies.push({ name: 'new repository policy', policy: replacement })
    else if (isRepository && hasRepositoryPolicies) {
      const policy = await this.#policies.ofRepository(resource)
      if (policy !== undefined) policies.push(policy)
    }
    return policies
  }

  async #tagsOf(resource: AccessResource): Promise<readonly ResourceTag[]> {
    if ('arn' in resource) return (await resource.tags?.()) ?? []
    if (!('registry' in resource)) return []
    const { repositories } = this.#metadata.view
    const repository = await repositories.find(resource)
    return repository === undefined ? [] : repositories.listResourceTags(repository.id)
  }
}

/** Tells whoever writes down what happens to the request. */
function note({ circumstances }: Principal, request: NamedRequest, decision: Decision, isEnforced: boolean): void {
  circumstances.decided?.({
    action: request.action,
    resource: request.arn,
    outcome: decision.outcome,
    by: decision.by,
    policy: decision.policy,
    statementId: decision.statement?.sid,
    isEnforced,
  })
}

function ofIdentity({ identity, boundary, session = [] }: ApplicablePolicies): readonly NamedPolicy[] {
  return [...(identity === 'everything' ? [] : identity), ...(boundary === undefined ? [] : [boundary]), ...session]
}
