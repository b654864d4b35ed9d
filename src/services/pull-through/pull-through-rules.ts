import { invalidParameter, limitExceeded } from '../../domain/errors.ts'
import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import {
  needsCredentials,
  type PullThroughRule,
  prefixKey,
  ROOT,
  ruleFor,
  type UpstreamKind,
  upstreamAddress,
  upstreamKindOf,
} from '../../domain/pull-through.ts'
import {
  pullThroughRuleInvalid,
  pullThroughRuleNotFound,
  upstreamUnsupported,
} from '../../domain/pull-through-errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import type { Upstreams } from './upstreams.ts'

const RULES_MAX = 50
const SECRET_ARN = /^arn:aws[a-z-]*:secretsmanager:([^:]*):([^:]*):secret:/
const ROLE_ARN = /^arn:aws[a-z-]*:iam::([0-9]{12}):role\/[\w+=,.@/-]{1,512}$/
const PASSED_TO = { facts: { 'iam:passedtoservice': 'pullthroughcache.ecr.amazonaws.com' } } as const

/** What a caller says of a new rule. */
export interface RuleSettings {
  readonly prefix: string
  readonly upstreamUrl: string
  readonly upstreamKind?: UpstreamKind | undefined
  readonly upstreamPrefix?: string | undefined
  readonly credentialArn?: string | undefined
  readonly customRoleArn?: string | undefined
}

/** What a caller changes of a rule: who it is to the upstream. */
export type RuleChange = Pick<RuleSettings, 'credentialArn' | 'customRoleArn'>

export interface RuleVerdict {
  readonly rule: PullThroughRule
  /** Why the upstream cannot be used; absent: it can. */
  readonly failure?: string | undefined
}

/** Pull-through cache rules: made, changed, tried out, shown and deleted. `PullThrough` acts by them. */
export class PullThroughRules {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #upstreams: Upstreams
  readonly #clock: Clock
  /** Whether a registry may be any, by its address, and not only those that ECR knows. */
  readonly #acceptsAny: boolean
  readonly #known = new Map<string, readonly PullThroughRule[]>()
  #revision = -1

  constructor(metadata: MetadataStore, access: Access, upstreams: Upstreams, clock: Clock, acceptsAny: boolean) {
    this.#metadata = metadata
    this.#access = access
    this.#upstreams = upstreams
    this.#clock = clock
    this.#acceptsAny = acceptsAny
  }

