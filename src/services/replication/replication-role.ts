import { isRegistryError } from '../../domain/errors.ts'
import type { Principal } from '../../domain/principal.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { ServiceLinkedRoles } from '../iam/service-linked-roles.ts'
import type { ReplicationRole } from './replication.ts'

const SERVICE = 'replication.ecr.amazonaws.com'
const ROLE = 'AWSServiceRoleForECRReplication'

/** The role that ECR makes when replication is configured first, by the right of whoever configures it. */
export class LinkedReplicationRole implements ReplicationRole {
  readonly #metadata: MetadataStore
  readonly #roles: () => Promise<Pick<ServiceLinkedRoles, 'create'>>

  /** `roles` is asked for only when there is one to be made. */
  constructor(metadata: MetadataStore, roles: () => Promise<Pick<ServiceLinkedRoles, 'create'>>) {
    this.#metadata = metadata
    this.#roles = roles
  }

  async ensure(principal: Principal): Promise<void> {
    if (await this.#isThere(principal)) return
    try {
      const roles = await this.#roles()
      await roles.create(principal, SERVICE, {})
    } catch (thrown) {
      // Somebody else was faster.
      if (!isRegistryError(thrown, 'input-invalid') || !(await this.#isThere(principal))) throw thrown
    }
  }

  async #isThere({ accountId }: Principal): Promise<boolean> {
    return (await this.#metadata.view.iam.find('role', accountId, ROLE)) !== undefined
  }
}
