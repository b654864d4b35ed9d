import { invalidInput, policyNotAttachable, policyNotFound, quotaExceeded } from '../../domain/iam-entities/errors.ts'
import { parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import type { Principal } from '../../domain/principal.ts'
import type { PageOf, Paging } from '../paging.ts'
import type { Entities } from './entities.ts'
import { NOUN, type PolicyHolder } from './inline-policies.ts'
import { pageOfAll } from './markers.ts'
import { getAttachable } from './policy-refs.ts'

export interface AttachedPolicy {
  readonly arn: string
  readonly name: string
}

/** Which managed policies are attached to users, groups and roles. */
export class Attachments {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Attached already is fine. Throws `entity-not-found`, `input-invalid`, `quota-exceeded`, `policy-not-attachable`. */
  async attach(principal: Principal, kind: PolicyHolder, name: string, arn: string): Promise<void> {
    const { accountId } = principal
    await this.#entities.change(
      principal,
      `iam:Attach${NOUN[kind]}Policy`,
      kind,
      name,
      async (entity, { iam }) => {
        const found = await getAttachable(iam, accountId, this.#entities.partition, arn)
        if (found.owner === 'aws' && !found.policy.isAttachable) throw policyNotAttachable(arn)
        const attached = await iam.listAttached(entity.id)
        if (!attached.includes(arn) && attached.length >= IAM_QUOTAS.attachedPolicies)
          throw quotaExceeded(`PoliciesPer${NOUN[kind]}`, IAM_QUOTAS.attachedPolicies)
        await iam.attach(entity, arn)
      },
      await this.#details(principal, kind, name, arn),
    )
  }

  /** Throws `entity-not-found` when the policy is not attached, too. */
  async detach(principal: Principal, kind: PolicyHolder, name: string, arn: string): Promise<void> {
    await this.#entities.change(
      principal,
      `iam:Detach${NOUN[kind]}Policy`,
      kind,
      name,
      async (entity, { iam }) => {
        if (parseIamArn(arn)?.kind !== 'policy') throw invalidInput(`ARN ${arn} is not valid.`)
        if (!(await iam.detach(entity.id, arn))) throw policyNotFound(arn)
      },
      await this.#details(principal, kind, name, arn),
    )
  }

  async list(
    principal: Principal,
    kind: PolicyHolder,
    name: string,
    pathPrefix: string,
    paging: Paging,
  ): Promise<PageOf<AttachedPolicy>> {
    const entity = await this.#entities.get(principal, `iam:ListAttached${NOUN[kind]}Policies`, kind, name)
    const arns = await this.#entities.metadata.view.iam.listAttached(entity.id)
    const policies = arns.flatMap((arn) => {
      const parsed = parseIamArn(arn)
      return parsed?.path.startsWith(pathPrefix) ? [{ arn, name: parsed.name }] : []
    })
    return pageOfAll(policies, paging, ({ arn }) => arn)
  }

  async #details(principal: Principal, kind: PolicyHolder, name: string, arn: string) {
    const { facts = {} } = await this.#entities.boundaryDetails(principal, kind, name)
    return { facts: { ...facts, 'iam:policyarn': arn } }
  }
}