  /**
   * Throws `pull-through-rule-exists`, `pull-through-rule-invalid`, `upstream-unsupported`, `invalid-parameter`, `limit-exceeded`, and
   * what is wrong with the secret.
   */
  async create(principal: Principal, registry: Registry, settings: RuleSettings): Promise<PullThroughRule> {
    await this.#access.authorize(principal, 'ecr:CreatePullThroughCacheRule', registry)
    const now = this.#clock.now()
    const rule: PullThroughRule = {
      registry,
      ...settings,
      upstreamKind: this.#kindOf(settings),
      createdAt: now,
      updatedAt: now,
    }
    if (rule.prefix === ROOT && rule.upstreamPrefix !== undefined && rule.upstreamPrefix !== ROOT)
      throw pullThroughRuleInvalid('upstreamRepositoryPrefix can only be set when ecrRepositoryPrefix is not ROOT')
    await this.#checkCredentials(principal, rule)
    await this.#metadata.transact(async (tx) => {
      await tx.pullThrough.insert(rule)
      if ((await tx.pullThrough.count(registry)) > RULES_MAX)
        throw limitExceeded(RULES_MAX, 'pull through cache rules per registry')
    })
    return rule
  }

  /** What is absent stays. Throws `pull-through-rule-not-found`, and as `create`. */
  async update(principal: Principal, registry: Registry, prefix: string, change: RuleChange): Promise<PullThroughRule> {
    await this.#access.authorize(principal, 'ecr:UpdatePullThroughCacheRule', registry)
    const changed = async (view: MetadataReader): Promise<PullThroughRule> => {
      const known = await getRule(view, registry, prefix)
      return {
        ...known,
        credentialArn: change.credentialArn ?? known.credentialArn,
        customRoleArn: change.customRoleArn ?? known.customRoleArn,
        updatedAt: this.#clock.now(),
      }
    }
    // Before the transaction: secrets have their own.
    await this.#checkCredentials(principal, { ...(await changed(this.#metadata.view)), ...change })
    return this.#metadata.transact(async (tx) => {
      const rule = await changed(tx)
      await tx.pullThrough.update(rule)
      return rule
    })
  }

  /** Reads the secret and logs in. Throws `pull-through-rule-not-found`. */
  async validate(principal: Principal, registry: Registry, prefix: string): Promise<RuleVerdict> {
    await this.#access.authorize(principal, 'ecr:ValidatePullThroughCacheRule', registry)
    const rule = await getRule(this.#metadata.view, registry, prefix)
    return { rule, failure: await this.#upstreams.tryOut(rule) }
  }

  /** Throws `pull-through-rule-not-found` for the first that is missing. */
  async getMany(
    principal: Principal,
    registry: Registry,
    prefixes: readonly string[],
  ): Promise<readonly PullThroughRule[]> {
    await this.#access.authorize(principal, 'ecr:DescribePullThroughCacheRules', registry)
    return this.#metadata.read(async (view) => {
      const found = await view.pullThrough.findMany(registry, prefixes)
      const keys = new Set(found.map(({ prefix }) => prefixKey(prefix)))
      const missing = prefixes.find((prefix) => !keys.has(prefixKey(prefix)))
      if (missing !== undefined) throw pullThroughRuleNotFound({ registry, prefix: missing })
      return found
    })
  }

  /** One page of a registry's rules by prefix. */
  async list(principal: Principal, registry: Registry, paging: Paging): Promise<PageOf<PullThroughRule>> {
    await this.#access.authorize(principal, 'ecr:DescribePullThroughCacheRules', registry)
    const page = { after: pageAfter(paging), limit: paging.limit + 1 }
    const rows = await this.#metadata.view.pullThrough.list(registry, page)
    return pageOf(rows, paging.limit, ({ prefix }) => prefixKey(prefix))
  }

  /** Answers what was deleted; what was cached stays. Throws `pull-through-rule-not-found`. */
  async delete(principal: Principal, registry: Registry, prefix: string): Promise<PullThroughRule> {
    await this.#access.authorize(principal, 'ecr:DeletePullThroughCacheRule', registry)
    return this.#metadata.transact(async (tx) => {
      const rule = await getRule(tx, registry, prefix)
      await tx.pullThrough.delete(registry, prefix)
      return rule
    })
  }

  /** The rule that a repository is under; costs nothing where nothing has changed since the last look. */
  async find({ registry, name }: RepositoryRef): Promise<PullThroughRule | undefined> {
    if (isPublic(registry)) return undefined
    return ruleFor(await this.all(registry), name)
  }

  /** All rules of a registry. */
  async all(registry: Registry): Promise<readonly PullThroughRule[]> {
    const revision = this.#metadata.policyRevision
    if (revision !== this.#revision) {
      this.#known.clear()
      this.#revision = revision
    }
    const key = `${registry.registryId}/${registry.region}`
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const rules = await this.#metadata.view.pullThrough.list(registry, { limit: RULES_MAX })
    if (this.#metadata.policyRevision === revision) this.#known.set(key, rules)
    return rules
  }

  /** Throws `upstream-unsupported`, `pull-through-rule-invalid`. */
  #kindOf({ upstreamUrl, upstreamKind, credentialArn }: RuleSettings): UpstreamKind | undefined {
    const kind = upstreamKindOf(upstreamUrl)
    if (kind === undefined) {
      const isAddress = this.#acceptsAny && upstreamAddress(upstreamUrl) !== undefined
      if (!isAddress)
        throw upstreamUnsupported(`The specified upstream registry is not supported: ${upstreamUrl.slice(0, 200)}`)
    }
    if (upstreamKind !== undefined && upstreamKind !== kind)
      throw pullThroughRuleInvalid(`upstreamRegistryUrl is not one of the upstream registry ${upstreamKind}`)
    if (kind !== undefined && needsCredentials(kind) && credentialArn === undefined)
      throw upstreamUnsupported('The specified upstream registry requires authentication')
    return kind
  }

  async #checkCredentials(principal: Principal, rule: PullThroughRule): Promise<void> {
    const { registry, credentialArn, customRoleArn } = rule
    if (credentialArn !== undefined) {
      const [, region, account] = SECRET_ARN.exec(credentialArn) ?? []
      if (region !== registry.region || account !== registry.registryId)
        throw pullThroughRuleInvalid('The secret must be in the account and the region of the registry')
      await this.#upstreams.readSecret(rule, credentialArn)
    }
    if (customRoleArn === undefined) return
    const [, account] = ROLE_ARN.exec(customRoleArn) ?? []
    if (account === undefined) throw invalidParameter('customRoleArn', 'Invalid ARN')
    if (rule.upstreamKind !== 'ecr')
      throw pullThroughRuleInvalid('customRoleArn can only be set for an upstream registry of Amazon ECR')
    if (account !== registry.registryId) throw pullThroughRuleInvalid('The role must be in the account of the registry')
    const role = { arn: customRoleArn, ownerAccountId: registry.registryId, region: registry.region }
    await this.#access.authorize(principal, 'iam:PassRole', role, PASSED_TO)
  }
}

/** Throws `pull-through-rule-not-found`. */
async function getRule(view: MetadataReader, registry: Registry, prefix: string): Promise<PullThroughRule> {
  const [rule] = await view.pullThrough.findMany(registry, [prefix])
  if (rule === undefined) throw pullThroughRuleNotFound({ registry, prefix })
  return rule
}
