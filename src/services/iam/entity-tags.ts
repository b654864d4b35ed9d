import type { Entity } from '../../domain/iam-entities/entity.ts'
import { withoutTags, withTags } from '../../domain/iam-entities/tags.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import type { PageOf, Paging } from '../paging.ts'
import type { Entities } from './entities.ts'
import type { ManagedPolicies } from './managed-policies.ts'
import { pageOfAll } from './markers.ts'
import type { OidcProviders } from './oidc-providers.ts'

/** What carries tags, as operations name it; policies and providers are named by their ARN, the others by name. */
export type TaggedNoun = 'User' | 'Role' | 'Policy' | 'OpenIDConnectProvider'

/** The tags of users, roles, managed policies and providers. */
export class EntityTags {
  readonly #entities: Entities
  readonly #policies: ManagedPolicies
  readonly #providers: OidcProviders

  constructor(entities: Entities, policies: ManagedPolicies, providers: OidcProviders) {
    this.#entities = entities
    this.#policies = policies
    this.#providers = providers
  }

  /** Adds and replaces. Throws `entity-not-found`, `input-invalid`, `quota-exceeded`. */
  async put(principal: Principal, noun: TaggedNoun, target: string, tags: readonly ResourceTag[]): Promise<void> {
    const details = { requestTags: tags }
    await this.#change(principal, `iam:Tag${noun}`, noun, target, (known) => withTags(known, tags), details)
  }

  /** Unknown keys are fine. Throws `entity-not-found`. */
  async remove(principal: Principal, noun: TaggedNoun, target: string, keys: readonly string[]): Promise<void> {
    const details = { tagKeys: keys }
    await this.#change(principal, `iam:Untag${noun}`, noun, target, (known) => withoutTags(known, keys), details)
  }

  async list(principal: Principal, noun: TaggedNoun, target: string, paging: Paging): Promise<PageOf<ResourceTag>> {
    const tags = await this.#tagsOf(principal, noun, target)
    const sorted = tags.toSorted((a, b) => (a.key < b.key ? -1 : 1))
    return pageOfAll(sorted, paging, ({ key }) => key)
  }

  async #tagsOf(principal: Principal, noun: TaggedNoun, target: string): Promise<readonly ResourceTag[]> {
    const action = `iam:List${noun}Tags` as const
    if (noun === 'User' || noun === 'Role')
      return (await this.#entities.get(principal, action, noun === 'User' ? 'user' : 'role', target)).tags
    if (noun === 'OpenIDConnectProvider') return (await this.#providers.find(principal, action, target)).tags
    const found = await this.#policies.find(principal, action, target)
    return found.owner === 'account' ? found.policy.tags : []
  }

  async #change(
    principal: Principal,
    action: `iam:${string}`,
    noun: TaggedNoun,
    target: string,
    next: (tags: readonly ResourceTag[]) => readonly ResourceTag[],
    details: { readonly requestTags?: readonly ResourceTag[]; readonly tagKeys?: readonly string[] },
  ): Promise<void> {
    const work = ({ id, tags }: Entity, { iam }: MetadataWriter) => iam.setTags(id, next(tags))
    if (noun === 'User') await this.#entities.change(principal, action, 'user', target, work, details)
    else if (noun === 'Role')
      // Also the roles of services.
      await this.#entities.change(principal, action, 'role', target, work, { ...details, reachesLinked: true })
    else if (noun === 'Policy') await this.#policies.change(principal, action, target, work, details)
    else await this.#providers.change(principal, action, target, work, details)
  }
}
