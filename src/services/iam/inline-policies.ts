import { POLICY_SIZES, policySize } from '../../domain/iam/iam-policies.ts'
import type { Entity, InlinePolicy } from '../../domain/iam-entities/entity.ts'
import { inlinePolicyNotFound, inlinePolicyTooLarge } from '../../domain/iam-entities/errors.ts'
import { checkIdentityPolicy } from '../../domain/iam-entities/policy-document.ts'
import type { Principal } from '../../domain/principal.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import type { PageOf, Paging } from '../paging.ts'
import type { Entities } from './entities.ts'
import { pageOfAll } from './markers.ts'

export type PolicyHolder = 'user' | 'group' | 'role'

const SIZES: Readonly<Record<PolicyHolder, number>> = {
  user: POLICY_SIZES.userInline,
  group: POLICY_SIZES.groupInline,
  role: POLICY_SIZES.roleInline,
}

/** As operations name the kinds: `User` in `PutUserPolicy`. */
export const NOUN: Readonly<Record<PolicyHolder, string>> = { user: 'User', group: 'Group', role: 'Role' }

/** The policies that belong to one user, group or role each. */
export class InlinePolicies {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Replaces a policy of the same name. Throws `entity-not-found`, `policy-malformed`, `quota-exceeded`. */
  async put(principal: Principal, kind: PolicyHolder, name: string, policy: InlinePolicy): Promise<void> {
    const action = `iam:Put${NOUN[kind]}Policy` as const
    const work = async (entity: Entity, { iam }: MetadataWriter) => {
      checkIdentityPolicy(policy.text)
      const others = (await iam.listInline(entity.id)).filter((one) => one.name !== policy.name)
      const bytes = [...others, policy].reduce((sum, { text }) => sum + policySize(text), 0)
      if (bytes > SIZES[kind]) throw inlinePolicyTooLarge(kind, entity.name, SIZES[kind])
      await iam.putInline(entity.id, policy)
    }
    await this.#entities.change(
      principal,
      action,
      kind,
      name,
      work,
      await this.#entities.boundaryDetails(principal, kind, name),
    )
  }

  /** Throws `entity-not-found`. */
  async get(
    principal: Principal,
    kind: PolicyHolder,
    name: string,
    policyName: string,
  ): Promise<{ readonly entity: Entity; readonly policy: InlinePolicy }> {
    const entity = await this.#entities.get(principal, `iam:Get${NOUN[kind]}Policy`, kind, name)
    const policy = await this.#entities.metadata.view.iam.findInline(entity.id, policyName)
    if (policy === undefined) throw inlinePolicyNotFound(kind, policyName)
    return { entity, policy }
  }

  async list(principal: Principal, kind: PolicyHolder, name: string, paging: Paging): Promise<PageOf<InlinePolicy>> {
    const entity = await this.#entities.get(principal, `iam:List${NOUN[kind]}Policies`, kind, name)
    const policies = await this.#entities.metadata.view.iam.listInline(entity.id)
    return pageOfAll(policies, paging, (policy) => policy.name)
  }

  /** Throws `entity-not-found`. */
  async delete(principal: Principal, kind: PolicyHolder, name: string, policyName: string): Promise<void> {
    const action = `iam:Delete${NOUN[kind]}Policy` as const
    await this.#entities.change(
      principal,
      action,
      kind,
      name,
      async ({ id }, { iam }) => {
        if (!(await iam.deleteInline(id, policyName))) throw inlinePolicyNotFound(kind, policyName)
      },
      await this.#entities.boundaryDetails(principal, kind, name),
    )
  }
}
