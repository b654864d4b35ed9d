import type { Role } from '../../domain/iam-entities/entity.ts'
import { deletionTaskNotFound, entityNotFound, invalidInput } from '../../domain/iam-entities/errors.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import { LINKED_SERVICES, linkedRolePath, linkedTrustPolicy } from '../../domain/iam-entities/service-linked-roles.ts'
import type { Principal } from '../../domain/principal.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import type { Entities } from './entities.ts'

const SESSION_SECONDS = 3600

/** The roles by which services of AWS act in an account: made, shown and deleted. */
export class ServiceLinkedRoles {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Throws `input-invalid` for a service that has none here, or whose role is there. */
  async create(
    principal: Principal,
    serviceName: string,
    { description, suffix }: { readonly description?: string | undefined; readonly suffix?: string | undefined },
  ): Promise<Role> {
    const { accountId } = principal
    const service = LINKED_SERVICES.find(({ name }) => name === serviceName)
    const name = service?.roleName ?? '*'
    const entity = { accountId, kind: 'role', name, path: `/aws-service-role/${serviceName}/` } as const
    await this.#entities.authorizeArn(principal, 'iam:CreateServiceLinkedRole', this.#entities.arnOf(entity), {
      facts: { 'iam:awsservicename': serviceName },
    })
    if (service === undefined) throw invalidInput(`${serviceName} has no service-linked role in this registry.`)
    if (suffix !== undefined) throw invalidInput(`Custom suffix is not allowed for ${serviceName}`)
    const { partition, metadata } = this.#entities
    const attributes = {
      ...{ trustPolicy: linkedTrustPolicy(service), maxSessionSeconds: SESSION_SECONDS },
      ...{ description, linkedService: service.name },
    }
    const role = { ...entity, ...this.#entities.birth('role'), path: linkedRolePath(service), tags: [], attributes }
    return metadata.transact(async (tx) => {
      if ((await tx.iam.find('role', accountId, name)) !== undefined)
        throw invalidInput(`Service role name ${name} has been taken in this account, please try a different suffix.`)
      const quota = { things: 'RolesPerAccount', limit: IAM_QUOTAS.roles }
      const inserted = await this.#entities.insert(tx, role, quota)
      await tx.iam.attach(inserted, `arn:${partition}:iam::aws:policy/aws-service-role/${service.policyName}`)
      return inserted
    })
  }

  /** Answers the id under which the deletion, which is done, can be asked for. Throws `entity-not-found`. */
  async delete(principal: Principal, name: string): Promise<string> {
    const work = async (role: Role, { iam }: MetadataWriter) => {
      const { linkedService } = role.attributes
      if (linkedService === undefined) throw entityNotFound('role', name)
      await iam.delete(role.id)
      return `task/aws-service-role/${linkedService}/${role.name}/${this.#entities.ids.uuid()}`
    }
    const options = { reachesLinked: true }
    return this.#entities.change(principal, 'iam:DeleteServiceLinkedRole', 'role', name, work, options)
  }

  /** Deletions are done when they are asked for. Throws `entity-not-found` for an id that was never given. */
  async checkDeleted(principal: Principal, taskId: string): Promise<void> {
    await this.#entities.authorize(principal, 'iam:GetServiceLinkedRoleDeletionStatus')
    const [, service, name] = /^task\/aws-service-role\/([^/]+)\/([^/]+)\/[0-9a-f-]{36}$/.exec(taskId) ?? []
    const isKnown = LINKED_SERVICES.some((one) => one.name === service && one.roleName === name)
    if (!isKnown) throw deletionTaskNotFound(taskId)
  }
}
