import { repositoryArn } from '../domain/arn.ts'
import { accessDenied } from '../domain/errors.ts'
import type { Registry, RepositoryRef } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'

/** The permissions ECR knows, named as its operations. */
export type Action = `ecr:${string}`

/**
 * Decides who may do what; every service asks it before it looks at anything. A principal may do everything in its own
 * account and nothing in another: no resource policy can open a repository yet.
 */
export class Access {
  /** Throws `access-denied`, in AWS's words. */
  async authorize(principal: Principal, action: Action, resource: RepositoryRef | Registry): Promise<void> {
    if (await this.permits(principal, action, resource)) return
    const arn = 'registry' in resource ? repositoryArn(resource) : '*'
    throw accessDenied(principal.arn, action, arn, `because no resource-based policy allows the ${action} action`)
  }

  async permits(principal: Principal, _action: Action, resource: RepositoryRef | Registry): Promise<boolean> {
    const owner = 'registry' in resource ? resource.registry : resource
    return owner.registryId === principal.accountId
  }
}
