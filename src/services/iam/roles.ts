import { invalidParameters } from '../../domain/errors.ts'
import { POLICY_SIZES, policySize } from '../../domain/iam/iam-policies.ts'
import { nameKey, type Role } from '../../domain/iam-entities/entity.ts'
import { deleteConflict, quotaExceeded, roleProtected } from '../../domain/iam-entities/errors.ts'
import { checkTrustPolicy } from '../../domain/iam-entities/policy-document.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import { checkTags } from '../../domain/iam-entities/tags.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import { type PageOf, type Paging, pageOf } from '../paging.ts'
import { checkBoundary } from './boundaries.ts'
import type { Entities } from './entities.ts'
import { markerAfter } from './markers.ts'

export interface NewRole {
  readonly name: string
  readonly path: string
  readonly trustPolicy: string
  readonly description?: string | undefined
  readonly maxSessionSeconds: number
  readonly tags: readonly ResourceTag[]
  readonly boundaryArn?: string | undefined
}

/** The roles of accounts. Those that belong to a service can be described, and nothing else: `entity-unmodifiable`. */
export class Roles {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Throws `policy-malformed`, `entity-exists`, `quota-exceeded`, `input-invalid`, and `entity-not-found` for the boundary. */
  async create(principal: Principal, given: NewRole): Promise<Role> {
    const { accountId } = principal
    const { name, path, tags, boundaryArn, trustPolicy, description, maxSessionSeconds } = given
    const entity = { accountId, kind: 'role', name, path } as const
    const facts = boundaryArn === undefined ? {} : { 'iam:permissionsboundary': boundaryArn }
    await this.#entities.authorizeNew(principal, 'Role', this.#entities.arnOf(entity), tags, facts)
    if (path.startsWith('/aws-service-role/'))
      throw invalidParameters('The path /aws-service-role/ is reserved for service-linked roles.')
    checkTags(tags)
    checkTrust(trustPolicy)
    const attributes = { trustPolicy, description, maxSessionSeconds }
    return this.#entities.metadata.transact(async (tx) => {
      if (boundaryArn !== undefined) await checkBoundary(tx.iam, this.#entities, accountId, boundaryArn)
      const role = { ...entity, ...this.#entities.birth('role'), tags, boundaryArn, attributes }
      return this.#entities.insert(tx, role, { things: 'RolesPerAccount', limit: IAM_QUOTAS.roles })
    })
  }

  /** Throws `entity-not-found`. */
  get(principal: Principal, name: string): Promise<Role> {
    return this.#entities.get(principal, 'iam:GetRole', 'role', name)
  }

  async list(principal: Principal, pathPrefix: string | undefined, paging: Paging): Promise<PageOf<Role>> {
    await this.#entities.authorize(principal, 'iam:ListRoles')
    const page = { pathPrefix, after: markerAfter(paging), limit: paging.limit + 1 }
    const roles = await this.#entities.metadata.view.iam.list('role', principal.accountId, page)
    return pageOf(roles, paging.limit, ({ name }) => nameKey(name))
  }

  /** What is not given stays. Throws `entity-not-found`. */
  update(
    principal: Principal,
    name: string,
    action: 'iam:UpdateRole' | 'iam:UpdateRoleDescription',
    given: { readonly description?: string | undefined; readonly maxSessionSeconds?: number | undefined },
  ): Promise<Role> {
    const work = async (role: Role, { iam }: MetadataWriter) => {
      const { description = role.attributes.description, maxSessionSeconds = role.attributes.maxSessionSeconds } = given
      const updated = { ...role, attributes: { ...role.attributes, description, maxSessionSeconds } }
      await iam.update(updated)
      return updated
    }
    // The role of a service may be described.
    const options = { reachesLinked: given.maxSessionSeconds === undefined }
    return this.#entities.change(principal, action, 'role', name, work, options)
  }

  /** Throws `entity-not-found`, `policy-malformed`, `quota-exceeded`. */
  async setTrustPolicy(principal: Principal, name: string, trustPolicy: string): Promise<void> {
    await this.#entities.change(principal, 'iam:UpdateAssumeRolePolicy', 'role', name, async (role, { iam }) => {
      checkTrust(trustPolicy)
      await iam.update({ ...role, attributes: { ...role.attributes, trustPolicy } })
    })
  }

  /** Throws `delete-conflict` while it has policies. */
  async delete(principal: Principal, name: string): Promise<void> {
    await this.#entities.change(principal, 'iam:DeleteRole', 'role', name, async (role, { iam }) => {
      if (role.attributes.linkedService !== undefined) throw roleProtected(role.name)
      if ((await iam.listAttached(role.id)).length > 0)
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      if ((await iam.listInline(role.id)).length > 0)
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      await iam.delete(role.id)
    })
  }

  /** What lists a role's instance profiles: this registry has no machines, and so none. Throws `entity-not-found`. */
  async checkInstanceProfiles(principal: Principal, name: string): Promise<void> {
    await this.#entities.get(principal, 'iam:ListInstanceProfilesForRole', 'role', name)
  }
}

function checkTrust(text: string): void {
  if (policySize(text) > POLICY_SIZES.trust) throw quotaExceeded('ACLSizePerRole', POLICY_SIZES.trust)
  checkTrustPolicy(text)
}
